//! Choices of the caller that can change a result, and therefore belong to the identity of a run.

/// Gas that the transactions of a block may really use, by default: over ten times what any public chain allows.
pub const DEFAULT_GAS_BOUND: u64 = 1_000_000_000;

/// The terms on which blocks are executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ExecutionPolicy {
    /// Whether senders are recovered from signatures.
    pub senders: SenderPolicy,
    /// The most gas that everything done for one block may use, precompiles weighted by their measured cost.
    pub gas_bound: u64,
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
        Self { senders: SenderPolicy::default(), gas_bound: DEFAULT_GAS_BOUND }
    }
}
