//! The error of a whole command.

use std::fmt;

use refiner_text::indented;

use crate::{Diagnostic, ExitCode, chain::further_messages};

/// Any error with a [`Diagnostic`], as the result of a whole command.
///
/// Like `anyhow::Error`, it takes every error through `?` and is none itself; unlike it, the exit code is never searched for by type. An error
/// without a [`Diagnostic`] does not compile:
///
/// ```compile_fail,E0277
/// fn command() -> Result<(), refiner_diagnostics::Failure> {
///     Err(std::io::Error::other("which file?"))?
/// }
/// ```
#[derive(Debug)]
pub struct Failure(Box<dyn Diagnostic>);

impl Failure {
    /// The exit code of the command.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        self.0.exit_code()
    }

    /// The error itself.
    #[must_use]
    pub fn diagnostic(&self) -> &dyn Diagnostic {
        &*self.0
    }
}

impl<E: Diagnostic> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(Box::new(error))
    }
}

/// The report for a person: the headline, each cause and the hint, a line each. Further lines of one message are indented, so that none
/// reads as a line of the report.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", indented(&self.0.to_string()))?;
        further_messages(&*self.0).try_for_each(|cause| write!(f, "\n  because: {}", indented(&cause)))?;
        self.0.hint().map_or(Ok(()), |hint| write!(f, "\n  hint: {}", indented(&hint)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Hint;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot open {path}")]
    struct Outer {
        path: &'static str,
        source: std::io::Error,
    }

    impl Diagnostic for Outer {
        fn exit_code(&self) -> ExitCode {
            ExitCode::Host
        }

        fn hint(&self) -> Option<Hint> {
            Some("name another file".into())
        }
    }

    #[test]
    fn report_has_headline_causes_and_hint() {
        let failed = || -> Result<(), Failure> {
            Err(Outer { path: "a\nerror: forged", source: std::io::Error::other("the disk\u{1b}c is gone") })?
        };
        let failure = failed().unwrap_err();
        assert_eq!(failure.exit_code(), ExitCode::Host);
        let expected =
            "error: cannot open a\n      error: forged\n  because: the disk\\u{1b}c is gone\n  hint: name another file";
        assert_eq!(failure.to_string(), expected);
    }
}
