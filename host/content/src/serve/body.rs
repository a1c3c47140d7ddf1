//! A request's body within its bounds, and the rest of one that is not wanted.

use axum::{
    body::{Body, BodyDataStream},
    http::{
        HeaderMap, HeaderValue,
        header::{CONTENT_LENGTH, EXPECT},
    },
};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use tokio::time::timeout;

use super::{
    RequestError, ServeLimits,
    budget::{Budget, Reserved},
};
use crate::http::{Failure, TransportError, Window, milliseconds};

/// Room for a form's boundaries and headers.
const FORM_EXTRA_BYTES: usize = 1 << 20;
/// A buffer that grows has been copied into one of twice its size, and both were there at once.
const GROWTH_FACTOR: usize = 3;
/// Bytes that must have come of a body before memory is taken for all that its client announced: even memory that is not written to is
/// resident in part.
const TRUSTED_BYTES: usize = 1 << 20;
/// A refused body is read on up to this many times what is accepted, so that its client reads the answer.
const DISCARD_FACTOR: usize = 4;

/// A body on its way in.
pub(super) struct Incoming {
    pieces: BodyDataStream,
    stated_bytes: Option<usize>,
    /// The client sends the body only when it is asked for.
    is_asked_for: bool,
    window: Window,
    has_ended: bool,
}

impl Incoming {
    pub(super) fn new(headers: &HeaderMap, body: Body, limits: &ServeLimits) -> Self {
        let number = |text: &HeaderValue| text.to_str().ok()?.parse().ok();
        Self {
            pieces: body.into_data_stream(),
            stated_bytes: headers.get(CONTENT_LENGTH).and_then(number),
            is_asked_for: headers.contains_key(EXPECT),
            window: Window::of(limits.least_rate),
            has_ended: false,
        }
    }

    /// The whole body, and the room that it takes. Room is taken as bytes come, so that a client that announces much and sends little
    /// holds little.
    pub(super) async fn read(
        &mut self,
        budget: &Budget,
        limits: &ServeLimits,
    ) -> Result<(Bytes, Reserved), RequestError> {
        let too_large = || RequestError::TooLarge { limit_bytes: limits.upload_bytes };
        let limit_bytes = limits.upload_bytes.saturating_add(FORM_EXTRA_BYTES);
        if self.stated_bytes.is_some_and(|bytes| bytes > limit_bytes) {
            return Err(too_large());
        }
        let factor = if self.stated_bytes.is_some() { 1 } else { GROWTH_FACTOR };
        let mut reserved = Reserved::default();
        let mut body = BytesMut::new();
        self.is_asked_for = false;
        while let Some(piece) = self.piece(limits).await? {
            if piece.len() > limit_bytes - body.len() {
                return Err(too_large());
            }
            budget.grow(&mut reserved, piece.len().saturating_mul(factor)).await?;
            let room = room(body.len() + piece.len(), self.stated_bytes);
            if room > body.capacity() {
                body.reserve(room - body.len());
            }
            body.extend_from_slice(&piece);
        }
        Ok((body.freeze(), reserved))
    }

    /// Lets what is left of the body pass, for a client that sends all of it before it reads the answer.
    pub(super) async fn discard(&mut self, limits: &ServeLimits) {
        let mut left_bytes = limits.upload_bytes.saturating_mul(DISCARD_FACTOR);
        while !self.has_ended && !self.is_asked_for {
            let Ok(Some(piece)) = self.piece(limits).await else { return };
            let Some(left) = left_bytes.checked_sub(piece.len()) else { return };
            left_bytes = left;
        }
    }

    async fn piece(&mut self, limits: &ServeLimits) -> Result<Option<Bytes>, RequestError> {
        let (idle, pieces) = (limits.idle, &mut self.pieces);
        let next = async {
            let stalled = TransportError::Stalled { idle_ms: milliseconds(idle) };
            timeout(idle, pieces.next()).await.map_err(|_| Failure::Transport(stalled))
        };
        let result = match self.window.bound(next).await {
            Ok(Some(Ok(piece))) if self.window.count(piece.len()).is_ok() => return Ok(Some(piece)),
            Ok(None) => Ok(None),
            Ok(Some(Err(_))) => Err(RequestError::BadForm),
            Ok(Some(Ok(_))) | Err(_) => Err(RequestError::Stalled),
        };
        self.has_ended = true;
        result
    }
}

/// Room for a body of which so many bytes came: little where little did, and just what was announced when much did, so that a large body
/// is not copied while it grows.
fn room(bytes: usize, stated_bytes: Option<usize>) -> usize {
    match stated_bytes {
        Some(stated) if bytes > TRUSTED_BYTES => stated.max(bytes),
        Some(stated) => bytes.saturating_mul(2).min(stated).max(bytes),
        None => bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_of_which_little_came_has_little_room_whatever_was_announced() {
        for (bytes, stated, expected) in [
            (1, Some(100 << 20), 2),
            (1 << 10, Some(100 << 20), 2 << 10),
            (1 << 10, Some(1_500), 1_500),
            (1 << 10, Some(10), 1 << 10),
            (TRUSTED_BYTES, Some(100 << 20), 2 * TRUSTED_BYTES),
            (TRUSTED_BYTES + 1, Some(100 << 20), 100 << 20),
            (5, None, 5),
        ] {
            assert_eq!(room(bytes, stated), expected, "{bytes} of {stated:?}");
        }
    }
}
