//! A block result on its way out.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use axum::{
    body::Body,
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};

use super::{gate::Reserved, refusal::TEXT};

/// What is handed to the connection at once. It asks for more when it has written that.
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

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        ([(CONTENT_TYPE, TEXT)], Body::new(self)).into_response()
    }
}
