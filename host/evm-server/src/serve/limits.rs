//! What a server gives its clients, each bound with its reason.

use std::{num::NonZeroUsize, thread, time::Duration};

/// How much clients may ask for. Together they bound the server's memory: see [`Limits::memory_bytes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one request's body; more is answered 413. The largest block replica seen on mainnet has about 30 MB of JSON.
    pub body_bytes: usize,
    /// Bytes of all bodies that are being read, waiting or executed, and of answers on their way; beyond, 503.
    pub in_flight_bytes: usize,
    /// Blocks executed at once.
    pub running: usize,
    /// Requests that wait, read, for one of those to end; beyond, 503.
    pub waiting: usize,
    /// Connections at once; further ones wait in the system's queue.
    pub connections: usize,
    /// Between two pieces of a request, between two requests, and until a client takes a piece of its answer.
    pub idle: Duration,
    /// For the whole of a body.
    pub body_time: Duration,
    /// Gas that a block may use. It bounds the time and memory of an execution whose header anybody can write.
    pub block_gas: u64,
    /// For running work, when the server is told to stop.
    pub drain: Duration,
}

/// What the program takes with nothing in flight: itself, its threads, and the executor's cache of bytecode.
const BASE_BYTES: usize = 192 << 20;
/// What a byte of body becomes at most, besides itself: the typed block, the state in the EVM and the block result.
const COPIES: usize = 3;
/// What an execution takes whatever its body: the EVM's own memory, which gas bounds.
const EXECUTION_BYTES: usize = 32 << 20;

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 64 << 20,
            in_flight_bytes: 256 << 20,
            running: thread::available_parallelism().map_or(1, NonZeroUsize::get),
            waiting: 16,
            connections: 1_024,
            idle: Duration::from_secs(10),
            body_time: Duration::from_secs(60),
            block_gas: 200_000_000,
            drain: Duration::from_secs(30),
        }
    }
}

impl Limits {
    /// Memory that the server stays under, whatever its clients do.
    pub const fn memory_bytes(&self) -> usize {
        let flying = self.in_flight_bytes.saturating_mul(1 + COPIES);
        BASE_BYTES.saturating_add(flying).saturating_add(self.running.saturating_mul(EXECUTION_BYTES))
    }
}
