//! Exit codes and hints of errors, and the one printer of error chains.
//!
//! **Inputs** errors of any crate. **Outputs** their headline, causes and hint as text, and the exit code of the program.
//! **Invariants** an error type without a [`Diagnostic`] does not convert into a [`Failure`], so a command that returns one does not
//! compile; every text is escaped.
//!
//! ```
//! use std::{error::Error, fmt};
//!
//! use refiner_diagnostics::{Diagnostic, ExitCode, Failure, Hint};
//!
//! #[derive(Debug)]
//! struct NoKey;
//!
//! impl fmt::Display for NoKey {
//!     fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
//!         f.write_str("no key is configured")
//!     }
//! }
//!
//! impl Error for NoKey {}
//!
//! impl Diagnostic for NoKey {
//!     fn exit_code(&self) -> ExitCode {
//!         ExitCode::Usage
//!     }
//!
//!     fn hint(&self) -> Option<Hint> {
//!         Some("name a file by --key-file".into())
//!     }
//! }
//!
//! let failure = Failure::from(NoKey);
//! assert_eq!(failure.exit_code(), ExitCode::Usage);
//! assert!(failure.to_string().contains("no key is configured"));
//! ```

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
