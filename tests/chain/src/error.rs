//! Why there is no chain to test against.

use std::{io, path::PathBuf};

use serde_json::Value;

/// Why there is no chain, or why it did not do what it was told.
#[derive(Debug, thiserror::Error)]
pub enum TestChainError {
    /// Neither the program nor npm to install it with.
    #[error(
        "{wanted} is not here and npm is missing; install it with `apt-get install nodejs npm`, or Foundry's anvil on PATH"
    )]
    NoNpm {
        /// What would have been installed.
        wanted: &'static str,
    },
    /// npm did not install it.
    #[error("`npm install --prefix target/node {package}` does not pass")]
    Npm {
        /// Which package.
        package: &'static str,
    },
    /// A file or a program.
    #[error("{path}")]
    File {
        /// Which one.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// anvil stopped before it listened.
    #[error("anvil ended before it listened")]
    Ended,
    /// An artifact that is not the one we know.
    #[error("{path} has no {contract}")]
    Artifact {
        /// Which file.
        path: PathBuf,
        /// Which contract.
        contract: &'static str,
    },
    /// The node could not be asked.
    #[error("{method}")]
    Http {
        /// What was asked.
        method: String,
        /// What the HTTP client says.
        source: reqwest::Error,
    },
    /// The node said no.
    #[error("{method}: {error}")]
    Refused {
        /// What was asked.
        method: String,
        /// What it said.
        error: Value,
    },
    /// The node answered something else.
    #[error("{method} answered {answer}")]
    Answer {
        /// What was asked.
        method: String,
        /// What it said.
        answer: Value,
    },
    /// A transaction that was mined and failed.
    #[error("transaction {hash} was reverted")]
    Reverted {
        /// Which one.
        hash: String,
    },
}
