//! Rules that are ready to run: compiled in a child process, and run in workers or in this process.
//!
//! * **Inputs**: components that were found, and the terms on which they run.
//! * **Outputs**: [`LoadedRule`]s of which each gives a block's run, and a [`Session`] for single ones.
//! * **Invariants**: a rule that is not built in is compiled in a child process; where it runs does not change its result.

mod admit;
pub mod checks;
mod error;
mod load;
mod process;
mod session;
pub mod shown;

pub use self::{
    error::PrepareError,
    load::{LoadError, LoadedRule, Terms, load},
    process::{Block, NoRun, RuleProcess},
    session::{Prepared, Session, SessionError},
};
