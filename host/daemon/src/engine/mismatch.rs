//! A specimen that contradicts its announcement.

use refiner_specimen::check::Check;

/// A specimen of something else than was announced.
#[derive(Debug, thiserror::Error)]
pub enum Mismatch {
    /// Another chain.
    #[error("announced for chain {announced}, the specimen is of chain {found}")]
    Chain {
        /// Value in the announcement on chain.
        announced: u64,
        /// Value in the specimen itself.
        found: u64,
    },
    /// Another height.
    #[error("announced for height {announced}, the specimen is of height {found}")]
    Height {
        /// Value in the announcement on chain.
        announced: u64,
        /// Value in the specimen itself.
        found: u64,
    },
    /// Another block.
    #[error("announced for another block: {0}")]
    Block(Box<Check>),
    /// A header that is not the block's.
    #[error("the block contradicts itself: {0}")]
    Header(Box<Check>),
}
