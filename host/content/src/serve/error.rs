//! Every way in which a request is refused.

use std::fmt;

use axum::{
    http::{
        HeaderValue, StatusCode,
        header::{CONNECTION, RETRY_AFTER},
    },
    response::{IntoResponse, Response},
};
use refiner_listener::form::{BrokenForm, FormError};

use crate::{ContentId, EncodeError, FetchError, IdError, KeepError};

/// The time after which a client that was sent away asks again.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("5");

/// Reasons for which a request is refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum RequestError {
    #[error(transparent)]
    NotAForm(#[from] FormError),
    #[error(transparent)]
    BrokenForm(#[from] BrokenForm),
    #[error("the body is cut off or malformed")]
    BadForm,
    #[error("no part of the form has a file name")]
    NoFile,
    #[error("more than {limit_bytes} bytes")]
    TooLarge { limit_bytes: usize },
    #[error("the upload stopped, or comes too slowly")]
    Stalled,
    #[error("no content id; ask /get?cid=<id>")]
    NoId,
    #[error(transparent)]
    Id(IdError),
    #[error("no hash; ask /announced/<64 hexadecimal digits>")]
    NoHash,
    #[error("{0} is not served here")]
    NotHere(ContentId),
    #[error("content of this hash is not served here")]
    HashNotHere,
    #[error(transparent)]
    Fetch(FetchError),
    #[error(transparent)]
    Keep(KeepError),
    #[error("a DAS root is served as an archive; ask with ?format=car")]
    OnlyArchive,
    #[error(transparent)]
    Encode(#[from] EncodeError),
    #[error("the work took more than {seconds} s")]
    TooLong { seconds: u64 },
    #[error("too many requests at once; try again")]
    Busy,
}

impl RequestError {
    const fn status(&self) -> StatusCode {
        match self {
            // As the pinner does.
            Self::NotAForm(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::BrokenForm(BrokenForm::Parts)
            | Self::TooLarge { .. }
            | Self::Fetch(FetchError::TooLarge { .. })
            | Self::Keep(KeepError::TooLarge { .. }) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BrokenForm(_) | Self::NoFile | Self::BadForm | Self::NoId | Self::NoHash | Self::Id(_) => {
                StatusCode::BAD_REQUEST
            }
            Self::Stalled => StatusCode::REQUEST_TIMEOUT,
            Self::NotHere(_) | Self::HashNotHere | Self::Fetch(FetchError::NotFound { .. }) => StatusCode::NOT_FOUND,
            Self::Keep(KeepError::DiskFull { .. }) => StatusCode::INSUFFICIENT_STORAGE,
            Self::OnlyArchive => StatusCode::NOT_ACCEPTABLE,
            Self::Fetch(_) | Self::Keep(_) | Self::Encode(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::TooLong { .. } | Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl IntoResponse for RequestError {
    fn into_response(self) -> Response {
        if let Self::Fetch(error @ (FetchError::Damaged { .. } | FetchError::File { .. })) = &self {
            tracing::warn!(%error, "content not readable");
        }
        if let Self::Keep(error @ (KeepError::DiskFull { .. } | KeepError::File { .. })) = &self {
            tracing::warn!(%error, "content not kept");
        }
        let mut response = (self.status(), object("error", &self)).into_response();
        if matches!(self, Self::Busy) {
            response.headers_mut().insert(RETRY_AFTER, RETRY_AFTER_SECONDS);
        }
        if matches!(self, Self::TooLarge { .. } | Self::Stalled | Self::BadForm | Self::Busy) {
            // What may be left of the body would be taken for the next request.
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

/// `{"<key>": "<value>"}` with the pinner's space.
pub(super) fn object(key: &str, value: &impl fmt::Display) -> String {
    format!("{{\"{key}\": {}}}", serde_json::Value::from(value.to_string()))
}
