//! What is wrong with a configuration.

use std::{fmt, path::PathBuf};

use refiner_diagnostics::{Diagnostic, ExitCode, Hint};

/// Everything that is wrong with the configuration.
#[derive(Debug)]
pub struct ConfigError {
    /// At least one.
    pub problems: Vec<Problem>,
}

/// One thing that is wrong.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The file cannot be read.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// The file is no TOML.
    #[error("{path}: {source}")]
    Toml {
        /// Which.
        path: PathBuf,
        /// Where it stops to be.
        source: Box<toml::de::Error>,
    },
    /// A key that means nothing.
    #[error("{origin}: no such setting: {key}")]
    Unknown {
        /// Where it stands.
        origin: String,
        /// The key.
        key: String,
    },
    /// A value of another kind.
    #[error("{origin}: {key} must be {expected}")]
    Kind {
        /// Where it stands.
        origin: String,
        /// The key.
        key: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// A value that cannot be read.
    #[error("{key}: {value:?} is not {expected}")]
    Value {
        /// The setting.
        key: &'static str,
        /// What was given. Never a secret.
        value: String,
        /// What it should be.
        expected: &'static str,
    },
    /// A number out of its bounds.
    #[error("{key}: {value} is not between {least} and {most}")]
    Bounds {
        /// The setting.
        key: &'static str,
        /// What was given.
        value: u64,
        /// The least allowed.
        least: u64,
        /// The most allowed.
        most: u64,
    },
    /// Something that must be said.
    #[error("{key} is missing: {why}")]
    Missing {
        /// The setting.
        key: &'static str,
        /// What it is needed for, and where it can come from.
        why: &'static str,
    },
    /// A value under which no result may be proved.
    #[error("{key}: {value} is refused where results are proved; expected {expected}, or prove = \"none\"")]
    Proving {
        /// The setting.
        key: &'static str,
        /// What was given.
        value: String,
        /// The only value that can be proved under.
        expected: String,
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
