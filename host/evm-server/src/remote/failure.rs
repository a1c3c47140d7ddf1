//! Errors of asking an evm-server.

use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use refiner_http_client::ProxyFailure;
use refiner_specimen::JsonError;

use super::server_error::ServerError;

/// Errors of asking an evm-server. All are infrastructure and no property of the block.
#[derive(Debug, thiserror::Error)]
pub enum AskFailure {
    /// The specimen cannot be written as JSON.
    #[error("the specimen cannot be written as JSON")]
    Specimen(#[source] JsonError),
    /// No connection: refused, unreachable, unknown host, or not secured.
    #[error("no connection to {server}")]
    Connect {
        /// Scheme, host and port.
        server: String,
        /// The system's words.
        source: reqwest::Error,
    },
    /// The proxy between here and the server failed.
    #[error("{server} is not reached")]
    Proxy {
        /// Scheme, host and port.
        server: String,
        /// Failure of the proxy, with its remedy.
        source: ProxyFailure,
    },
    /// The connection broke, or what came is no HTTP.
    #[error("the connection to {server} broke")]
    Broken {
        /// Scheme, host and port.
        server: String,
        /// The HTTP client's error.
        source: reqwest::Error,
    },
    /// One try took too long.
    #[error("{server} gave no whole answer within {attempt_ms} ms")]
    Attempt {
        /// Scheme, host and port.
        server: String,
        /// The limit that was exceeded.
        attempt_ms: u64,
    },
    /// All of it took too long.
    #[error("{server} gave no answer within {total_ms} ms in all")]
    Total {
        /// Scheme, host and port.
        server: String,
        /// The limit that was exceeded.
        total_ms: u64,
    },
    /// The answer stopped coming.
    #[error("{server} fell silent in its answer for {idle_ms} ms")]
    Stalled {
        /// Scheme, host and port.
        server: String,
        /// The limit that was exceeded.
        idle_ms: u64,
    },
    /// More bytes than are taken.
    #[error("{server} answers with more than {limit_bytes} bytes")]
    TooLarge {
        /// Scheme, host and port.
        server: String,
        /// The limit that was exceeded.
        limit_bytes: usize,
    },
    /// 200, and nothing.
    #[error("{server} answers with 200 and nothing")]
    Empty {
        /// Scheme, host and port.
        server: String,
    },
    /// 206: a part of an answer.
    #[error("{server} answers with a part of an answer (206), and none was asked for")]
    Partial {
        /// Scheme, host and port.
        server: String,
    },
    /// 200, and what does not begin and end as a document.
    #[error("{server} answers with something that is no whole JSON object")]
    NoDocument {
        /// Scheme, host and port.
        server: String,
    },
    /// Another status, with the server's words.
    #[error("{server} answers with {status} and {message}")]
    Status {
        /// Scheme, host and port.
        server: String,
        /// The HTTP status.
        status: u16,
        /// The server's error, as answered.
        message: ServerError,
    },
}

impl AskFailure {
    /// The server's words for why it does not execute this block, if it may mean that.
    pub(super) fn refusal(&self) -> Option<&ServerError> {
        match self {
            // An answer of a proxy, an overloaded server or a missing route is never about the block.
            Self::Status { status: 400 | 413 | 415 | 422 | 500, message, .. } if !message.is_of_its_own_disk() => {
                Some(message)
            }
            _ => None,
        }
    }
}

/// There is no client.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// Not a URL.
    #[error("the evm-server's URL cannot be read; one looks like http://127.0.0.1:3002")]
    Url(#[source] url::ParseError),
    /// Neither http nor https.
    #[error("the evm-server's URL is neither http nor https")]
    Scheme,
    /// The system gave no HTTP client.
    #[error("no HTTP client; https needs the system's certificates, as in the package ca-certificates")]
    Client(#[source] reqwest::Error),
    /// The system gave no thread.
    #[error("no thread for the evm-server's client")]
    Thread(#[source] std::io::Error),
}

impl Diagnostic for SetupError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }

    fn hint(&self) -> Option<Hint> {
        None
    }
}
