//! Rules that are ready to run: compiled in a child process, and run in workers or in this process.
//!
//! * **Inputs**: components that were found, and the terms on which they run.
//! * **Outputs**: [`LoadedRule`]s of which each gives a block's run, and a [`Session`] for single ones.
//! * **Invariants**: a rule that is not built in is compiled in a child process; where it runs does not change its result.
//!
//! ```no_run
//! use std::num::NonZeroUsize;
//!
//! use refiner_evm::ExecutionPolicy;
//! use refiner_executor::chains::ConfiguredChains;
//! use refiner_rule_package::{Allowance, Sources};
//! use refiner_rule_session::Session;
//!
//! fn is_ready(rule: &str) -> Result<bool, Box<dyn std::error::Error>> {
//!     let (chains, policy) = (ConfiguredChains::default(), ExecutionPolicy::default());
//!     let session = Session::begin(&chains, policy, Allowance::of_author(), NonZeroUsize::MIN)?;
//!     let found = Sources::default().find(rule)?;
//!     Ok(found.into_iter().all(|found| session.prepare(found).is_ok()))
//! }
//! ```

mod admit;
pub mod checks;
mod error;
mod load;
mod parameters;
mod process;
mod session;
pub mod shown;

pub use self::{
    error::PrepareError,
    load::{LoadError, LoadedRule, Terms, load},
    process::{Block, NoRun, RuleProcess},
    session::{Prepared, Session},
};
