//! Reasons for which the queue cannot be used.

use std::{error::Error, io, path::PathBuf};

use async_nats::ConnectErrorKind;
use refiner_content::OpenError;
use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use refiner_listener::BindError;
use refiner_rule_package::AllowanceError;
use refiner_text::UntrustedText;
use refiner_worker::{CacheError, PoolError};

use crate::{
    message::MessageError,
    names::{NameError, QueueId},
    origins::OriginError,
};

/// Reasons for which the queue cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// No address of a NATS server. It may carry credentials, and is not shown.
    #[error("--queue: expected the address of a NATS server such as nats://127.0.0.1:4222 or tls://nats.example:4222")]
    Address,
    /// Addresses with different credentials, which are not shown.
    #[error("--queue: the addresses have different credentials, expected the same in each, or in one alone")]
    Credentials,
    /// A command that needs a queue was given none.
    #[error("no NATS server is named")]
    NoServer,
    /// The file with a seed cannot be read.
    #[error("cannot read the nkey seed in {}", path.display())]
    Seed {
        /// Path of the file.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// The file with a seed is readable by others.
    #[error("{} has mode {mode:o}, and a seed is for its owner alone", path.display())]
    SeedIsShared {
        /// Path of the file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The file has no seed of a user.
    #[error("{} has no seed of a user (expected a line that begins with SU)", path.display())]
    NoSeed {
        /// Path of the file.
        path: PathBuf,
    },
    /// The client cannot begin to connect.
    #[error("cannot connect to NATS")]
    Connect(#[source] async_nats::ConnectError),
    /// The server takes only shorter messages.
    #[error("the NATS server takes messages of {found} bytes (max_payload), expected at least {expected}")]
    Payload {
        /// The bound that the server states.
        found: usize,
        /// The longest message with its headers.
        expected: usize,
    },
    /// JetStream did not do what was asked of it.
    #[error("NATS: {doing} failed")]
    JetStream {
        /// The request that was made.
        doing: &'static str,
        /// The error of the client.
        source: Box<dyn Error + Send + Sync>,
    },
    /// A stream or consumer is there with other settings.
    #[error("{name} has {setting} {found}, expected {expected}")]
    Differs {
        /// The stream, bucket or consumer.
        name: UntrustedText,
        /// The setting that differs.
        setting: &'static str,
        /// Its value there.
        found: UntrustedText,
        /// Our value.
        expected: UntrustedText,
    },
    /// Another coordinator is at work.
    #[error("another coordinator holds the queue {queue}: {by}, since {since}")]
    Held {
        /// Id of the queue.
        queue: QueueId,
        /// Host and process.
        by: UntrustedText,
        /// In the words of its clock.
        since: UntrustedText,
    },
    /// Another coordinator took over.
    #[error("the queue {queue} was taken over by another coordinator")]
    Lost {
        /// Id of the queue.
        queue: QueueId,
    },
    /// Several queues on one server.
    #[error("the NATS server has several queues: {}", Ids(.have))]
    Several {
        /// Ids of the queues that are there.
        have: Vec<QueueId>,
    },
    /// A name that is none.
    #[error("{setting}: {source}")]
    Name {
        /// Name of the setting.
        setting: &'static str,
        /// The form that is expected.
        source: NameError,
    },
    /// An entry of an allow-list that is none.
    #[error("{setting}: {source}")]
    Origin {
        /// Name of the setting.
        setting: &'static str,
        /// The form that is expected.
        source: OriginError,
    },
    /// Nowhere to fetch from.
    #[error("no origin of specimens and rules is named")]
    NoOrigin,
    /// A host that would do nothing.
    #[error("--workers 0: a worker host does nothing without workers, expected at least 1")]
    NoWorkers,
    /// A message of our own out of its bounds.
    #[error("cannot be published")]
    Message(#[source] Box<dyn Error + Send + Sync>),
    /// The content store.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The cache of compiled rules.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// The workers.
    #[error(transparent)]
    Pool(#[from] PoolError),
    /// Terms of the operator that cannot hold.
    #[error(transparent)]
    Allowance(#[from] AllowanceError),
    /// The address that a worker host serves artifacts at.
    #[error("cannot serve artifacts: {0}")]
    Serve(#[from] BindError),
    /// A chain configuration cannot be read.
    #[error("cannot read the chain config {}", path.display())]
    Chain {
        /// Path of the file.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// The runtime or its signals.
    #[error("the system gives no threads or signals")]
    Runtime(#[from] io::Error),
}

struct Ids<'a>(&'a [QueueId]);

impl std::fmt::Display for Ids<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, id) in self.0.iter().enumerate() {
            write!(f, "{}{id}", if index == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

impl From<MessageError> for QueueError {
    fn from(error: MessageError) -> Self {
        Self::Message(Box::new(error))
    }
}

impl QueueError {
    /// An error of the NATS client in one request.
    pub(crate) fn of<E: Error + Send + Sync + 'static>(doing: &'static str) -> impl FnOnce(E) -> Self {
        move |source| Self::JetStream { doing, source: Box::new(source) }
    }

    /// True where the same may succeed a moment later, as through an election.
    pub(crate) const fn is_passing(&self) -> bool {
        matches!(self, Self::JetStream { .. } | Self::Connect(_))
    }
}

impl Diagnostic for QueueError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Address
            | Self::Credentials
            | Self::NoServer
            | Self::Name { .. }
            | Self::Origin { .. }
            | Self::NoOrigin
            | Self::NoWorkers
            | Self::Several { .. } => ExitCode::Usage,
            Self::Seed { .. }
            | Self::SeedIsShared { .. }
            | Self::NoSeed { .. }
            | Self::Chain { .. }
            | Self::Payload { .. }
            | Self::Differs { .. }
            | Self::Held { .. } => ExitCode::Refused,
            Self::Connect(_) | Self::JetStream { .. } | Self::Lost { .. } | Self::Message(_) | Self::Runtime(_) => {
                ExitCode::Host
            }
            Self::Store(error) => error.exit_code(),
            Self::Cache(error) => error.exit_code(),
            Self::Pool(error) => error.exit_code(),
            Self::Allowance(error) => error.exit_code(),
            Self::Serve(error) => error.exit_code(),
        }
    }

    fn hint(&self) -> Option<Hint> {
        match self {
            Self::NoServer => Some("name one by --queue or REFINER_QUEUE".into()),
            Self::Connect(error) if is_of_user(error) => Some(
                "name the user that the servers know: by --queue-nkey, or in --queue as nats://user:password@host (a token as nats://token@host), percent-encoded"
                    .into(),
            ),
            Self::Connect(_) => Some(
                "look whether the servers run; --queue-ca requires TLS of every server, with a certificate of that authority for the name in --queue"
                    .into(),
            ),
            Self::SeedIsShared { .. } => Some("chmod 600 it".into()),
            Self::Payload { .. } => Some("raise max_payload in the configuration of every NATS server".into()),
            Self::Differs { name, .. } => Some(format!(
                "stop the coordinator, remove {name} (`nats stream rm`, or `nats consumer rm`), and start it again: all work is in its journal"
            ).into()),
            Self::Held { .. } => Some(
                "one coordinator a journal: end the other, or wait: without renewal its lease ends after 10 s".into(),
            ),
            Self::Lost { .. } => Some("end one of the two: they share a journal's binding, and one nonce".into()),
            Self::Several { .. } => Some("name one by --queue-id".into()),
            Self::NoOrigin => Some("name the coordinator's content server by --from http://coordinator:5080".into()),
            Self::Serve(BindError::NotLoopback { .. }) => {
                Some("permit it with --allow-remote-artifacts; what is served is read-only".into())
            }
            Self::Store(error) => error.hint(),
            Self::Cache(error) => error.hint(),
            Self::Pool(error) => error.hint(),
            Self::Allowance(error) => error.hint(),
            Self::Address
            | Self::Credentials
            | Self::Seed { .. }
            | Self::NoSeed { .. }
            | Self::JetStream { .. }
            | Self::Name { .. }
            | Self::Origin { .. }
            | Self::NoWorkers
            | Self::Message(_)
            | Self::Serve(BindError::Listen { .. })
            | Self::Chain { .. }
            | Self::Runtime(_) => None,
        }
    }
}

/// True where a server does not know the user.
fn is_of_user(error: &async_nats::ConnectError) -> bool {
    matches!(error.kind(), ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_that_a_worker_host_may_not_listen_on_is_permitted_by_its_own_flag() {
        let error = QueueError::Serve(BindError::NotLoopback { address: ([0, 0, 0, 0], 5090).into() });
        let hint = error.hint().unwrap();
        assert!(hint.contains("--allow-remote-artifacts;"), "{hint}");
    }
}
