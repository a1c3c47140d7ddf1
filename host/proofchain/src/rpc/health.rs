//! The standing of a node: whether it may be asked, and why not.

use std::time::Duration;

use alloy_primitives::{Address, B256};
use reqwest::StatusCode;

use super::{Endpoint, RpcError};

/// Blocks by which a node may be behind the highest head that was seen. Blocks take a moment to reach every node.
pub(super) const BLOCKS_BEHIND: u64 = 2;

/// The reason for which a node is set aside.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetAside {
    /// It is of another chain.
    #[error("chain id mismatch: expected {expected}, found {found}")]
    OtherChain {
        /// The network's chain id.
        expected: u64,
        /// The node's.
        found: u64,
    },
    /// No contract at the address.
    #[error("no contract at {address}, the {role} contract's address")]
    NoContract {
        /// The address without code.
        address: Address,
        /// `specimen` or `result`.
        role: &'static str,
    },
    /// It has another block at a height that was scanned.
    #[error("block {number} mismatch: expected {expected}, found {found}")]
    OtherBlock {
        /// Number of the block.
        number: u64,
        /// The hash that was seen.
        expected: B256,
        /// The node's.
        found: B256,
    },
    /// Its head is below one that was seen.
    #[error("behind: its newest block is {head}, and block {seen} was seen")]
    Behind {
        /// The node's newest block.
        head: u64,
        /// The highest block that any node had.
        seen: u64,
    },
    /// Its head does not move while others' do.
    #[error("its newest block has been {head} for {for_s} s, and block {seen} was seen")]
    StandsStill {
        /// The node's newest block.
        head: u64,
        /// Seconds without a newer one.
        for_s: u64,
        /// The highest block that any node had.
        seen: u64,
    },
    /// It gives no usable answers.
    #[error(transparent)]
    Failed(#[from] NodeFailure),
}

/// A failure of a node, whatever it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NodeFailure {
    /// No connection, or it broke.
    #[error("unreachable")]
    Unreachable,
    /// The proxy before it failed.
    #[error("the proxy before it failed")]
    Proxy,
    /// Neither answered nor refused in time.
    #[error("no answer in time")]
    TimedOut,
    /// An answer that came too slowly.
    #[error("answers too slowly")]
    TooSlow,
    /// An HTTP status in place of an answer.
    #[error("HTTP {0}")]
    Status(StatusCode),
    /// Something else than JSON-RPC.
    #[error("answers with something else than JSON-RPC")]
    NotJsonRpc,
    /// It asks for fewer questions.
    #[error("limits the rate of requests")]
    RateLimit,
    /// It refuses what a check asks.
    #[error("refuses what a check asks")]
    Refused,
}

impl SetAside {
    /// Whether another chain answers, which only a person changes.
    pub fn is_identity(&self) -> bool {
        matches!(self, Self::OtherChain { .. } | Self::NoContract { .. } | Self::OtherBlock { .. })
    }

    /// Whether it is of the right chain and has not all of it.
    pub fn is_behind(&self) -> bool {
        matches!(self, Self::Behind { .. } | Self::StandsStill { .. })
    }
}

/// What an error means for the node that gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Consequence {
    /// None: the node answered.
    None,
    /// The method is asked elsewhere.
    MethodUnfit,
    /// The node is asked no more for a while. `reconnects` when another node may answer at its address afterwards.
    NodeFailed { failure: NodeFailure, reconnects: bool },
}

impl RpcError {
    /// What the error means for the node that gave it.
    pub(super) fn consequence(&self) -> Consequence {
        let failed = |failure, reconnects| Consequence::NodeFailed { failure, reconnects };
        match self {
            Self::Unreachable { .. } => failed(NodeFailure::Unreachable, true),
            Self::Proxy { .. } => failed(NodeFailure::Proxy, true),
            Self::TimedOut { .. } => failed(NodeFailure::TimedOut, true),
            Self::TooSlow { .. } => failed(NodeFailure::TooSlow, true),
            Self::Status { status, .. } => {
                let same = matches!(*status, StatusCode::TOO_MANY_REQUESTS | StatusCode::INTERNAL_SERVER_ERROR);
                failed(NodeFailure::Status(*status), !same)
            }
            Self::Malformed { envelope: false, .. } => Consequence::MethodUnfit,
            Self::Malformed { envelope: true, .. } => failed(NodeFailure::NotJsonRpc, true),
            Self::Refused { refusal, .. } if refusal.is_rate_limit() => failed(NodeFailure::RateLimit, false),
            Self::Refused { refusal, .. } if refusal.is_unknown_method() => Consequence::MethodUnfit,
            Self::Refused { .. }
            | Self::NoEndpoint
            | Self::Client(_)
            | Self::TooLarge { .. }
            | Self::SetAside { .. }
            | Self::Later { .. }
            | Self::NoOther
            | Self::Abi { .. } => Consequence::None,
        }
    }

    /// Whether the node failed, whatever the question was.
    pub(super) fn fails_node(&self) -> bool {
        matches!(self.consequence(), Consequence::NodeFailed { .. })
    }
}

/// A node as a person may see it.
#[derive(Clone, Debug)]
pub struct NodeReport {
    /// Address of the node, without what it hides.
    pub endpoint: Endpoint,
    /// Whether it was checked since it was last connected.
    pub checked: bool,
    /// The reason for which it is not asked.
    pub set_aside: Option<SetAside>,
    /// Time since that changed last.
    pub unchanged_for: Duration,
    /// Its newest block, as last seen.
    pub head: Option<u64>,
    /// Age of that block by our clock, when it was seen.
    pub head_age: Option<Duration>,
    /// The time for which it asked not to be asked.
    pub wait: Option<Duration>,
}
