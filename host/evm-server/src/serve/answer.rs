//! A block result on its way out.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
    time::SystemTime,
};

use axum::{
    body::Body,
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{ACCEPT_RANGES, CONTENT_RANGE, CONTENT_TYPE, LAST_MODIFIED},
    },
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};

use super::{
    admission::Reserved,
    error::{TEXT, json},
    range::Wanted,
};

/// The piece that is handed to the connection at once. It asks for more when it has written that.
const PIECE_BYTES: usize = 64 << 10;

/// A block result that keeps its request's room until the client has it.
pub(super) struct Answer {
    rest: Bytes,
    _reserved: Reserved,
}

impl Answer {
    pub(super) const fn new(block_result: Bytes, reserved: Reserved) -> Self {
        Self { rest: block_result, _reserved: reserved }
    }
}

impl hyper::body::Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        let length = self.rest.len().min(PIECE_BYTES);
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(length)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}

impl Answer {
    /// The answer to a request with these headers, as the Go server serves the file that it has just written.
    pub(super) fn into_response_to(mut self, headers: &HeaderMap) -> Response {
        let length = self.rest.len();
        let (status, range) = match Wanted::of(headers, length) {
            Wanted::Whole => (StatusCode::OK, None),
            Wanted::Part(part) => {
                let range = format!("bytes {}-{}/{length}", part.start, part.end.saturating_sub(1));
                self.rest = self.rest.slice(part);
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
        let mut response = (status, head, Body::new(self)).into_response();
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
