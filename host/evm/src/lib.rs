//! Executes a block specimen and writes its block result.
//!
//! Comes in: a decoded [`Specimen`]. Goes out: an [`Execution`] (receipts, logs, header checks and the bytes of the
//! block result), or a typed reason why there is none. Never here: IO, async, a clock, a rule.

mod canonical;
mod chain;
mod code;
mod compat;
mod diagnosis;
mod embedded;
mod error;
mod execution;
mod format;
mod header_checks;
mod outcome;
mod prestate;
mod receipts;
mod requests;
mod rules;
mod runner;
mod transaction;

pub use chain::{BlobParams, ChainConfigError, ChainSpec, Chains};
pub use embedded::EmbeddedExecutor;
pub use error::{ExecuteError, Rejected, Unsupported};
pub use execution::{ExecutedLog, ExecutedReceipt, Execution};
pub use format::{Era, ResultFormat, UnknownFormat};
pub use receipts::{Commitments, commit as commit_receipts};

use refiner_specimen::Specimen;

/// Turns a specimen into an execution. Same input and format, same output, on every machine.
pub trait Executor: Send + Sync {
    /// Executes the block and writes its block result in `format`.
    fn execute(&self, specimen: &Specimen, format: ResultFormat) -> Result<Execution, ExecuteError>;
}
