//! A file put together from its blocks.

use std::collections::{HashMap, hash_map::Entry};

use bytes::{Bytes, BytesMut};

use crate::{
    Blocks, ContentId, NodeError,
    blocking::Interrupt,
    dag_pb::{self, FileNode},
    id::Codec,
};

/// Most levels of nodes. Four levels of our profile are 229 TB; profiles with few links and small chunks need more.
pub const DEPTH_MAX: usize = 16;
/// Most blocks visited. A file of [`CONTENT_BYTES_MAX`](crate::CONTENT_BYTES_MAX) in chunks of 256 bytes has that many leaves. A block
/// counts each time something links to it.
pub const NODES_MAX: usize = 1 << 18;
/// Most bytes of blocks that are read for each byte of a file, and beside them: 64 bytes for each of [`NODES_MAX`] links.
const BLOCK_BYTES_PER_BYTE: usize = 2;
const BLOCK_BYTES_BESIDE: usize = 16 << 20;

/// Reasons for which blocks do not make a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DagError {
    /// A block that something links to is not there.
    #[error("block {id} is missing")]
    Missing {
        /// Id of the block.
        id: ContentId,
    },
    /// A block is no node of a file.
    #[error("block {id}")]
    Node {
        /// Id of the block.
        id: ContentId,
        /// The fault of the block.
        source: NodeError,
    },
    /// A link to a block that no file is made of.
    #[error("block {id} is DAG-CBOR, which is no part of a file")]
    Codec {
        /// Id of the block.
        id: ContentId,
    },
    /// Nodes above nodes without end.
    #[error("the file's tree has more than {DEPTH_MAX} levels")]
    TooDeep,
    /// There are too many blocks.
    #[error("the file's tree has more than {NODES_MAX} blocks")]
    TooManyNodes,
    /// More bytes than allowed.
    #[error("the file has more than {limit_bytes} bytes")]
    TooLarge {
        /// The most bytes allowed.
        limit_bytes: usize,
    },
    /// Blocks with much beside the bytes of the file.
    #[error("more than {limit_bytes} bytes of blocks are read for the file, most of which are no part of it")]
    TooManyBlockBytes {
        /// The most bytes of blocks for a file of the size that is allowed.
        limit_bytes: usize,
    },
    /// The root states another size.
    #[error("the file has {got_bytes} bytes and its root states {stated_bytes}")]
    Size {
        /// Bytes that were put together.
        got_bytes: usize,
        /// Bytes the root states.
        stated_bytes: u64,
    },
    /// The work was given up, as its caller was gone.
    #[error("assembly was given up")]
    Interrupted,
}

impl DagError {
    /// Whether the fault is in the tree that the id names, and not in what was sent of it.
    #[must_use]
    pub const fn is_in_the_tree(&self) -> bool {
        !matches!(self, Self::Missing { .. } | Self::Interrupted)
    }
}

/// Puts the file `root` together. Every block of [`Blocks`] was checked, so the bytes are those that `root` names, whatever profile
/// made it. The work is bounded by the bytes of the blocks, by `limit_bytes` and by [`NODES_MAX`]: a block is parsed once, however often
/// something links to it, unless most of it are bytes of the file.
///
/// # Errors
///
/// [`DagError`]
pub fn assemble(root: &ContentId, blocks: &Blocks, limit_bytes: usize) -> Result<Bytes, DagError> {
    assemble_until(root, blocks, limit_bytes, &Interrupt::default())
}

/// The same, until it is interrupted.
pub(crate) fn assemble_until(
    root: &ContentId,
    blocks: &Blocks,
    limit_bytes: usize,
    interrupt: &Interrupt,
) -> Result<Bytes, DagError> {
    assemble_by(root, Extent::Whole { limit_bytes }, interrupt, |id| {
        blocks.get(id).cloned().ok_or(DagError::Missing { id: *id })
    })
}

/// The part of a file that is put together.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Extent {
    /// All of it, if it is not longer.
    Whole { limit_bytes: usize },
    /// Its beginning: at least so many bytes, and less than a block more.
    First { bytes: usize },
}

/// The same from wherever blocks come. Those that come are what their ids name.
pub(crate) fn assemble_by<E: From<DagError>>(
    root: &ContentId,
    extent: Extent,
    interrupt: &Interrupt,
    mut block: impl FnMut(&ContentId) -> Result<Bytes, E>,
) -> Result<Bytes, E> {
    let (Extent::Whole { limit_bytes: wanted } | Extent::First { bytes: wanted }) = extent;
    let block_bytes_max = wanted.saturating_mul(BLOCK_BYTES_PER_BYTE).saturating_add(BLOCK_BYTES_BESIDE);
    let mut file = BytesMut::new();
    let mut kept: HashMap<ContentId, FileNode> = HashMap::new();
    let (mut visited, mut block_bytes, mut stated) = (0, 0, None);
    let mut ahead = vec![(*root, 0)];
    while let Some((id, depth)) = ahead.pop() {
        visited += 1;
        if visited > NODES_MAX {
            return Err(DagError::TooManyNodes.into());
        }
        interrupt.check().map_err(|_| DagError::Interrupted)?;
        let once;
        let FileNode { inline, links, file_bytes } = match kept.entry(id) {
            Entry::Occupied(node) => &*node.into_mut(),
            Entry::Vacant(place) => {
                let block = block(&id)?;
                block_bytes += block.len();
                if block_bytes > block_bytes_max {
                    return Err(DagError::TooManyBlockBytes { limit_bytes: block_bytes_max }.into());
                }
                let node = read(id, &block)?;
                if is_read_again(&node, &block) {
                    once = node;
                    &once
                } else {
                    &*place.insert(node)
                }
            }
        };
        if depth == 0 {
            stated = *file_bytes;
        }
        match extent {
            Extent::Whole { limit_bytes } if inline.len() > limit_bytes - file.len() => {
                return Err(DagError::TooLarge { limit_bytes }.into());
            }
            Extent::First { bytes } if file.len() + inline.len() >= bytes => {
                file.extend_from_slice(inline);
                return Ok(file.freeze());
            }
            Extent::Whole { .. } | Extent::First { .. } => file.extend_from_slice(inline),
        }
        if !links.is_empty() && depth == DEPTH_MAX {
            return Err(DagError::TooDeep.into());
        }
        if links.len() + ahead.len() > NODES_MAX {
            return Err(DagError::TooManyNodes.into());
        }
        ahead.extend(links.iter().rev().map(|link| (*link, depth + 1)));
    }
    match stated {
        Some(stated_bytes) if stated_bytes != file.len() as u64 => {
            Err(DagError::Size { got_bytes: file.len(), stated_bytes }.into())
        }
        _ => Ok(file.freeze()),
    }
}

fn read(id: ContentId, block: &Bytes) -> Result<FileNode, DagError> {
    let mut node = match id.codec() {
        Codec::Raw => Ok(FileNode { inline: block.clone(), links: Vec::new(), file_bytes: None }),
        Codec::DagPb => dag_pb::read_file_node(block).map_err(|source| DagError::Node { id, source }),
        Codec::DagCbor => Err(DagError::Codec { id }),
    }?;
    if is_small_part(&node, block) {
        // The node is kept, and would keep all of its block.
        node.inline = Bytes::copy_from_slice(&node.inline);
    }
    Ok(node)
}

/// True for a node that is read again for each link to it: that costs no more than the bytes that it gives to the file each time, and kept it
/// would hold these bytes twice.
fn is_read_again(node: &FileNode, block: &Bytes) -> bool {
    node.links.is_empty() && !is_small_part(node, block)
}

/// True where less than half of a block is bytes of the file.
fn is_small_part(node: &FileNode, block: &Bytes) -> bool {
    node.inline.len() * 2 < block.len()
}
