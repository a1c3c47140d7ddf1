//! Listening sockets, on loopback addresses unless more is permitted.

use std::{io, net::SocketAddr};

use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use tokio::net::TcpListener;

/// Reasons for which an address is not listened on.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Other machines reach the address, and what is served there has no authentication.
    #[error("{address} can be reached from outside and the API has no access control")]
    NotLoopback {
        /// The address that was asked for.
        address: SocketAddr,
    },
    /// The system refuses the address.
    #[error("cannot serve on {address}")]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// The system's error.
        source: io::Error,
    },
}

impl Diagnostic for BindError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::NotLoopback { .. } => ExitCode::Usage,
            Self::Listen { .. } => ExitCode::Host,
        }
    }

    fn hint(&self) -> Option<Hint> {
        None
    }
}

/// Listens on a loopback address, or on any when `beyond_loopback`.
///
/// # Errors
///
/// [`BindError`]
pub async fn bind(address: SocketAddr, beyond_loopback: bool) -> Result<TcpListener, BindError> {
    if !beyond_loopback && !address.ip().is_loopback() {
        return Err(BindError::NotLoopback { address });
    }
    TcpListener::bind(address).await.map_err(|source| BindError::Listen { address, source })
}
