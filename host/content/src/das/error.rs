//! Reasons for which blocks are no DAS content.

use super::layout::{BLOB_DATA_BYTES, CELLS, DATA_CELLS, LIST_BYTES_MAX, NODE_BYTES_MAX, ROOT_BYTES_MAX};
use crate::{CborError, ContentId, Excerpt};

/// A block of DAS content that does not fit, or blocks that are missing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DasError {
    /// A block is no DAG-CBOR of its form.
    #[error(transparent)]
    Cbor(#[from] CborError),
    /// A root that is longer than any of content within the limit.
    #[error("a root of {bytes} bytes; at most {ROOT_BYTES_MAX} are read")]
    RootTooLarge {
        /// Bytes of the block.
        bytes: usize,
    },
    /// A list of links that is longer than 128 links are.
    #[error("a list of {bytes} bytes; at most {LIST_BYTES_MAX} are read")]
    ListTooLarge {
        /// Bytes of the block.
        bytes: usize,
    },
    /// A node that is longer than one with all cells of a blob.
    #[error("a node of {bytes} bytes; at most {NODE_BYTES_MAX} are read")]
    NodeTooLarge {
        /// Bytes of the block.
        bytes: usize,
    },
    /// The root states more bytes than allowed.
    #[error("the root states {stated} bytes of content; at most {limit_bytes} are read")]
    Size {
        /// Bytes that the root states.
        stated: u64,
        /// The most bytes allowed.
        limit_bytes: usize,
    },
    /// The root has another number of links than its size has blobs.
    #[error("the root has {found} links; its size needs {expected}, one for {BLOB_DATA_BYTES} bytes")]
    Links {
        /// Links of the root.
        found: u64,
        /// Blobs of the stated size.
        expected: usize,
    },
    /// The root has another number of commitments than its size has blobs.
    #[error("the root has {found} commitments; its size needs {expected}, one for {BLOB_DATA_BYTES} bytes")]
    Commitments {
        /// Commitments of the root.
        found: u64,
        /// Blobs of the stated size.
        expected: usize,
    },
    /// A commitment that is no compressed point.
    #[error("the commitment of blob {blob} has {bytes} bytes; expected 48")]
    CommitmentBytes {
        /// Number of the blob.
        blob: usize,
        /// Bytes of the commitment.
        bytes: usize,
    },
    /// A number of nodes that does not divide the cells.
    #[error("the root states lists of {length} nodes; 1, 2, 4, 8, 16, 32, 64 and 128 are read")]
    Length {
        /// The number that the root states.
        length: u64,
    },
    /// A version that is not known.
    #[error("the root is of version {version}; v0.1.0 and v0.2.0 are read")]
    Version {
        /// The version that the root states.
        version: Excerpt,
    },
    /// A list has another number of links than the root states.
    #[error("a list of {found} links; the root states {expected}")]
    ListLinks {
        /// Links of the list.
        found: u64,
        /// Links that the root states.
        expected: usize,
    },
    /// The cells of a node have another length.
    #[error("a node with {bytes} bytes of cells; expected {expected}")]
    CellBytes {
        /// Bytes of the cells.
        bytes: usize,
        /// Bytes that so many cells have.
        expected: usize,
    },
    /// The proofs of a node have another length.
    #[error("a node with {bytes} bytes of proofs; expected {expected}")]
    ProofBytes {
        /// Bytes of the proofs.
        bytes: usize,
        /// Bytes that so many proofs have.
        expected: usize,
    },
    /// A field element of the data whose first byte is not 0.
    #[error("a field element of the data does not begin with 0")]
    Element,
    /// A field element that is not below the modulus, so that no cell is recovered from it.
    #[error("a field element that is not below the modulus of BLS12-381's scalar field")]
    NotInField,
    /// A block is not what its id names.
    #[error("a block is not what its id {id} names")]
    Mismatch {
        /// Id of the block.
        id: ContentId,
    },
    /// A block is longer than any of its place, so that it was not read.
    #[error("block {id} has more than {limit_bytes} bytes")]
    BlockTooLarge {
        /// Id of the block.
        id: ContentId,
        /// The most bytes that are read.
        limit_bytes: usize,
    },
    /// The root or a list of links was not found.
    #[error("block {id} is missing")]
    Missing {
        /// Id of the block.
        id: ContentId,
    },
    /// Fewer cells of a blob than it can be recovered from.
    #[error("{found} of the {CELLS} cells of blob {blob}; {DATA_CELLS} are needed")]
    TooFewCells {
        /// Number of the blob.
        blob: usize,
        /// Cells that were found.
        found: usize,
    },
    /// The recovered bytes, encoded again, have another id: the cells are not those of one polynomial.
    #[error("the bytes recovered from other cells do not have the id {id}")]
    Recovered {
        /// The id that was asked for.
        id: ContentId,
    },
    /// The work was given up, as its caller was gone.
    #[error("recovery was given up")]
    Interrupted,
}

impl DasError {
    /// Whether the fault is in what the id names, and not in what was sent of it.
    #[must_use]
    pub const fn is_in_the_tree(&self) -> bool {
        !matches!(
            self,
            Self::Missing { .. }
                | Self::TooFewCells { .. }
                | Self::Mismatch { .. }
                | Self::BlockTooLarge { .. }
                | Self::Interrupted
        )
    }
}
