//! Problems of a configuration.

use std::{fmt, path::PathBuf};

use refiner_diagnostics::{Diagnostic, ExitCode, Hint};

use crate::origin::Origin;

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
        /// Path of the file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The configuration file is not TOML.
    #[error("{}: not TOML: {}{}", path.display(), source.message(), Line(*line))]
    Toml {
        /// Path of the file.
        path: PathBuf,
        /// Line of the fault, from 1, where it is known.
        line: Option<usize>,
        /// The reason. Its text as a whole has the line itself, which may hold a credential.
        source: Box<toml::de::Error>,
    },
    /// A key of a file that is no setting.
    #[error("{}: no such setting: {key}", path.display())]
    Unknown {
        /// Path of the file.
        path: PathBuf,
        /// The key that was found.
        key: String,
    },
    /// A value of a file that is of another TOML type than the setting's.
    #[error("{}: {key}: expected {expected}", path.display())]
    Kind {
        /// Key of the setting concerned.
        key: &'static str,
        /// The form of its values.
        expected: &'static str,
        /// Path of the file.
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
        /// Key of the setting concerned.
        key: &'static str,
        /// The form of its values.
        expected: &'static str,
        /// The text; `…` for one that may carry a credential.
        found: String,
        /// Origin of the value.
        origin: Origin,
    },
    /// A key in the place of the path of its file.
    #[error("{key}: looks like a key, which is not shown; expected the path of the file that holds it ({origin})")]
    Key {
        /// Key of the setting concerned.
        key: &'static str,
        /// Origin of the value.
        origin: Origin,
    },
    /// A variable whose value is no text.
    #[error("{name}: its value is not UTF-8")]
    NotText {
        /// The variable.
        name: String,
    },
    /// A value out of its bounds.
    #[error("{key}: {found} is not between {least} and {most} ({origin})")]
    Bounds {
        /// Key of the setting concerned.
        key: &'static str,
        /// The text that was found.
        found: String,
        /// The least value.
        least: &'static str,
        /// The greatest value.
        most: &'static str,
        /// Origin of the value.
        origin: Origin,
    },
    /// Two names of one setting, both given in one place.
    #[error("{key} and {former} are one setting, and both are given ({origin})")]
    Twice {
        /// Key of the setting concerned.
        key: &'static str,
        /// Its former name.
        former: &'static str,
        /// Their origin.
        origin: Origin,
    },
    /// A setting without which the command cannot work.
    #[error("{key} is missing: {reason}")]
    Missing {
        /// Key of the setting concerned.
        key: &'static str,
        /// Its use, and the ways to give it.
        reason: &'static str,
    },
    /// A value under which no result may be proved.
    #[error("{key}: {found} is refused where results are proved; expected {wanted}, or prove = \"none\"")]
    Proving {
        /// Key of the setting concerned.
        key: &'static str,
        /// The value that was found.
        found: String,
        /// The values that are permitted.
        wanted: String,
    },
    /// A value that its user refuses.
    #[error("{key}: {source}")]
    Setting {
        /// Key of the setting concerned.
        key: &'static str,
        /// The reason that was given.
        source: Box<dyn std::error::Error + Send + Sync>,
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

struct Line(Option<usize>);

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |line| write!(f, " (line {line})"))
    }
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
