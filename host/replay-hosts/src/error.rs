//! Reasons for which a replay has no worker hosts.

use std::{io, path::PathBuf};

use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use refiner_listener::BindError;
use refiner_queue::QueueError;

/// Reasons for which a replay has no worker hosts.
#[derive(Debug, thiserror::Error)]
pub enum ReplayHostsError {
    /// Results of hosts become a data set, which has a directory.
    #[error("--queue needs the directory of a data set (--out)")]
    NoDirectory,
    /// Hosts execute blocks by the program alone.
    #[error("--queue needs --evm embedded: worker hosts execute blocks themselves")]
    OtherExecutor,
    /// Results of no host would be fetched.
    #[error("--queue needs --host-origin: results are fetched from worker hosts that are permitted")]
    NoHostOrigin,
    /// The file with the queue's id.
    #[error("cannot read or write {}", path.display())]
    QueueFile {
        /// Path of the file.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// The file with the queue's id has something else.
    #[error("{}: expected the 12 hexadecimal digits of a queue", path.display())]
    NoQueueId {
        /// Path of the file.
        path: PathBuf,
    },
    /// The address that hosts fetch from.
    #[error("specimens and rules cannot be served: {0}")]
    Serve(#[from] BindError),
    /// The way to NATS.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The runtime.
    #[error("the system gives no threads")]
    Runtime(#[source] io::Error),
}

impl Diagnostic for ReplayHostsError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::NoDirectory | Self::OtherExecutor | Self::NoHostOrigin => ExitCode::Usage,
            Self::NoQueueId { .. } => ExitCode::Refused,
            Self::QueueFile { .. } | Self::Runtime(_) => ExitCode::Host,
            Self::Serve(error) => error.exit_code(),
            Self::Queue(error) => error.exit_code(),
        }
    }

    fn hint(&self) -> Option<Hint> {
        match self {
            Self::NoHostOrigin => {
                Some("name the hosts: --host-origin http://host:5090, or a network such as 10.0.0.0/16".into())
            }
            Self::NoQueueId { .. } => {
                Some("remove the file: a new queue is made, and what is in the data set stays".into())
            }
            Self::Serve(BindError::NotLoopback { .. }) => {
                Some("permit it with --allow-remote-content; what is served is read-only".into())
            }
            Self::NoDirectory | Self::OtherExecutor | Self::QueueFile { .. } | Self::Runtime(_) | Self::Serve(_) => {
                None
            }
            Self::Queue(error) => error.hint(),
        }
    }
}
