//! Errors of the infrastructure that executes a block, never of the block.

use std::error::Error;

use crate::{format::ResultFormat, interrupt::Interrupted, remote::UnverifiedAnswer};

/// The executor was unavailable, or its answer could not be verified. No property of the block: worth another try, and never
/// a verdict.
#[derive(Debug, thiserror::Error)]
pub enum Unavailable {
    /// The evm-server gave no answer that could be one.
    #[error("no answer from the evm-server")]
    Server(#[source] Box<dyn Error + Send + Sync>),
    /// The evm-server's answer is wrong.
    #[error("the evm-server's answer is not believed")]
    Disbelieved(#[from] UnverifiedAnswer),
    /// Execution took longer than any block should.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    /// No evm-server writes this format.
    #[error("an evm-server writes no {format} result: ask for evm-server@a to evm-server@e, or execute embedded")]
    Format {
        /// The format asked for.
        format: ResultFormat,
    },
    /// The two executors differ, and the operator wants to see that first.
    #[error("the embedded executor and the evm-server give different results in {format}, and differences are held")]
    Held {
        /// The format asked for.
        format: ResultFormat,
    },
}
