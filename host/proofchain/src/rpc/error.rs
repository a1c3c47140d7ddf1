//! Why an RPC call has no result.

use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use reqwest::StatusCode;

use super::{Endpoint, NodeError};

/// Why a call has no result.
#[derive(Debug, thiserror::Error)]
pub enum RpcError {
    /// No address was given.
    #[error("no RPC address is configured")]
    NoEndpoint,
    /// The HTTP client could not be built.
    #[error("the HTTP client cannot be built")]
    Client(#[source] reqwest::Error),
    /// No connection, or it broke.
    #[error("{endpoint} is unreachable, {method}")]
    Unreachable {
        /// Which node.
        endpoint: Endpoint,
        /// What was asked.
        method: &'static str,
        /// What the HTTP client says, without the address.
        source: reqwest::Error,
    },
    /// Neither answered nor refused in time.
    #[error("{endpoint} did not answer {method} within {limit_ms} ms")]
    TimedOut {
        /// Which node.
        endpoint: Endpoint,
        /// What was asked.
        method: &'static str,
        /// How long it had.
        limit_ms: u128,
    },
    /// An HTTP status instead of an answer.
    #[error("{endpoint} answered {method} with HTTP {status}")]
    Status {
        /// Which node.
        endpoint: Endpoint,
        /// What was asked.
        method: &'static str,
        /// The status.
        status: StatusCode,
    },
    /// An answer larger than allowed.
    #[error("{endpoint} answered {method} with more than {limit_bytes} bytes")]
    TooLarge {
        /// Which node.
        endpoint: Endpoint,
        /// What was asked.
        method: &'static str,
        /// What is allowed.
        limit_bytes: usize,
    },
    /// Not JSON-RPC, or not the type that the method has.
    #[error("{endpoint} answered {method} with something else than it should")]
    Malformed {
        /// Which node.
        endpoint: Endpoint,
        /// What was asked.
        method: &'static str,
        /// What the parser says.
        source: serde_json::Error,
    },
    /// The node understood and said no.
    #[error("{endpoint} refused {method}: {refusal}")]
    Refused {
        /// Which node.
        endpoint: Endpoint,
        /// What was asked.
        method: &'static str,
        /// What it said.
        refusal: NodeError,
    },
    /// The answer's bytes are not what the contract's ABI says.
    #[error("{method} answered {bytes} bytes that are not its ABI's")]
    Abi {
        /// The contract's function.
        method: &'static str,
        /// Length of the answer.
        bytes: usize,
    },
}

impl Diagnostic for RpcError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Host
    }

    fn hint(&self) -> Option<Hint> {
        None
    }
}

impl RpcError {
    /// Whether the same call may succeed a moment later: transport, 429, 5xx, and a rate limit told in JSON.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::TimedOut { .. } => true,
            Self::Status { status, .. } => *status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error(),
            Self::Refused { refusal, .. } => refusal.is_rate_limit(),
            Self::NoEndpoint | Self::Client(_) | Self::TooLarge { .. } | Self::Malformed { .. } | Self::Abi { .. } => {
                false
            }
        }
    }

    /// What the node said, if it said no.
    pub fn refusal(&self) -> Option<&NodeError> {
        match self {
            Self::Refused { refusal, .. } => Some(refusal),
            _ => None,
        }
    }
}

/// How providers word a rate limit in JSON, in lower case. Infura, Alchemy, QuickNode, OnFinality, Ankr.
const RATE_LIMITS: [&str; 6] =
    ["rate limit", "too many requests", "request limit", "compute units per second", "capacity limit", "throttled"];

impl NodeError {
    /// Whether the node wants us to come back later.
    pub fn is_rate_limit(&self) -> bool {
        let message = self.message.to_lowercase();
        self.code == 429 || RATE_LIMITS.iter().any(|text| message.contains(text))
    }
}
