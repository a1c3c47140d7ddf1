//! Reasons for which the daemon does not start, or stops by itself.

use refiner_content::{KeepError, OpenError, SetupError};
use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use refiner_journal::JournalError;
use refiner_listener::BindError;
use refiner_proofchain::{ChainError, KeyError, RpcError};
use refiner_queue::QueueError;
use refiner_worker::{CacheError, PoolError};

use crate::observe::{metrics::MetricsError, trace::ExportError};

/// Reasons for which the daemon does not start, or stops by itself. Work in progress is in the journal.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The proof chain is not the one that was named.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The client of the node.
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// The operator's key.
    #[error("cannot load the operator's key: {0}")]
    Key(#[from] KeyError),
    /// The content store.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The pinner or a gateway.
    #[error(transparent)]
    Source(#[from] SetupError),
    /// The client of the evm-server.
    #[error(transparent)]
    EvmServer(#[from] refiner_evm_server::remote::SetupError),
    /// The cache of compiled rules.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// The workers.
    #[error(transparent)]
    Workers(#[from] PoolError),
    /// The queue over which worker hosts share the work.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// A rule's component could not be kept for the hosts.
    #[error(transparent)]
    Keep(#[from] KeepError),
    /// The health address.
    #[error("cannot serve health: {0}")]
    Health(#[from] BindError),
    /// The metrics.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    /// The export of traces.
    #[error(transparent)]
    Traces(#[from] ExportError),
    /// The runtime or its signals.
    #[error("the system gives no threads or signals: {0}")]
    Runtime(#[from] std::io::Error),
    /// A bug: a stage of the pipeline panicked.
    #[error("a stage panicked: {0}")]
    Stage(#[source] tokio::task::JoinError),
}

impl Diagnostic for RunError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Chain(error) => error.exit_code(),
            Self::Key(error) => error.exit_code(),
            Self::Source(error) => error.exit_code(),
            Self::EvmServer(error) => error.exit_code(),
            Self::Journal(error) => error.exit_code(),
            Self::Rpc(error) => error.exit_code(),
            Self::Store(error) => error.exit_code(),
            Self::Cache(error) => error.exit_code(),
            Self::Workers(error) => error.exit_code(),
            Self::Queue(error) => error.exit_code(),
            Self::Keep(error) => error.exit_code(),
            // An address that may not be listened on is one that cannot be listened on, for whatever starts the daemon.
            Self::Health(BindError::NotLoopback { .. } | BindError::Listen { .. })
            | Self::Metrics(_)
            | Self::Traces(_)
            | Self::Runtime(_)
            | Self::Stage(_) => ExitCode::Host,
        }
    }

    fn hint(&self) -> Option<Hint> {
        match self {
            Self::Journal(error) => error.hint(),
            Self::Health(BindError::NotLoopback { .. }) => Some(
                "permit it with --allow-remote-health where only a monitor reaches the port: the endpoints have no authentication".into(),
            ),
            Self::Health(BindError::Listen { .. }) => {
                Some("is another refiner running? Otherwise name a free loopback address by --health".into())
            }
            Self::Chain(ChainError::Rpc(error)) => error.hint(),
            Self::Chain(ChainError::WrongChain { .. } | ChainError::NoContract { .. }) => {
                Some("compare --network, --proof-chain-id and the contracts with the node behind --rpc".into())
            }
            Self::Rpc(error) => error.hint(),
            Self::Key(error) => error.hint(),
            Self::Store(error) => error.hint(),
            Self::Source(error) => error.hint(),
            Self::EvmServer(error) => error.hint(),
            Self::Cache(error) => error.hint(),
            Self::Workers(error) => error.hint(),
            Self::Queue(error) => error.hint(),
            Self::Keep(error) => error.hint(),
            Self::Metrics(_) | Self::Traces(_) | Self::Runtime(_) | Self::Stage(_) => None,
        }
    }
}
