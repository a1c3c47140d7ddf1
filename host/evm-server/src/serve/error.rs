//! Every way in which a request is not answered with a block result.

use axum::{
    http::{
        HeaderValue, StatusCode,
        header::{CONNECTION, CONTENT_TYPE, RETRY_AFTER},
    },
    response::{IntoResponse, Response},
};
use refiner_evm::{ExecuteError, Interrupted, Rejected, Unsupported};
use refiner_listener::form::{BrokenForm, FormError};

use super::replica::ReplicaError;

/// Go's guess at the content type of everything this server answers.
pub(super) const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// When a client that was sent away should come again: the time of a few executions.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("1");

/// The bound that is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Full {
    #[error("every place in the queue is taken")]
    Queue,
    #[error("the bodies in flight take all the room there is")]
    Bytes,
}

/// Reasons for which a request is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ServerError {
    #[error(transparent)]
    FormError(#[from] FormError),
    #[error(transparent)]
    BrokenForm(#[from] BrokenForm),
    #[error(transparent)]
    Replica(#[from] ReplicaError),
    #[error(transparent)]
    Execute(#[from] ExecuteError),
    /// No property of the block: another machine, or this one at another time, may come to the end of it.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    #[error("the body has more than {limit_bytes} bytes")]
    TooLarge { limit_bytes: usize },
    #[error("the body did not come in time")]
    Slow,
    #[error("the body ended before its end")]
    Gone,
    #[error("{0}; try again")]
    Full(#[from] Full),
    #[error("the executor panicked at this block; please report it")]
    Panicked,
}

impl ServerError {
    /// The word that metrics know it by.
    pub(super) const fn outcome(&self) -> &'static str {
        match self {
            Self::FormError(_) | Self::BrokenForm(_) => "bad_form",
            Self::Replica(_) => "bad_replica",
            Self::Execute(ExecuteError::Unsupported(_)) => "unsupported",
            Self::Execute(ExecuteError::Rejected(_)) => "rejected",
            Self::Interrupted(_) => "interrupted",
            Self::TooLarge { .. } => "too_large",
            Self::Slow => "slow",
            Self::Gone => "gone",
            Self::Full(_) => "full",
            Self::Panicked => "panicked",
        }
    }

    /// Every outcome but `ok`, for series that exist before their first event.
    pub(super) const OUTCOMES: [&str; 10] = [
        "bad_form",
        "bad_replica",
        "unsupported",
        "rejected",
        "interrupted",
        "too_large",
        "slow",
        "gone",
        "full",
        "panicked",
    ];

    const fn status(&self) -> StatusCode {
        match self {
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::Gone => StatusCode::BAD_REQUEST,
            // Clients take the status 500 for the block's own doing, and do not ask again.
            Self::Full(_) | Self::Interrupted(_) => StatusCode::SERVICE_UNAVAILABLE,
            // The Go server knows no other.
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Its words: those of the Go server where that refuses too.
    fn text(&self) -> String {
        match self {
            Self::Replica(error @ ReplicaError::Missing { .. }) => error.to_string(),
            Self::Replica(error) => format!("ERROR(10): error unmarshalling replica file: {error}"),
            Self::Execute(error) => execution(error),
            Self::Interrupted(error) => format!("error on EBE: {error}"),
            _ => self.to_string(),
        }
    }
}

/// The words of the Go server, its number for the fault, or the reason for its panic.
fn execution(error: &ExecuteError) -> String {
    let number = match error {
        ExecuteError::Rejected(Rejected::BlockHashMissing { number }) => {
            return format!(
                "ERROR(4): blockhash error: getHash({number}) invoked, blockhash for that block not provided"
            );
        }
        ExecuteError::Unsupported(Unsupported::DifficultyAfterMerge { .. }) => {
            return "ERROR(3): post-merge difficulty must be zero (or omitted) in env".to_owned();
        }
        ExecuteError::Unsupported(Unsupported::BlobGasUsed { used, stated, .. }) => {
            return format!("error on EBE: blob gas used by execution: {used}, in header: {stated}");
        }
        ExecuteError::Rejected(Rejected::SenderCount { .. })
        | ExecuteError::Unsupported(
            Unsupported::TransactionType { .. }
            | Unsupported::ContractCreation { .. }
            | Unsupported::BlobFeeCapMissing { .. }
            | Unsupported::AuthorizationListMissing { .. },
        ) => return error.to_string(),
        ExecuteError::Rejected(Rejected::HeaderField { .. }) | ExecuteError::Unsupported(_) => 3,
        ExecuteError::Rejected(_) => 2,
    };
    format!("error on EBE: ERROR({number}): {error}")
}

/// A refusal's body. Clients of the network take any other JSON for a block result, whatever the status.
pub(super) fn json(text: &str) -> String {
    format!("{{\"error\": {}}}", serde_json::Value::from(text))
}

impl IntoResponse for ServerError {
    fn into_response(self) -> Response {
        let body = json(&self.text());
        let mut response = (self.status(), [(CONTENT_TYPE, TEXT)], body).into_response();
        if matches!(self, Self::Full(_)) {
            response.headers_mut().insert(RETRY_AFTER, RETRY_AFTER_SECONDS);
        }
        if matches!(self, Self::TooLarge { .. } | Self::Slow | Self::Gone) {
            // What is left of the body would be taken for the next request.
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}
