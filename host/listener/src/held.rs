//! Answers that leave in pieces and keep what was reserved for them until the last piece is with the system.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

/// The piece that a connection takes at once. It asks for more when it has written that. In pieces of a quarter of this the system takes a
/// quarter longer to send a few megabytes.
const PIECE_BYTES: usize = 256 << 10;

/// Ties `reserved` to `bytes`: it is dropped with the last part of them, wherever that is then.
pub fn hold(bytes: Bytes, reserved: impl Send + 'static) -> Bytes {
    Bytes::from_owner(Held { bytes, _reserved: reserved })
}

struct Held<G> {
    bytes: Bytes,
    _reserved: G,
}

impl<G> AsRef<[u8]> for Held<G> {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// A body of bytes in memory that is handed over piece by piece, so that a client's pace is seen.
#[derive(Debug)]
pub struct PieceBody(Bytes);

impl PieceBody {
    /// A body of these bytes.
    #[must_use]
    pub const fn new(bytes: Bytes) -> Self {
        Self(bytes)
    }
}

impl Body for PieceBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.0.is_empty() {
            return Poll::Ready(None);
        }
        let length = self.0.len().min(PIECE_BYTES);
        Poll::Ready(Some(Ok(Frame::data(self.0.split_to(length)))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_reservation_lasts_as_long_as_any_part_of_its_bytes() {
        let reserved = Arc::new(());
        let mut bytes = hold(Bytes::from_static(b"answer"), Arc::clone(&reserved));
        let first = bytes.split_to(3);
        drop(bytes);
        assert_eq!((&first[..], Arc::strong_count(&reserved)), (&b"ans"[..], 2));
        drop(first);
        assert_eq!(Arc::strong_count(&reserved), 1);
    }
}
