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
/// made it. Each block is parsed once, however often something links to it, so that the work is bounded by the bytes of the blocks and by
/// [`NODES_MAX`].
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
    let mut file = BytesMut::new();
    let mut parsed = HashMap::new();
    let mut visited = 0;
    let mut ahead = vec![(*root, 0)];
    while let Some((id, depth)) = ahead.pop() {
        visited += 1;
        if visited > NODES_MAX {
            return Err(DagError::TooManyNodes.into());
        }
        interrupt.check().map_err(|_| DagError::Interrupted)?;
        let FileNode { inline, links, .. } = match parsed.entry(id) {
            Entry::Occupied(node) => &*node.into_mut(),
            Entry::Vacant(place) => &*place.insert(read(id, block(&id)?)?),
        };
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
    match parsed.get(root).and_then(|root| root.file_bytes) {
        Some(stated_bytes) if stated_bytes != file.len() as u64 => {
            Err(DagError::Size { got_bytes: file.len(), stated_bytes }.into())
        }
        _ => Ok(file.freeze()),
    }
}

fn read(id: ContentId, block: Bytes) -> Result<FileNode, DagError> {
    match id.codec() {
        Codec::Raw => Ok(FileNode { inline: block, links: Vec::new(), file_bytes: None }),
        Codec::DagPb => dag_pb::read_file_node(&block).map_err(|source| DagError::Node { id, source }),
        Codec::DagCbor => Err(DagError::Codec { id }),
    }
}
