//! Errors of `refiner key`.

use std::io;

use refiner_config::ConfigError;
use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use refiner_proofchain::KeyError;

/// Reasons for which a key cannot be made, imported or named. None holds a part of a key or a password.
#[derive(Debug, thiserror::Error)]
pub enum KeyCommandError {
    /// The key or its file.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The settings.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A key in place of a file's name.
    #[error(
        "a key on the command line, where every process of this machine can read it, expected the name of a keystore"
    )]
    KeyOnCommandLine,
    /// No password file and no terminal.
    #[error("no terminal to ask for {what}")]
    NoTerminal {
        /// The thing to ask for.
        what: &'static str,
        /// The setting that makes the question needless.
        flag: &'static str,
        /// The system's reason.
        source: io::Error,
    },
    /// An empty password.
    #[error("the password is empty")]
    EmptyPassword,
    /// Two passwords that differ.
    #[error("the two passwords differ")]
    PasswordsDiffer,
}

impl Diagnostic for KeyCommandError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Key(error) => error.exit_code(),
            Self::Config(error) => error.exit_code(),
            Self::KeyOnCommandLine | Self::NoTerminal { .. } | Self::EmptyPassword | Self::PasswordsDiffer => {
                ExitCode::Usage
            }
        }
    }

    fn hint(&self) -> Option<Hint> {
        match self {
            Self::Key(error) => error.hint(),
            Self::Config(error) => error.hint(),
            Self::KeyOnCommandLine => {
                Some("the key is in the shell's history now; give it by --key-file, or type it when asked".into())
            }
            Self::NoTerminal { flag, .. } => Some(format!("name a file of mode 600 by {flag}").into()),
            Self::EmptyPassword | Self::PasswordsDiffer => None,
        }
    }
}
