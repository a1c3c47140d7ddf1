//! Errors of starting and using a chain for tests.

use std::{io, path::PathBuf};

use serde_json::Value;

/// Errors of starting and using a chain for tests.
#[derive(Debug, thiserror::Error)]
pub enum TestChainError {
    /// Neither the program nor npm to install it with.
    #[error(
        "{wanted} is not here and npm is missing; install it with `apt-get install nodejs npm`, or Foundry's anvil on PATH"
    )]
    NoNpm {
        /// Package that would have been installed.
        wanted: &'static str,
    },
    /// npm did not install it.
    #[error("`npm install --prefix target/node {package}` does not pass")]
    Npm {
        /// Name of the package.
        package: &'static str,
    },
    /// A tool that is neither here nor to be had from Debian.
    #[error(
        "{tool} is not here and `apt-get download {package}` does not pass; install Debian's package {package}, or put {tool} on PATH"
    )]
    Apt {
        /// Name of the program.
        tool: &'static str,
        /// Package that has it.
        package: &'static str,
    },
    /// A file or a program.
    #[error("{path}")]
    File {
        /// Path of the file or program.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// anvil stopped before it listened.
    #[error("anvil ended before it listened")]
    Ended,
    /// An artifact that is not the one we know.
    #[error("{path} has no {contract}")]
    Artifact {
        /// Path of the file.
        path: PathBuf,
        /// Name of the contract.
        contract: &'static str,
    },
    /// The node could not be asked.
    #[error("{method}")]
    Http {
        /// Method of the request.
        method: String,
        /// The HTTP client's error.
        source: reqwest::Error,
    },
    /// The node answered an error.
    #[error("{method}: {error}")]
    Refused {
        /// Method of the request.
        method: String,
        /// Error object of the answer.
        error: Value,
    },
    /// The node answered something else.
    #[error("{method} answered {answer}")]
    Answer {
        /// Method of the request.
        method: String,
        /// The answer of the node.
        answer: Value,
    },
    /// A transaction that was mined and failed.
    #[error("transaction {hash} was reverted")]
    Reverted {
        /// Hash of the transaction.
        hash: String,
    },
}
