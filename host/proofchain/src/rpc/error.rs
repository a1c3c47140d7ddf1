//! Why an RPC call has no result.

use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use refiner_http_client::ProxyFailure;
use reqwest::StatusCode;

use super::{Endpoint, NodeError, SetAside};

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
        /// Address of the node asked.
        endpoint: Endpoint,
        /// Name of the method asked.
        method: &'static str,
        /// Error of the HTTP client, without the address.
        source: reqwest::Error,
    },
    /// The proxy between here and the node failed.
    #[error("{endpoint} is not reached, {method}")]
    Proxy {
        /// Address of the node asked.
        endpoint: Endpoint,
        /// Name of the method asked.
        method: &'static str,
        /// The failure, with its remedy.
        source: ProxyFailure,
    },
    /// Neither answered nor refused in time.
    #[error("{endpoint} did not answer {method} within {limit_ms} ms")]
    TimedOut {
        /// Address of the node asked.
        endpoint: Endpoint,
        /// Name of the method asked.
        method: &'static str,
        /// How long it had.
        limit_ms: u128,
    },
    /// An HTTP status instead of an answer.
    #[error("{endpoint} answered {method} with HTTP {status}")]
    Status {
        /// Address of the node asked.
        endpoint: Endpoint,
        /// Name of the method asked.
        method: &'static str,
        /// The status.
        status: StatusCode,
    },
    /// An answer larger than allowed.
    #[error("{endpoint} answered {method} with more than {limit_bytes} bytes")]
    TooLarge {
        /// Address of the node asked.
        endpoint: Endpoint,
        /// Name of the method asked.
        method: &'static str,
        /// What is allowed.
        limit_bytes: usize,
    },
    /// An answer that came too slowly.
    #[error("{endpoint} sent {bytes} bytes of its answer to {method} in {over_ms} ms, which is too slow")]
    TooSlow {
        /// Address of the node.
        endpoint: Endpoint,
        /// Method of the question.
        method: &'static str,
        /// Bytes that came in that time.
        bytes: usize,
        /// The time over which the speed was measured.
        over_ms: u128,
    },
    /// The node is not asked, for a reason of its own.
    #[error("{endpoint} is not asked for {method}: {reason}")]
    SetAside {
        /// Address of the node.
        endpoint: Endpoint,
        /// Method of the question.
        method: &'static str,
        /// The reason.
        reason: SetAside,
    },
    /// The node asked not to be asked for a while, by `Retry-After`.
    #[error("{endpoint} is not asked for {method}: it takes the next request in {wait_s} s")]
    Later {
        /// Address of the node.
        endpoint: Endpoint,
        /// Method of the question.
        method: &'static str,
        /// Seconds until then, rounded up.
        wait_s: u64,
    },
    /// No other node is configured.
    #[error("no other RPC address is configured")]
    NoOther,
    /// Not JSON-RPC, or not the type that the method has.
    #[error("{endpoint} answered {method} with something else than it should")]
    Malformed {
        /// Address of the node asked.
        endpoint: Endpoint,
        /// Name of the method asked.
        method: &'static str,
        /// Whether the whole reply is something else than JSON-RPC.
        envelope: bool,
        /// Error of the parser, with its place in the text.
        source: serde_json::Error,
    },
    /// A JSON-RPC error object: the node understood the call and refused it.
    #[error("{endpoint} refused {method}: {refusal}")]
    Refused {
        /// Address of the node asked.
        endpoint: Endpoint,
        /// Name of the method asked.
        method: &'static str,
        /// The error in its answer.
        refusal: NodeError,
    },
    /// Bytes of an answer that do not fit the contract's ABI.
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
        match self {
            Self::SetAside { reason, .. } if reason.is_identity() => {
                Some("compare --network, --proof-chain-id and the contracts with the node behind --rpc".into())
            }
            Self::SetAside { .. }
            | Self::Unreachable { .. }
            | Self::Proxy { .. }
            | Self::TimedOut { .. }
            | Self::TooSlow { .. }
            | Self::Later { .. }
            | Self::Status { .. }
            | Self::Refused { .. }
            | Self::NoEndpoint
            | Self::NoOther
            | Self::Client(_)
            | Self::TooLarge { .. }
            | Self::Malformed { .. }
            | Self::Abi { .. } => None,
        }
    }
}

impl RpcError {
    /// Whether the same call may succeed a moment later: transport, 429, 5xx, and a rate limit as a JSON-RPC error.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::Proxy { .. }
            | Self::TimedOut { .. }
            | Self::TooSlow { .. }
            | Self::Later { .. } => true,
            Self::SetAside { reason, .. } => !reason.is_identity(),
            Self::Status { status, .. } => *status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error(),
            Self::Refused { refusal, .. } => refusal.is_rate_limit(),
            Self::NoEndpoint
            | Self::NoOther
            | Self::Client(_)
            | Self::TooLarge { .. }
            | Self::Malformed { .. }
            | Self::Abi { .. } => false,
        }
    }

    /// True where a node answered the question, if only to refuse it: others may be answered well. Else no node could be asked.
    pub fn is_answer(&self) -> bool {
        match self {
            Self::Refused { refusal, .. } => !refusal.is_rate_limit(),
            Self::TooLarge { .. } | Self::Abi { .. } => true,
            Self::Malformed { envelope, .. } => !envelope,
            Self::NoEndpoint
            | Self::NoOther
            | Self::Client(_)
            | Self::Unreachable { .. }
            | Self::Proxy { .. }
            | Self::TimedOut { .. }
            | Self::TooSlow { .. }
            | Self::Status { .. }
            | Self::SetAside { .. }
            | Self::Later { .. } => false,
        }
    }

    /// The node's error object, if it refused the call.
    pub fn refusal(&self) -> Option<&NodeError> {
        match self {
            Self::Refused { refusal, .. } => Some(refusal),
            _ => None,
        }
    }
}

/// Words of providers for a rate limit in JSON, in lower case. Infura, Alchemy, QuickNode, OnFinality, Ankr, Chainstack.
const RATE_LIMITS: [&str; 11] = [
    "rate limit",
    "rps limit",
    "too many request",
    "request limit",
    "request rate",
    "compute units per second",
    "capacity limit",
    "throughput limit",
    "credits limited",
    "exceeded quota",
    "throttled",
];
/// The codes of a rate limit: that of HTTP, and those of TheRPC and QuickNode.
const RATE_LIMIT_CODES: [i64; 3] = [429, -32029, -32012];

/// How nodes and providers word that they have no such method, in lower case: geth, erigon, Frontier, nethermind, Alchemy,
/// Infura, QuickNode.
const UNKNOWN_METHODS: [&str; 8] = [
    "method not found",
    "does not exist/is not available",
    "method is not available",
    "method is not supported",
    "method not supported",
    "unsupported method",
    "method is not whitelisted",
    "method not allowed",
];

impl NodeError {
    /// Whether the node has no such method, or does not give it to us.
    pub fn is_unknown_method(&self) -> bool {
        let message = self.message.to_lowercase();
        matches!(self.code, -32601 | -32004) || UNKNOWN_METHODS.iter().any(|text| message.contains(text))
    }

    /// Whether the node wants us to come back later.
    pub fn is_rate_limit(&self) -> bool {
        let message = self.message.to_lowercase();
        RATE_LIMIT_CODES.contains(&self.code) || RATE_LIMITS.iter().any(|text| message.contains(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_limit_is_known_in_the_words_of_every_provider() {
        for (code, message, limited) in [
            (-32005, "credits limited to 6000/sec", true),
            (-32005, "You've exceeded the RPS limit available on the current plan.", true),
            (-32000, "Too many request, try again later", true),
            (-32000, "exceeded quota usage", true),
            (-32000, "Your app has exceeded its throughput limit", true),
            (-32007, "50/second request limit reached", true),
            (-32029, "slow down", true),
            (429, "", true),
            (-32000, "query exceeds limit of 10000 blocks", false),
            (-32000, "missing trie node", false),
        ] {
            let refusal = NodeError { code, message: message.to_owned(), data: None };
            assert_eq!(refusal.is_rate_limit(), limited, "{message}");
        }
    }
}
