//! Why the daemon does not start, or stops by itself.

use refiner_content::{OpenError, SetupError, serve::ServeError};
use refiner_journal::JournalError;
use refiner_proofchain::{ChainError, KeyError, RpcError};
use refiner_worker::{CacheError, PoolError};

use super::metrics::MetricsError;
use crate::exit::Exit;

/// Why the daemon does not start, or stops by itself. Work in progress is in the journal.
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
    #[error("the operator's key")]
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
    /// The health address.
    #[error("health")]
    Health(#[from] ServeError),
    /// The metrics.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    /// The runtime or its signals.
    #[error("the runtime")]
    Runtime(#[from] std::io::Error),
}

impl RunError {
    /// How the program ends.
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Chain(_) | Self::Key(_) | Self::Source(_) | Self::EvmServer(_) => Exit::Usage,
            _ => Exit::Host,
        }
    }

    /// What a person can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Journal(error) => error.hint(),
            Self::Health(ServeError::NotLoopback { .. }) => {
                Some("permit it with --allow-remote-health where only a monitor reaches the port: the endpoints have no authentication".into())
            }
            Self::Health(ServeError::Listen { .. }) => {
                Some("is another refiner running? Otherwise name a free loopback address by --health".into())
            }
            Self::Chain(_) => {
                Some("compare --network, --proof-chain-id and the contracts with the node behind --rpc".into())
            }
            _ => None,
        }
    }
}
