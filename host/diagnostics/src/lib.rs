//! Exit codes and hints of errors, and the one printer of error chains.
//!
//! **Inputs** errors of any crate. **Outputs** their headline, causes and hint as text, and the exit code of the program.
//! **Invariants** an error type without a [`Diagnostic`] does not convert into a [`Failure`], so a command that returns one does not
//! compile; every text is escaped.

mod chain;
mod diagnostic;
mod exit_code;
mod failure;

pub use self::{
    chain::{ErrorChain, causes},
    diagnostic::{Diagnostic, Hint},
    exit_code::ExitCode,
    failure::Failure,
};
