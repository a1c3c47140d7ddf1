//! Reading a request's body within its bounds, and letting the rest of one pass that is not wanted.

use axum::{
    body::{Body, BodyDataStream},
    http::{
        HeaderMap,
        header::{CONTENT_LENGTH, EXPECT},
    },
};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use tokio::time::{Instant, timeout, timeout_at};

use super::{
    Limits,
    admission::{AdmissionControl, Reserved},
    error::ServerError,
};

/// The most that is read of a body which is too large, in bodies of the largest size allowed.
const DISCARDED_BODIES: usize = 4;

/// A body on its way in.
pub(super) struct Incoming {
    pieces: BodyDataStream,
    stated_bytes: Option<usize>,
    /// Its client sends it when it is asked for only.
    is_asked_for: bool,
    deadline: Instant,
    ended: bool,
}

impl Incoming {
    pub(super) fn new(headers: &HeaderMap, body: Body, limits: &Limits) -> Self {
        let number = |text: &axum::http::HeaderValue| text.to_str().ok()?.parse().ok();
        Self {
            pieces: body.into_data_stream(),
            stated_bytes: headers.get(CONTENT_LENGTH).and_then(number),
            is_asked_for: headers.contains_key(EXPECT),
            deadline: Instant::now() + limits.body_time,
            ended: false,
        }
    }

    /// The whole body, and the room that it takes.
    ///
    /// Room is taken as bytes come, so that a client that announces much and sends little holds little.
    pub(super) async fn read(
        &mut self,
        admission: &AdmissionControl,
        limits: &Limits,
    ) -> Result<(Bytes, Reserved), ServerError> {
        let too_large = ServerError::TooLarge { limit_bytes: limits.body_bytes };
        if self.stated_bytes.is_some_and(|bytes| bytes > limits.body_bytes) {
            return Err(too_large);
        }
        let mut reserved = Reserved::default();
        // Memory that is asked for and not written to costs nothing yet.
        let mut body = BytesMut::with_capacity(self.stated_bytes.unwrap_or_default());
        self.is_asked_for = false;
        while let Some(piece) = self.piece(limits).await? {
            if body.len() + piece.len() > limits.body_bytes {
                return Err(too_large);
            }
            admission.reserve(&mut reserved, piece.len())?;
            body.extend_from_slice(&piece);
        }
        Ok((body.freeze(), reserved))
    }

    async fn piece(&mut self, limits: &Limits) -> Result<Option<Bytes>, ServerError> {
        let next = timeout_at(self.deadline, timeout(limits.idle, self.pieces.next()));
        let result = match next.await {
            Ok(Ok(Some(Ok(piece)))) => return Ok(Some(piece)),
            Ok(Ok(None)) => Ok(None),
            Ok(Ok(Some(Err(_)))) => Err(ServerError::Gone),
            Ok(Err(_)) | Err(_) => Err(ServerError::Slow),
        };
        self.ended = true;
        result
    }

    /// Lets what is left of the body pass, so that a client that sends it all before it listens hears the answer.
    ///
    /// No more than a few bodies may have, and no longer than one may take.
    pub(super) async fn discard(&mut self, limits: &Limits) {
        let mut left_bytes = limits.body_bytes.saturating_mul(DISCARDED_BODIES);
        while !self.ended && !self.is_asked_for {
            let Ok(Some(piece)) = self.piece(limits).await else { return };
            let Some(left) = left_bytes.checked_sub(piece.len()) else { return };
            left_bytes = left;
        }
    }
}
