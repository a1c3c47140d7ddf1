//! Problems of a configuration.

use std::{fmt, path::PathBuf};

use refiner_diagnostics::{Diagnostic, ExitCode, Hint};

use crate::values::Origin;

/// Everything that is wrong with the configuration of a command.
#[derive(Debug)]
pub struct ConfigError {
    /// At least one.
    pub problems: Vec<Problem>,
}

/// One thing that is wrong.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The configuration file cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    File {
        /// Its path.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The configuration file is not TOML.
    #[error("{}: not TOML: {source}", path.display())]
    Toml {
        /// Its path.
        path: PathBuf,
        /// The place and the reason.
        source: Box<toml::de::Error>,
    },
    /// A key of a file that is no setting.
    #[error("{}: no such setting: {key}", path.display())]
    Unknown {
        /// The file.
        path: PathBuf,
        /// The key.
        key: String,
    },
    /// A value of a file that is of another TOML type than the setting's.
    #[error("{}: {key}: expected {expected}", path.display())]
    Kind {
        /// The setting.
        key: &'static str,
        /// The form of its values.
        expected: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// A variable that no setting has, beside one that a setting has.
    #[error("{name}: no such setting; did you mean {meant}?")]
    Misspelled {
        /// The variable.
        name: String,
        /// The known one.
        meant: String,
    },
    /// A value of another form than the setting's.
    #[error("{key}: expected {expected}, found {found:?} ({origin})")]
    Value {
        /// The setting.
        key: &'static str,
        /// The form of its values.
        expected: &'static str,
        /// The text; `…` for one that may carry a credential.
        found: String,
        /// Its origin.
        origin: Origin,
    },
    /// A value out of its bounds.
    #[error("{key}: {found} is not between {least} and {most} ({origin})")]
    Bounds {
        /// The setting.
        key: &'static str,
        /// The text.
        found: String,
        /// The least value.
        least: &'static str,
        /// The greatest value.
        most: &'static str,
        /// Its origin.
        origin: Origin,
    },
    /// Two names of one setting, both given in one place.
    #[error("{key} and {former} are one setting, and both are given ({origin})")]
    Twice {
        /// The setting.
        key: &'static str,
        /// Its former name.
        former: &'static str,
        /// Their origin.
        origin: Origin,
    },
    /// A setting without which the command cannot work.
    #[error("{key} is missing: {reason}")]
    Missing {
        /// The setting.
        key: &'static str,
        /// Its use, and the ways to give it.
        reason: &'static str,
    },
    /// A value under which no result may be proved.
    #[error("{key}: {found} is refused where results are proved; expected {wanted}, or prove = \"none\"")]
    Proving {
        /// The setting.
        key: &'static str,
        /// The value.
        found: String,
        /// The values that are permitted.
        wanted: String,
    },
    /// Two settings that exclude each other.
    #[error("{one} and {other} cannot both be given")]
    Conflict {
        /// The first.
        one: &'static str,
        /// The second.
        other: &'static str,
    },
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.as_slice() {
            [only] => write!(f, "the configuration is wrong: {only}"),
            several => {
                write!(f, "the configuration has {} problems:", several.len())?;
                several.iter().try_for_each(|problem| write!(f, "\n  - {problem}"))
            }
        }
    }
}

impl std::error::Error for ConfigError {}

impl Diagnostic for ConfigError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }

    fn hint(&self) -> Option<Hint> {
        None
    }
}
