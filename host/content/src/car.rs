//! CAR version 1, the archive in which trustless gateways send blocks.
//!
//! `varint length, header, (varint length, id, block)*`; the header is DAG-CBOR `{"roots": [id], "version": 1}`. Source:
//! <https://ipld.io/specs/transport/car/carv1/>.

use std::collections::HashMap;

use bytes::Bytes;

use crate::{
    Block, Codec, ContentId, Dag, IdError,
    cbor::{CborError, Reader},
    varint,
};

/// The media type of an archive that gateways are asked for: in the order of a walk, each block once.
pub(crate) const ARCHIVE: &str = "application/vnd.ipld.car; version=1; order=dfs; dups=n";
/// Longest header. One root takes 58 bytes.
pub(crate) const HEADER_BYTES_MAX: usize = 1 << 20;
/// Longest block. Nothing that travels over bitswap is above 2 MiB.
pub(crate) const BLOCK_BYTES_MAX: usize = 4 << 20;
/// Most blocks of an archive.
const BLOCKS_MAX: usize = crate::NODES_MAX;

/// Bytes before the id in a header's root: tag 42, a byte string of 37 bytes, and the identity multibase.
const ROOT_PREFIX: [u8; 5] = [0xd8, 0x2a, 0x58, 0x25, 0x00];

/// Blocks of which each is what its id names.
#[derive(Clone, Debug, Default)]
pub struct Blocks(HashMap<[u8; 32], Bytes>);

impl Blocks {
    /// The block that `id` names, when it is there.
    #[must_use]
    pub fn get(&self, id: &ContentId) -> Option<&Bytes> {
        self.0.get(id.digest())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Bytes> {
        self.0.values()
    }

    pub(crate) fn add(&mut self, codec: Codec, block: Bytes) -> ContentId {
        let id = ContentId::of_block(codec, &block);
        self.0.insert(*id.digest(), block);
        id
    }

    /// The number of blocks.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Reasons for which bytes are no archive that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CarError {
    /// A length is missing, cut off or longer than what follows.
    #[error("the archive ends within the entry at byte {at}")]
    Truncated {
        /// Where the entry begins.
        at: usize,
    },
    /// The header is not `{"roots": [id], "version": 1}`.
    #[error("the archive's header is malformed")]
    Header,
    /// Another version than 1, which an archive of version 2 holds as well.
    #[error("the archive has version {version}; 1 is read, and 2 where it holds one of version 1")]
    Version {
        /// Version that the header states.
        version: u64,
    },
    /// A block's id is not read here.
    #[error("the id at byte {at} of the archive")]
    Id {
        /// Where its entry begins.
        at: usize,
        /// The fault of the block's id.
        source: IdError,
    },
    /// A block is not what its id names.
    #[error("a block of the archive is not what its id {id} names")]
    Mismatch {
        /// Id of the block.
        id: ContentId,
    },
    /// A block is too long.
    #[error("a block of {bytes} bytes; at most {limit_bytes} are read")]
    BlockTooLarge {
        /// Its stated length, with its id.
        bytes: u64,
        /// The most bytes that are read.
        limit_bytes: usize,
    },
    /// There are too many blocks.
    #[error("the archive holds more than {BLOCKS_MAX} blocks")]
    TooManyBlocks,
}

/// Reads a whole archive and checks every block against its id. The blocks share the archive's memory.
///
/// # Errors
///
/// [`CarError`]
pub fn read_car(archive: &Bytes) -> Result<Blocks, CarError> {
    let mut rest = archive.clone();
    let header = take_entry(archive, &mut rest, HEADER_BYTES_MAX)?;
    read_header(&header)?;
    let mut blocks = HashMap::new();
    let mut count = 0;
    while !rest.is_empty() {
        count += 1;
        if count > BLOCKS_MAX {
            return Err(CarError::TooManyBlocks);
        }
        let at = archive.len() - rest.len();
        let entry = take_entry(archive, &mut rest, BLOCK_BYTES_MAX)?;
        let mut block = &entry[..];
        let id = ContentId::read(&mut block).map_err(|source| CarError::Id { at, source })?;
        if !id.names(block) {
            return Err(CarError::Mismatch { id });
        }
        blocks.insert(*id.digest(), entry.slice_ref(block));
    }
    Ok(Blocks(blocks))
}

/// Writes a file's blocks, the root first.
#[must_use]
pub fn write_car(dag: &Dag) -> Bytes {
    let total: usize = dag.blocks().iter().map(|block| block.bytes.len() + 48).sum();
    let mut archive = Vec::with_capacity(total + 64);
    // Keys in DAG-CBOR's order: shorter ones first.
    let mut header = vec![0xa2, 0x65];
    header.extend_from_slice(b"roots");
    header.push(0x81);
    header.extend_from_slice(&ROOT_PREFIX);
    header.extend_from_slice(&dag.root().to_bytes());
    header.push(0x67);
    header.extend_from_slice(b"version");
    header.push(0x01);
    varint::write(&mut archive, header.len() as u64);
    archive.extend_from_slice(&header);
    for Block { id, bytes } in dag.blocks().iter().rev() {
        let id = id.to_bytes();
        varint::write(&mut archive, (id.len() + bytes.len()) as u64);
        archive.extend_from_slice(&id);
        archive.extend_from_slice(bytes);
    }
    archive.into()
}

fn take_entry(archive: &Bytes, rest: &mut Bytes, limit: usize) -> Result<Bytes, CarError> {
    let at = archive.len() - rest.len();
    let mut ahead = &rest[..];
    let stated = varint::read(&mut ahead).ok_or(CarError::Truncated { at })?;
    let length = usize::try_from(stated).unwrap_or(usize::MAX);
    if length > limit {
        return Err(if at == 0 {
            CarError::Header
        } else {
            CarError::BlockTooLarge { bytes: stated, limit_bytes: limit }
        });
    }
    if length > ahead.len() {
        return Err(CarError::Truncated { at });
    }
    let mut entry = rest.split_off(rest.len() - ahead.len());
    *rest = entry.split_off(length);
    Ok(entry)
}

/// Reads `{"roots": [id], "version": 1}`, whose keys may have either order. The roots are not returned: the block that was asked for is
/// the root, and every block is checked.
pub(crate) fn read_header(header: &[u8]) -> Result<(), CarError> {
    match keys_of(header).map_err(|_| CarError::Header)? {
        (Some(1), true) => Ok(()),
        (Some(version), _) if version != 1 => Err(CarError::Version { version }),
        _ => Err(CarError::Header),
    }
}

/// The roots of a header that was read. Those of forms that are not read here have no files.
pub(crate) fn roots_of(header: &[u8]) -> Result<Vec<ContentId>, CarError> {
    let roots = || -> Result<Vec<ContentId>, CborError> {
        let mut reader = Reader::new(header);
        for _ in 0..reader.entries()? {
            if reader.text()? == b"roots" {
                let count = reader.array()?;
                let mut roots = Vec::new();
                for _ in 0..count {
                    if let Ok(root) = ContentId::read(&mut reader.any_link()?) {
                        roots.push(root);
                    }
                }
                return Ok(roots);
            }
            reader.unsigned()?;
        }
        Ok(Vec::new())
    };
    roots().map_err(|_| CarError::Header)
}

/// The version that a header states, and whether it states roots.
fn keys_of(header: &[u8]) -> Result<(Option<u64>, bool), CborError> {
    let mut reader = Reader::new(header);
    let (mut version, mut has_roots) = (None, false);
    let keys = reader.entries()?;
    for _ in 0..keys {
        match reader.text()? {
            b"version" => version = Some(reader.unsigned()?),
            b"roots" => {
                // Their ids may be of forms that are not read here. Nothing is kept of them, so that their number costs no memory.
                for _ in 0..reader.array()? {
                    reader.any_link()?;
                }
                has_roots = true;
            }
            _ => return Err(CborError::Entries { found: keys, expected: 2 }),
        }
    }
    reader.end()?;
    Ok((version, has_roots))
}
