//! The outcome of a step, and the reasons for which there is none.

use crate::{
    announcement::{Announcement, BlockRef, Malformed},
    rpc::RpcError,
};

/// The outcome of one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScanStep {
    /// A range of blocks was read. Store the announcements together with the new cursor, push it to the checkpoints.
    Advanced(Scanned),
    /// The cursor's block is no longer of the chain. Forget what was announced above the ancestor, make it the cursor,
    /// rewind the checkpoints.
    Reorganised {
        /// The newest remembered block that still is of the chain.
        common_ancestor: BlockRef,
    },
    /// No confirmed block that is not scanned yet.
    UpToDate {
        /// The node's newest block. Below the cursor where the node lags behind.
        head: u64,
    },
    /// A node answered that lacks what another one has. The same step can be made again.
    Behind {
        /// The newest block, as last asked.
        head: u64,
        /// Scheme, host and port of the node.
        node: String,
        /// Number of the block.
        number: u64,
        /// What of the block is lacking.
        lack: Lack,
    },
}

/// What a node lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// The block.
    Block,
    /// The logs that the block's bloom may stand for.
    Logs,
}

/// A range of blocks that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scanned {
    /// In the order of the chain, those included that an earlier step had: [`first`](Self::first) may be before the cursor.
    pub announcements: Vec<Announcement>,
    /// Logs that are none.
    pub skipped: Skipped,
    /// The first block of the range.
    pub first: u64,
    /// The last block of the range: the new cursor. Where only old blocks were read again, the cursor as it was.
    pub cursor: BlockRef,
    /// The node's newest block, as last asked.
    pub head: u64,
    /// Logs that a node left out of its answer for the range and had when it was asked for their block.
    pub recovered: u64,
    /// Scheme, host and port of that node.
    pub node: String,
}

/// Logs that are no announcement for us, by kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Skipped {
    /// Of a source chain that is not asked for.
    pub other_chain: u64,
    /// Of before version 1.5.
    pub legacy: u64,
    /// Taken away by a reorganisation.
    pub removed: u64,
    /// Not what they claim to be: how many, and the first.
    pub malformed: u64,
    /// The fault of the first malformed one.
    pub first_malformed: Option<Malformed>,
}

/// The state of a scan, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScanProgress {
    /// Blocks that are asked for at once, as far as the provider allows.
    pub range_blocks: u64,
    /// The last block that is not read again. `None` before the first step.
    pub settled: Option<u64>,
    /// The provider's reason for the last shorter range.
    pub shortened_by: Option<String>,
}

/// Reasons for which a step was not made. The cursor stays where it is.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// The node could not be asked.
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// None of the remembered blocks is of the node's chain: another chain, or one that was started anew.
    #[error("none of the {remembered} remembered blocks up to {} is of the node's chain", cursor.number)]
    AnotherChain {
        /// Block of the cursor.
        cursor: BlockRef,
        /// The number of blocks that were tried.
        remembered: usize,
    },
    /// The chain moved while a range was read; the same step may be made again at once.
    #[error("block {number} changed while the range that ends with it was read")]
    Moved {
        /// The block that is not what it was.
        number: u64,
    },
    /// The node has no block that it must have.
    #[error("the node has no block {number}")]
    NoBlock {
        /// Number of the block.
        number: u64,
    },
    /// The node does not give the logs of a block.
    #[error("the node does not give the logs of block {number}, whose bloom may stand for an announcement")]
    NoLogs {
        /// Number of the block.
        number: u64,
    },
    /// A single block is too much for the provider.
    #[error("the logs of block {number} alone are refused")]
    BlockRefused {
        /// Number of the block.
        number: u64,
        /// The provider's answer.
        source: RpcError,
    },
}

impl ScanError {
    /// Whether the same step may succeed later by itself.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Rpc(error) | Self::BlockRefused { source: error, .. } => error.is_transient(),
            Self::Moved { .. } | Self::NoBlock { .. } | Self::NoLogs { .. } => true,
            Self::AnotherChain { .. } => false,
        }
    }

    /// The error of a reading of one block, in which no range is too long.
    pub(super) fn of_one_block(number: u64, source: RpcError) -> Self {
        if source.is_transient() { Self::Rpc(source) } else { Self::BlockRefused { number, source } }
    }
}
