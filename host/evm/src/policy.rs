//! Choices of the caller that can change a result, and therefore belong to the identity of a run.

use std::{fmt, str::FromStr};

use crate::basis::BasisPolicy;

/// Gas that the transactions of a block may really use, by default: over ten times what any public chain allows.
pub const DEFAULT_GAS_BOUND: u64 = 1_000_000_000;

/// The terms on which blocks are executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ExecutionPolicy {
    /// Whether senders are recovered from signatures.
    pub senders: SenderPolicy,
    /// The most gas that everything done for one block may use, precompiles weighted by their measured cost.
    pub gas_bound: u64,
    /// The bases that a canonical result may rest on.
    pub basis: BasisPolicy,
    /// True when an era's document is written of a block whose producer exported no state. The network's evm-server writes one,
    /// without receipts, as if no transaction had been valid.
    pub stateless_eras: bool,
}

/// The origin of the senders that a result states.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SenderPolicy {
    /// Recovered from the signatures and compared with what the specimen states.
    #[default]
    Recovered,
    /// Taken from the specimen without a check.
    Stated,
}

impl Default for ExecutionPolicy {
    fn default() -> Self {
        Self {
            senders: SenderPolicy::default(),
            gas_bound: DEFAULT_GAS_BOUND,
            basis: BasisPolicy::default(),
            stateless_eras: false,
        }
    }
}

impl SenderPolicy {
    /// Every policy.
    pub const ALL: [Self; 2] = [Self::Recovered, Self::Stated];

    /// The name on the command line and in reports, `"recovered"`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Recovered => "recovered",
            Self::Stated => "stated",
        }
    }
}

impl fmt::Display for SenderPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no sender policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected recovered or stated")]
pub struct UnknownSenderPolicy;

impl FromStr for SenderPolicy {
    type Err = UnknownSenderPolicy;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|policy| policy.as_str() == text).ok_or(UnknownSenderPolicy)
    }
}
