use std::{num::NonZeroUsize, thread, time::Duration};

use crate::LeastRate;

/// Bounds of what clients may take. Together they bound the server's memory: see [`ServeLimits::memory_bytes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServeLimits {
    /// Bytes of one upload, all its files together; more is answered 413.
    pub upload_bytes: usize,
    /// Bytes of all uploads and answers in memory. Each has a half of them, so that uploads that stall keep no download waiting.
    pub in_flight_bytes: usize,
    /// Uploads that are hashed, encoded and written at once, and archives that are made.
    pub at_work: usize,
    /// Time for which a request waits for such a place, or for room in memory; then it is answered 503.
    pub wait: Duration,
    /// Between two pieces of an upload.
    pub idle: Duration,
    /// The least that comes of an upload, once it has begun.
    pub least_rate: LeastRate,
    /// For naming, keeping or reading what one request is about.
    pub work: Duration,
    /// The bounds of connections and of whole requests.
    pub listener: refiner_listener::Limits,
}

/// Memory of the program with nothing in flight: itself, its threads, what connections read ahead, file buffers, and the trusted setup
/// of DAS content with the blobs that are being encoded.
const BASE_BYTES: usize = 192 << 20;

impl Default for ServeLimits {
    fn default() -> Self {
        Self {
            upload_bytes: 128 << 20,
            in_flight_bytes: 512 << 20,
            at_work: thread::available_parallelism().map_or(1, NonZeroUsize::get),
            wait: Duration::from_secs(10),
            idle: Duration::from_secs(30),
            least_rate: LeastRate::default(),
            work: Duration::from_secs(300),
            listener: refiner_listener::Limits {
                connections: 256,
                head: Duration::from_secs(10),
                idle: Duration::from_secs(75),
                write: Duration::from_secs(15),
                // ewm-das gives an upload 5 minutes and its clients more; a body of 128 MiB takes as long at 3.6 Mbit/s.
                request: Duration::from_secs(900),
                drain: Duration::from_secs(30),
            },
        }
    }
}

impl ServeLimits {
    /// Memory that the server stays under, whatever its clients do.
    #[must_use]
    pub const fn memory_bytes(&self) -> usize {
        BASE_BYTES.saturating_add(self.in_flight_bytes)
    }
}
