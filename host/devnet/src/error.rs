//! Errors of the network on one machine.

use std::{io, path::PathBuf};

use refiner_content::{KeepError, SetupError};
use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use refiner_specimen::{DecodeError, EncodeError};
use refiner_terminal::PrintError;
use refiner_text::OneLine;
use serde_json::Value;

/// Failures that end the network or its start.
#[derive(Debug, thiserror::Error)]
pub enum DevnetError {
    /// The node's program is nowhere.
    #[error("no anvil on PATH nor in target/node")]
    NoAnvil,
    /// A directory with the data of something else.
    #[error("{}: is not empty", OneLine(.directory.display()))]
    NotEmpty { directory: PathBuf },
    /// A process that cannot be started.
    #[error("{}: {source}", OneLine(.program.display()))]
    Start { program: PathBuf, source: io::Error },
    /// A process that ended by itself.
    #[error("{name} ended: {status}; its log is {}", OneLine(.log.display()))]
    Ended { name: &'static str, status: std::process::ExitStatus, log: PathBuf, is_kept: bool },
    /// A process that gives no sign of life.
    #[error("{name} did not answer within {seconds} s; its log is {}", OneLine(.log.display()))]
    Silent { name: &'static str, seconds: u64, log: PathBuf, is_kept: bool },
    /// The node is not reached.
    #[error("{method}: the node does not answer: {source}")]
    Node { method: &'static str, source: reqwest::Error },
    /// The node refuses.
    #[error("{method}: the node refuses: {}", OneLine(.error))]
    Refused { method: &'static str, error: Value },
    /// A transaction of the setup that failed or was not mined.
    #[error("a transaction of the setup failed: {}", OneLine(.receipt))]
    Setup { receipt: Value },
    /// The client of the content server.
    #[error(transparent)]
    Pinner(#[from] SetupError),
    /// A specimen that the content server did not take.
    #[error(transparent)]
    Keep(#[from] KeepError),
    /// A sample that is part of the program.
    #[error("a built-in sample cannot be read: {0}")]
    Sample(#[from] DecodeError),
    /// A sample with another number.
    #[error("a built-in sample cannot be written: {0}")]
    Numbered(#[from] EncodeError),
    /// The compiled contracts that are part of the program.
    #[error("the built-in contract {0} cannot be read")]
    Contract(&'static str),
    /// A report that could not be printed.
    #[error("cannot print: {0}")]
    Print(#[from] PrintError),
    /// Files, directories, sockets, signals or threads.
    #[error("the system gives no files, sockets, signals or threads: {0}")]
    System(#[source] io::Error),
}

impl Diagnostic for DevnetError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Print(error) => error.exit_code(),
            Self::Sample(_) | Self::Numbered(_) | Self::Contract(_) => ExitCode::Internal,
            Self::NotEmpty { .. } => ExitCode::Usage,
            Self::NoAnvil
            | Self::Start { .. }
            | Self::Ended { .. }
            | Self::Silent { .. }
            | Self::Node { .. }
            | Self::Refused { .. }
            | Self::Setup { .. }
            | Self::Pinner(_)
            | Self::Keep(_)
            | Self::System(_) => ExitCode::Host,
        }
    }

    fn hint(&self) -> Option<Hint> {
        match self {
            Self::NoAnvil => Some(
                "install it by `npm install --prefix target/node @foundry-rs/anvil@1.7.1`, or with Foundry, or name its program by --anvil"
                    .into(),
            ),
            Self::NotEmpty { .. } => Some("name a directory by --dir that is empty or not there".into()),
            Self::Ended { is_kept: false, .. } | Self::Silent { is_kept: false, .. } => {
                Some("give --dir to keep the log".into())
            }
            Self::Print(error) => error.hint(),
            Self::Ended { .. }
            | Self::Silent { .. }
            | Self::Start { .. }
            | Self::Node { .. }
            | Self::Refused { .. }
            | Self::Setup { .. }
            | Self::Pinner(_)
            | Self::Keep(_)
            | Self::Sample(_)
            | Self::Numbered(_)
            | Self::Contract(_)
            | Self::System(_) => None,
        }
    }
}
