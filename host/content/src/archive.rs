//! CAR archives on disk, of which only the places of blocks are in memory.
//!
//! Version 1 is read as [`read_car`](crate::read_car) has it; version 2 is a version 1 between a header and an index, which is not needed.
//! Source: <https://ipld.io/specs/transport/car/carv2/>.

use std::{
    collections::{HashMap, HashSet},
    fs::File,
    io,
    os::unix::fs::FileExt as _,
};

use bytes::Bytes;

use crate::{
    CarError, ContentId, DagError, Excerpt,
    assemble::{Extent, assemble_by},
    blocking::Interrupt,
    car::{BLOCK_BYTES_MAX, HEADER_BYTES_MAX, read_header, roots_of},
    dag_pb::{Node, NodeError, read_node},
    id::Codec,
    varint,
};

/// Most blocks of an archive on disk: 2 TiB in chunks of 256 KiB.
pub const ARCHIVE_BLOCKS_MAX: usize = 8_000_000;
/// Most files below the roots of an archive.
pub const ARCHIVE_FILES_MAX: usize = 4_000_000;
/// Most bytes of the paths of all files of an archive.
pub const ARCHIVE_PATHS_BYTES_MAX: usize = 256 << 20;
/// Most directories that are read for each block of an archive, and beside them: the same one may be in several others.
const DIRECTORIES_PER_BLOCK: usize = 4;
const DIRECTORIES_BESIDE: usize = 1_000;
/// The same of the bytes of the nodes that are read to list files: half a MiB for each directory.
const NODE_BYTES_BESIDE: u64 = 512 << 20;
/// Deepest directory below a root.
pub const DIRECTORY_DEPTH_MAX: usize = 64;
/// Bytes that are read for a length and an id.
const ENTRY_HEAD_BYTES: usize = 128;
/// The first bytes of version 2: a header whose one key is the version.
const VERSION_2: [u8; 11] = [0x0a, 0xa1, 0x67, b'v', b'e', b'r', b's', b'i', b'o', b'n', 0x02];
/// Offset of the version 1 within version 2, as its header states it, and its length.
const V2_DATA: (usize, usize) = (VERSION_2.len() + 16, VERSION_2.len() + 24);
const V2_HEADER_BYTES: usize = VERSION_2.len() + 40;

/// Reasons for which a file is no archive that can be used, or has no such file in it.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] io::Error),
    /// It is malformed, or a block is not what its id names.
    #[error(transparent)]
    Car(#[from] CarError),
    /// Its blocks make no file.
    #[error(transparent)]
    Dag(#[from] DagError),
    /// Too many blocks.
    #[error("the archive holds more than {ARCHIVE_BLOCKS_MAX} blocks")]
    TooManyBlocks,
    /// Too many files.
    #[error("the archive holds more than {ARCHIVE_FILES_MAX} files")]
    TooManyFiles,
    /// Paths that take too much memory.
    #[error("the paths of the archive's files take more than {ARCHIVE_PATHS_BYTES_MAX} bytes")]
    TooLongPaths,
    /// The same directories in each other, over and over.
    #[error("the archive has {blocks} blocks, and the directories in them name each other more than {limit} times")]
    TooManyDirectories {
        /// Blocks of the archive.
        blocks: usize,
        /// Directories that are read at most.
        limit: usize,
    },
    /// Large directories, over and over.
    #[error(
        "the archive has {bytes} bytes of blocks, and more than {limit} are read to list its files, as large directories in it are named again and again"
    )]
    TooManyNodeBytes {
        /// Bytes of all blocks.
        bytes: u64,
        /// Bytes that are read at most.
        limit: u64,
    },
    /// A name in the archive whose node cannot be read, so that it is not known which files are below it.
    #[error("{path} in the archive: {source}")]
    Below {
        /// The beginning of its path below the root.
        path: Excerpt,
        /// The fault of the node.
        source: Box<ArchiveError>,
    },
    /// Directories in directories without end.
    #[error("the archive has directories deeper than {DIRECTORY_DEPTH_MAX} levels")]
    TooDeep,
}

impl ArchiveError {
    /// The fault of a node with the path of its name, where it has one.
    fn below(self, path: &str) -> Self {
        match self {
            Self::Dag(_) | Self::Car(_) if !path.is_empty() => {
                Self::Below { path: Excerpt::of(path.as_bytes()), source: Box::new(self) }
            }
            of_the_archive => of_the_archive,
        }
    }
}

/// The place of a block.
#[derive(Clone, Copy, Debug)]
struct Span {
    offset: u64,
    bytes: usize,
}

/// An archive on disk. A block is checked against its id each time that it is read.
#[derive(Debug)]
pub struct Archive {
    file: File,
    roots: Vec<ContentId>,
    blocks: HashMap<[u8; 32], Span>,
}

/// A file within an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its path below the root, or the root's id where that is the file.
    pub name: String,
    /// Its content.
    pub id: ContentId,
}

impl Archive {
    /// True for the first bytes of an archive, of which 18 are looked at: a length, and the beginning of a header of either version.
    #[must_use]
    pub fn begins(mut bytes: &[u8]) -> bool {
        let headers = [&b"\xa2\x65roots"[..], b"\xa2\x67version", b"\xa1\x67version"];
        varint::read(&mut bytes).is_some() && headers.iter().any(|header| bytes.starts_with(header))
    }

    /// Reads where the blocks are.
    ///
    /// # Errors
    ///
    /// [`ArchiveError`]
    pub fn open(file: File) -> Result<Self, ArchiveError> {
        let length = file.metadata()?.len();
        let (mut at, end) = extent(&file, length)?;
        let (header, next) = entry(&file, at, end, HEADER_BYTES_MAX)?;
        let mut bytes = vec![0; header.bytes];
        file.read_exact_at(&mut bytes, header.offset)?;
        read_header(&bytes)?;
        let roots = roots_of(&bytes)?;
        at = next;
        let (mut blocks, mut count) = (HashMap::new(), 0);
        while at < end {
            let (block, next) = entry(&file, at, end, BLOCK_BYTES_MAX)?;
            let mut head = vec![0; block.bytes.min(ENTRY_HEAD_BYTES)];
            file.read_exact_at(&mut head, block.offset)?;
            let mut rest = &head[..];
            // A block under an id of another kind is of no file that is read here.
            if let Ok(id) = ContentId::read(&mut rest) {
                let of_id = head.len() - rest.len();
                blocks.insert(*id.digest(), Span { offset: block.offset + of_id as u64, bytes: block.bytes - of_id });
            }
            count += 1;
            if count > ARCHIVE_BLOCKS_MAX {
                return Err(ArchiveError::TooManyBlocks);
            }
            at = next;
        }
        Ok(Self { file, roots, blocks })
    }

    /// The files below the roots: roots that are files by their ids, those in directories by their paths.
    ///
    /// # Errors
    ///
    /// [`ArchiveError`]
    pub fn files(&self) -> Result<Vec<Named>, ArchiveError> {
        let mut walk = self.walk();
        for root in &self.roots {
            walk.below(root, "", 0)?;
        }
        Ok(walk.files)
    }

    /// Puts a file together, of at most `limit_bytes`.
    ///
    /// # Errors
    ///
    /// [`ArchiveError`]
    pub fn read(&self, id: &ContentId, limit_bytes: usize) -> Result<Bytes, ArchiveError> {
        assemble_by(id, Extent::Whole { limit_bytes }, &Interrupt::default(), |id| self.block(id))
    }

    /// The first bytes of a file: at least so many, or all.
    ///
    /// # Errors
    ///
    /// [`ArchiveError`]
    pub fn head(&self, id: &ContentId, bytes: usize) -> Result<Bytes, ArchiveError> {
        assemble_by(id, Extent::First { bytes }, &Interrupt::default(), |id| self.block(id))
    }

    fn walk(&self) -> Walk<'_> {
        Walk {
            archive: self,
            files: Vec::new(),
            path_bytes: 0,
            directories: 0,
            node_bytes: 0,
            block_bytes: self.blocks.values().map(|place| place.bytes as u64).sum(),
            file_nodes: HashSet::new(),
        }
    }

    fn place(&self, id: &ContentId) -> Result<Span, ArchiveError> {
        Ok(*self.blocks.get(id.digest()).ok_or(DagError::Missing { id: *id })?)
    }

    fn block(&self, id: &ContentId) -> Result<Bytes, ArchiveError> {
        let place = self.place(id)?;
        let mut block = vec![0; place.bytes];
        self.file.read_exact_at(&mut block, place.offset)?;
        if id.names(&block) { Ok(block.into()) } else { Err(CarError::Mismatch { id: *id }.into()) }
    }
}

/// A walk through the directories of an archive.
struct Walk<'a> {
    archive: &'a Archive,
    files: Vec<Named>,
    path_bytes: usize,
    directories: usize,
    /// Bytes of the nodes that were read.
    node_bytes: u64,
    /// Bytes of all blocks.
    block_bytes: u64,
    /// Offsets of the nodes that are files: one may have as many names as there are links to it, and is read once.
    file_nodes: HashSet<u64>,
}

impl Walk<'_> {
    fn below(&mut self, id: &ContentId, path: &str, depth: usize) -> Result<(), ArchiveError> {
        if depth > DIRECTORY_DEPTH_MAX {
            return Err(ArchiveError::TooDeep);
        }
        let node = self.node(id).map_err(|error| error.below(path))?;
        match node {
            Node::File => self.add(if path.is_empty() { id.to_string() } else { path.to_owned() }, *id)?,
            Node::Other(kind) if depth == 0 => {
                return Err(DagError::Node { id: *id, source: NodeError::NotAFile { kind } }.into());
            }
            Node::Other(_) => {}
            Node::Directory(entries) => {
                self.enter()?;
                for (name, id) in entries {
                    let below = if path.is_empty() { name } else { format!("{path}/{name}") };
                    self.below(&id, &below, depth + 1)?;
                }
            }
            Node::Shard { prefix_digits, entries } => {
                self.enter()?;
                for (name, id) in entries {
                    // A name of digits alone is a shard below; others have them before the name.
                    match name.get(prefix_digits..).unwrap_or_default() {
                        "" => self.below(&id, path, depth + 1)?,
                        rest if path.is_empty() => self.below(&id, rest, depth + 1)?,
                        rest => self.below(&id, &format!("{path}/{rest}"), depth + 1)?,
                    }
                }
            }
        }
        Ok(())
    }

    fn node(&mut self, id: &ContentId) -> Result<Node, ArchiveError> {
        if id.codec() != Codec::DagPb {
            return Ok(Node::File);
        }
        let place = self.archive.place(id)?;
        if self.file_nodes.contains(&place.offset) {
            return Ok(Node::File);
        }
        let limit = self.block_bytes.saturating_mul(DIRECTORIES_PER_BLOCK as u64).saturating_add(NODE_BYTES_BESIDE);
        self.node_bytes = self.node_bytes.saturating_add(place.bytes as u64);
        if self.node_bytes > limit {
            return Err(ArchiveError::TooManyNodeBytes { bytes: self.block_bytes, limit });
        }
        let node = read_node(&self.archive.block(id)?).map_err(|source| DagError::Node { id: *id, source })?;
        if node == Node::File {
            self.file_nodes.insert(place.offset);
        }
        Ok(node)
    }

    fn add(&mut self, name: String, id: ContentId) -> Result<(), ArchiveError> {
        self.path_bytes = self.path_bytes.saturating_add(name.len());
        if self.files.len() == ARCHIVE_FILES_MAX {
            return Err(ArchiveError::TooManyFiles);
        }
        if self.path_bytes > ARCHIVE_PATHS_BYTES_MAX {
            return Err(ArchiveError::TooLongPaths);
        }
        self.files.push(Named { name, id });
        Ok(())
    }

    /// Counts a directory: few bytes can name themselves more often than there is time for.
    fn enter(&mut self) -> Result<(), ArchiveError> {
        let blocks = self.archive.blocks.len();
        let limit = blocks.saturating_mul(DIRECTORIES_PER_BLOCK).saturating_add(DIRECTORIES_BESIDE);
        if self.directories == limit {
            return Err(ArchiveError::TooManyDirectories { blocks, limit });
        }
        self.directories += 1;
        Ok(())
    }
}

/// Where the version 1 begins and ends.
fn extent(file: &File, length: u64) -> Result<(u64, u64), ArchiveError> {
    let mut head = [0; V2_HEADER_BYTES];
    if length < head.len() as u64 {
        return Ok((0, length));
    }
    file.read_exact_at(&mut head, 0)?;
    if !head.starts_with(&VERSION_2) {
        return Ok((0, length));
    }
    let number = |at: usize| u64::from_le_bytes(std::array::from_fn(|byte| head[at + byte]));
    let begin = number(V2_DATA.0);
    let end = begin.checked_add(number(V2_DATA.1)).filter(|end| *end <= length);
    Ok((begin, end.ok_or(CarError::Truncated { at: VERSION_2.len() })?))
}

/// An entry after its length, and where the next one begins.
fn entry(file: &File, at: u64, end: u64, limit: usize) -> Result<(Span, u64), ArchiveError> {
    let truncated = || CarError::Truncated { at: usize::try_from(at).unwrap_or(usize::MAX) };
    let mut head = [0; 10];
    let readable = usize::try_from(end.saturating_sub(at)).unwrap_or(usize::MAX).min(head.len());
    file.read_exact_at(&mut head[..readable], at)?;
    let mut rest = &head[..readable];
    let bytes = varint::read(&mut rest).ok_or_else(truncated)?;
    let offset = at + (readable - rest.len()) as u64;
    let next = offset.checked_add(bytes).filter(|next| *next <= end).ok_or_else(truncated)?;
    let bytes = usize::try_from(bytes).ok().filter(|bytes| *bytes <= limit);
    let bytes = bytes.ok_or(CarError::BlockTooLarge { bytes: next - offset, limit_bytes: limit })?;
    Ok((Span { offset, bytes }, next))
}

#[cfg(test)]
mod tests;
