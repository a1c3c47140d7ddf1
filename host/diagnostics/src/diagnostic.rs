//! The meaning of an error for the person in front of the program.

use std::{borrow::Cow, error::Error};

use crate::ExitCode;

/// Advice that follows an error.
pub type Hint = Cow<'static, str>;

/// An error that a command can end with.
///
/// It is implemented beside each error type, by matches without a wildcard, so that a new variant does not compile before its code and
/// hint are decided.
pub trait Diagnostic: Error + Send + Sync + 'static {
    /// The exit code of a command that ends with this error. [`ExitCode::Done`] marks an end that is no failure and is not reported,
    /// such as a reader that closed our output.
    fn exit_code(&self) -> ExitCode;

    /// A remedy, where one is known.
    fn hint(&self) -> Option<Hint>;
}
