//! Executes a block specimen and writes its block result.
//!
//! * **Inputs**: a decoded [`Specimen`].
//! * **Outputs**: an [`Execution`] (receipts, logs, header checks and the bytes of the block result), or a typed
//!   reason for having none.
//! * **Invariants**: no IO, async, clock or rule.
//!
//! ```no_run
//! use refiner_evm::{Chains, EmbeddedExecutor, ResultFormat};
//!
//! fn block_result(bytes: &[u8]) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
//!     let specimen = refiner_specimen::decode(bytes)?;
//!     let executor = EmbeddedExecutor::new(Chains::default());
//!     let execution = executor.execute(&specimen, ResultFormat::Canonical)?;
//!     Ok(execution.block_result(&specimen)?.to_vec())
//! }
//! ```

mod basis;
mod blob_price;
mod canonical;
mod chain;
mod code;
mod code_use;
mod compat;
mod dao;
mod diagnosis;
mod embedded;
mod error;
mod execution;
mod fork_profile;
mod format;
pub mod gate;
mod header_checks;
mod interrupt;
mod journal;
mod meter;
mod not_carried;
mod outcome;
mod policy;
mod prestate;
mod receipts;
mod recording;
mod remote;
mod repair;
mod requests;
mod runner;
mod sale;
mod shared;
mod transaction;
mod unavailable;
mod what_if;

pub use basis::{Basis, BasisPolicy, UnknownBasisPolicy};
pub use chain::{BlobParams, ChainConfigError, ChainSpec, Chains};
pub use code_use::CodeUse;
pub use embedded::EmbeddedExecutor;
pub use error::{ExecuteError, MissingCode, Rejected, Resource, Unsupported};
pub use execution::{ExecutedLog, ExecutedReceipt, Execution};
pub use format::{Era, ResultFormat, UnknownFormat};
pub use interrupt::{Interrupt, Interrupted, PROCESSOR_TIME_LIMIT, ProcessorDeadline, Uninterrupted};
pub use policy::{DEFAULT_GAS_BOUND, ExecutionPolicy, SenderPolicy, UnknownSenderPolicy};
pub use receipts::{Commitments, commit as commit_receipts};
pub use recording::{
    Access, AccountChange, AccountValue, Frame, Frames, GasItem, RECORDING_REVISION, RecordingTerms, Recordings,
    SlotChange, StateStep, Step, Steps, gas_kind,
};
pub use remote::{
    Answer, CrossCheckExecutor, Difference, ExecutedBy, ExecutionTerms, OnDifference, Remote, RemoteServer,
    UnknownPolicy, UnverifiedAnswer,
};
pub use repair::{Supplied, SupplySource};
pub use shared::SharedExecutor;
pub use unavailable::Unavailable;
pub use what_if::{
    AccountOverride, Departure, Exclusion, InvalidOverrides, Overrides, StateItem, WHAT_IF_REVISION, WhatIf,
    WhatIfBasis, WhatIfError,
};

use std::sync::Arc;

use alloy_primitives::Bytes;
use refiner_specimen::{Specimen, check::Check};

/// Turns a specimen into an execution. Same input and format, same output, on every machine that gives any.
pub trait Executor: Send + Sync {
    /// Every check of the specimen that needs no execution, but for that of the senders. No rule sees a specimen that fails one.
    fn checks(&self, specimen: &Specimen) -> Vec<Check>;

    /// The check of the stated senders, which no execution needs and which costs more than all others together: made only for a rule
    /// that reads them.
    fn senders(&self, specimen: &Specimen) -> Check;

    /// Executes the block and writes its block result in `format`. `raw` are the bytes that `specimen` was decoded from.
    ///
    /// # Errors
    /// The inner error is a property of the specimen. The outer one is none: the executor was unavailable.
    fn execute(
        &self,
        specimen: &Specimen,
        raw: &Bytes,
        format: ResultFormat,
    ) -> Result<Result<Execution, ExecuteError>, Unavailable>;

    /// Executes the block in the canonical format and records it. An executor that records nothing gives an execution without
    /// recordings.
    ///
    /// # Errors
    /// Those of [`execute`](Self::execute).
    fn record(
        &self,
        specimen: &Specimen,
        raw: &Bytes,
        _terms: RecordingTerms,
    ) -> Result<Result<Execution, ExecuteError>, Unavailable> {
        self.execute(specimen, raw, ResultFormat::Canonical)
    }

    /// Executes the block to learn what is known of its state beyond the specimen, for [`what_if`](Self::what_if).
    ///
    /// # Errors
    /// Those of [`execute`](Self::execute), and [`WhatIfError::Executor`] of one that executes under no other conditions.
    fn what_if_basis(&self, _specimen: &Specimen) -> Result<Result<Arc<WhatIfBasis>, WhatIfError>, Unavailable> {
        Ok(Err(WhatIfError::Executor))
    }

    /// Executes the block under other conditions than its own. `basis` is that of the specimen.
    ///
    /// # Errors
    /// The inner error is a property of specimen and overrides. The outer one is none: the executor was unavailable.
    fn what_if(
        &self,
        _specimen: &Specimen,
        _basis: &WhatIfBasis,
        _overrides: &Overrides,
        _recording: Option<RecordingTerms>,
    ) -> Result<Result<WhatIf, WhatIfError>, Unavailable> {
        Ok(Err(WhatIfError::Executor))
    }

    /// The receipts that the specimen carries, with the checks that prove them; `None` where they are not proven without an
    /// execution, or the executor's terms ask for one.
    fn recorded_receipts(&self, _specimen: &Specimen) -> Option<Execution> {
        None
    }
}
