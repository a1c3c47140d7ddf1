//! Limits for the server's clients, each with its reason.

use std::{num::NonZeroUsize, thread, time::Duration};

use refiner_evm::{DEFAULT_GAS_BOUND, PROCESSOR_TIME_LIMIT};

/// Limits for clients. Together they bound the server's memory: see [`Limits::memory_bytes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one request's body; more is answered 413. The largest block replica seen on mainnet has about 30 MB of JSON.
    pub body_bytes: usize,
    /// Bytes of all bodies that are being read, waiting or executed, and of answers on their way; beyond, a body waits.
    pub in_flight_bytes: usize,
    /// For a body to wait for such room; beyond, 503.
    pub room_time: Duration,
    /// Executions that use a processor at once.
    pub running: usize,
    /// Executions under way at once, running or paused. They share the processors, so that long ones do not keep short ones waiting.
    pub executions: usize,
    /// Requests that wait for room for their body or, read, for one of those to end; beyond, 503.
    pub waiting: usize,
    /// Processor time of one execution. A last resort: `block_gas` ends executions earlier, and alike on every machine.
    pub processor_time: Duration,
    /// Connections at once. For a further one the oldest that is idle is closed; when all have a request, it waits in the
    /// system's queue.
    pub connections: usize,
    /// Between two pieces of a request, between two requests, and until a client takes a piece of its answer.
    pub idle: Duration,
    /// For the whole of a body.
    pub body_time: Duration,
    /// Gas that the transactions of a block may really use, whatever its header allows. It bounds the time and memory of an execution.
    pub block_gas: u64,
    /// For running work, when the server is asked to stop.
    pub drain: Duration,
}

/// Buffers for bodies that are kept for the next ones, at most. New memory would have to be cleared by the system first, which takes
/// longer than reading a body into it.
pub(super) const KEPT_BUFFERS: usize = 4;
/// Bytes of such a buffer, at most: bodies of ordinary blocks have under 5 MiB.
pub(super) const KEPT_BUFFER_BYTES: usize = 6 << 20;

/// Memory of the program with nothing in flight: itself, its threads, what connections read ahead, buffers that are kept, and the
/// executor's cache of bytecode.
const BASE_BYTES: usize = 192 << 20;
/// Memory that a byte of a body that is being executed needs at most, besides itself: the typed block, the EVM's state with its
/// journal, the state's tree and the block result.
const COPIES: usize = 10;
/// Memory that a unit of gas needs at most, whatever the body: transient storage is the cheapest way to fill memory.
const BYTES_PER_GAS: usize = 4;
/// The bytes that the meter of `refiner-evm` lets one execution hold, for any gas.
const EXECUTION_BYTES: usize = 256 << 20;

/// Two hostile executions for each processor leave room for as many honest ones as there are processors.
pub const EXECUTIONS_A_PROCESSOR: usize = 3;

impl Default for Limits {
    fn default() -> Self {
        let running = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self {
            body_bytes: 64 << 20,
            in_flight_bytes: 256 << 20,
            room_time: Duration::from_secs(60),
            running,
            executions: running * EXECUTIONS_A_PROCESSOR,
            waiting: 1_024,
            processor_time: PROCESSOR_TIME_LIMIT,
            connections: 1_024,
            idle: Duration::from_secs(75),
            body_time: Duration::from_secs(300),
            block_gas: DEFAULT_GAS_BOUND,
            drain: Duration::from_secs(30),
        }
    }
}

impl Limits {
    /// Bytes of a body that is read; more would wait for room that never comes.
    pub(super) fn largest_body_bytes(&self) -> usize {
        self.body_bytes.min(self.in_flight_bytes)
    }

    /// The longest time in which none of several executions ends while all use their processor time.
    pub(super) fn longest_execution(&self) -> Duration {
        let turns = self.executions.div_ceil(self.running.max(1));
        self.processor_time.saturating_mul(u32::try_from(turns).unwrap_or(u32::MAX))
    }

    /// Memory that the server stays under, whatever its clients do. Paused executions hold theirs.
    pub fn memory_bytes(&self) -> usize {
        let executed = self.body_bytes.saturating_mul(self.executions).min(self.in_flight_bytes);
        let gas = usize::try_from(self.block_gas).unwrap_or(usize::MAX);
        BASE_BYTES
            .saturating_add(self.in_flight_bytes)
            .saturating_add(executed.saturating_mul(COPIES))
            .saturating_add(gas.saturating_mul(BYTES_PER_GAS).min(EXECUTION_BYTES).saturating_mul(self.executions))
    }
}
