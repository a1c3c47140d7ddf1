//! Reading a request's body within its bounds, and letting the rest of one pass that is not wanted.

use std::time::Duration;

use axum::{
    body::{Body, BodyDataStream},
    http::{
        HeaderMap,
        header::{CONTENT_LENGTH, EXPECT},
    },
};
use bytes::Bytes;
use futures_util::StreamExt as _;
use refiner_buffers::Buffers;
use tokio::time::{Instant, timeout, timeout_at};

use super::{
    Limits,
    admission::{AdmissionControl, QueueSlot},
    error::{Full, ServerError},
    in_flight::Reserved,
};

/// The most that is read of a body which is too large, in bodies of the largest size allowed.
const DISCARDED_BODIES: usize = 4;

/// A body that has come in.
pub(super) struct Received {
    pub(super) body: Bytes,
    pub(super) reserved: Reserved,
    /// The request's place in the queue, where it waited for room already.
    pub(super) slot: Option<QueueSlot>,
}

/// A body on its way in.
pub(super) struct Incoming {
    pieces: BodyDataStream,
    buffers: Buffers,
    stated_bytes: Option<usize>,
    /// Its client sends it when it is asked for only.
    is_asked_for: bool,
    deadline: Instant,
    /// For it to wait for room.
    patience: Duration,
    ended: bool,
}

impl Incoming {
    pub(super) fn new(headers: &HeaderMap, body: Body, buffers: &Buffers, limits: &Limits) -> Self {
        let number = |text: &axum::http::HeaderValue| text.to_str().ok()?.parse().ok();
        Self {
            pieces: body.into_data_stream(),
            buffers: buffers.clone(),
            stated_bytes: headers.get(CONTENT_LENGTH).and_then(number),
            is_asked_for: headers.contains_key(EXPECT),
            deadline: Instant::now() + limits.body_time,
            patience: limits.room_time,
            ended: false,
        }
    }

    /// The whole body, and the room that it takes.
    ///
    /// Room is taken as bytes come, so that a client that announces much and sends little holds little. Where there is none, the
    /// request takes its place in the queue and waits: its client is not read from, and the time is not the client's.
    pub(super) async fn read(
        &mut self,
        admission: &AdmissionControl,
        limits: &Limits,
    ) -> Result<Received, ServerError> {
        let limit_bytes = limits.largest_body_bytes();
        let too_large = ServerError::TooLarge { limit_bytes };
        if self.stated_bytes.is_some_and(|bytes| bytes > limit_bytes) {
            return Err(too_large);
        }
        let (mut reserved, mut slot) = (Reserved::default(), None);
        let mut body = self.buffers.filling(self.stated_bytes.unwrap_or_default());
        self.is_asked_for = false;
        while let Some(piece) = self.piece(limits).await? {
            if body.len() + piece.len() > limit_bytes {
                return Err(too_large);
            }
            if !admission.in_flight.try_take(&mut reserved, piece.len()) {
                if slot.is_none() {
                    slot = Some(admission.queue_slot()?);
                }
                self.wait_for_room(admission, &mut reserved, piece.len()).await?;
            }
            body.push(&piece);
        }
        reserved.complete();
        Ok(Received { body: body.into_bytes(), reserved, slot })
    }

    async fn wait_for_room(
        &mut self,
        admission: &AdmissionControl,
        reserved: &mut Reserved,
        more_bytes: usize,
    ) -> Result<(), ServerError> {
        let begun = Instant::now();
        let room = timeout(self.patience, admission.in_flight.take(reserved, more_bytes)).await;
        let waited = begun.elapsed();
        self.deadline += waited;
        self.patience = self.patience.saturating_sub(waited);
        room.map_err(|_| Full::Bytes.into())
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
