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

/// The form of an error of the Go server.
enum Form {
    /// `{"error": "…"}` with Go's own words, which are not escaped: a quotation mark in them makes it no JSON.
    Go(String),
    /// `{"error": "…"}` with words of ours.
    Json(String),
    /// A line of text, as of a panic.
    Line(String),
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

    fn form(&self) -> Form {
        match self {
            Self::FormError(error) => Form::Go(error.to_string()),
            Self::Replica(ReplicaError::Missing { .. }) => Form::Line(self.to_string()),
            Self::Replica(error) => {
                let text = format!("ERROR(10): error unmarshalling replica file: {error}");
                if matches!(error, ReplicaError::Field { .. }) { Form::Json(text) } else { Form::Go(text) }
            }
            Self::Execute(error) => execution(error),
            Self::Interrupted(error) => Form::Json(format!("error on EBE: {error}")),
            _ => Form::Line(self.to_string()),
        }
    }
}

/// The Go server's number for the fault, or its panic.
fn execution(error: &ExecuteError) -> Form {
    let number = match error {
        ExecuteError::Rejected(Rejected::SenderCount { .. })
        | ExecuteError::Unsupported(
            Unsupported::TransactionType { .. }
            | Unsupported::ContractCreation { .. }
            | Unsupported::BlobFeeCapMissing { .. }
            | Unsupported::AuthorizationListMissing { .. },
        ) => return Form::Line(error.to_string()),
        ExecuteError::Rejected(Rejected::BlockHashMissing { .. }) => 4,
        ExecuteError::Rejected(Rejected::HeaderField { .. }) | ExecuteError::Unsupported(_) => 3,
        ExecuteError::Rejected(_) => 2,
    };
    Form::Json(format!("error on EBE: ERROR({number}): {error}"))
}

impl IntoResponse for ServerError {
    fn into_response(self) -> Response {
        let body = match self.form() {
            Form::Go(text) => format!("{{\"error\": \"{text}\"}}"),
            Form::Json(text) => format!("{{\"error\": {}}}", serde_json::Value::from(text)),
            Form::Line(text) => format!("{text}\n"),
        };
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
