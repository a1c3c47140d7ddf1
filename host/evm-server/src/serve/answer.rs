//! A block result on its way out.

use std::time::SystemTime;

use axum::{
    body::Body,
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{ACCEPT_RANGES, CONTENT_RANGE, CONTENT_TYPE, LAST_MODIFIED},
    },
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use refiner_listener::{PieceBody, hold};

use super::{
    error::{TEXT, json},
    in_flight::Reserved,
    range::Wanted,
};

/// A block result that keeps its request's room until the client has it.
pub(super) struct Answer(Bytes);

impl Answer {
    pub(super) fn new(block_result: Bytes, reserved: Reserved) -> Self {
        Self(hold(block_result, reserved))
    }
}

impl Answer {
    /// The answer to a request with these headers, as the Go server serves the file that it has just written.
    pub(super) fn into_response_to(mut self, headers: &HeaderMap) -> Response {
        let length = self.0.len();
        let (status, range) = match Wanted::of(headers, length) {
            Wanted::Whole => (StatusCode::OK, None),
            Wanted::Part(part) => {
                let range = format!("bytes {}-{}/{length}", part.start, part.end.saturating_sub(1));
                self.0 = self.0.slice(part);
                (StatusCode::PARTIAL_CONTENT, Some(range))
            }
            Wanted::Beyond => {
                let range = format!("bytes */{length}");
                let head = [(CONTENT_TYPE, TEXT), (CONTENT_RANGE, text(&range))];
                return (StatusCode::RANGE_NOT_SATISFIABLE, head, json("invalid range: failed to overlap"))
                    .into_response();
            }
            Wanted::Unreadable => {
                return (StatusCode::RANGE_NOT_SATISFIABLE, [(CONTENT_TYPE, TEXT)], json("invalid range"))
                    .into_response();
            }
        };
        let written = text(&httpdate::fmt_http_date(SystemTime::now()));
        let head = [(CONTENT_TYPE, TEXT), (ACCEPT_RANGES, HeaderValue::from_static("bytes")), (LAST_MODIFIED, written)];
        let mut response = (status, head, Body::new(PieceBody::new(self.0))).into_response();
        if let Some(range) = range {
            response.headers_mut().insert(CONTENT_RANGE, text(&range));
        }
        response
    }
}

/// Digits, letters and blanks as a header's value.
fn text(plain: &str) -> HeaderValue {
    HeaderValue::from_str(plain).unwrap_or(HeaderValue::from_static(""))
}
