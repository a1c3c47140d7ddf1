//! `wasi:clocks`: every clock begins at the block's timestamp, and only waits move it.

use wasmtime::component::Resource;
use wasmtime_wasi::p2::{
    DynPollable,
    bindings::clocks::{
        monotonic_clock::{self, Duration, Instant},
        wall_clock::{self, Datetime},
    },
};

use crate::host::state::{HostState, wasi::times};

const NANOSECONDS: u64 = 1_000_000_000;
/// Waits are given in nanoseconds, and move the clock by as many.
const RESOLUTION_NANOSECONDS: u32 = 1;
/// The monotonic clock's reading where there is no block. Go takes 0 for a broken clock and gives up.
const FIRST_INSTANT: u64 = 1;

impl HostState {
    /// Nanoseconds since 1970, until the clock is full in the year 2554. `describe` sees the start of the epoch: there is no block yet.
    fn nanoseconds(&self) -> u64 {
        let block = self.specimen.as_ref().map_or(0, |view| view.specimen().block.header.timestamp);
        block.saturating_mul(NANOSECONDS).max(self.wasi.clock.0)
    }

    /// The monotonic clock counts from 1970 too.
    pub(super) fn monotonic(&self) -> Instant {
        self.nanoseconds().max(FIRST_INSTANT)
    }
}

impl wall_clock::Host for HostState {
    fn now(&mut self) -> wasmtime::Result<Datetime> {
        self.budget.call("wall-clock.now")?;
        let now = self.nanoseconds();
        let nanoseconds = u32::try_from(now % NANOSECONDS).unwrap_or_default();
        Ok(Datetime { seconds: now / NANOSECONDS, nanoseconds })
    }

    fn resolution(&mut self) -> wasmtime::Result<Datetime> {
        self.budget.call("wall-clock.resolution")?;
        Ok(Datetime { seconds: 0, nanoseconds: RESOLUTION_NANOSECONDS })
    }
}

impl monotonic_clock::Host for HostState {
    fn now(&mut self) -> wasmtime::Result<Instant> {
        self.budget.call("monotonic-clock.now")?;
        Ok(self.monotonic())
    }

    fn resolution(&mut self) -> wasmtime::Result<Duration> {
        self.budget.call("monotonic-clock.resolution")?;
        Ok(u64::from(RESOLUTION_NANOSECONDS))
    }

    fn subscribe_instant(&mut self, when: Instant) -> wasmtime::Result<Resource<DynPollable>> {
        self.budget.call("monotonic-clock.subscribe-instant")?;
        self.wait_until(when)
    }

    fn subscribe_duration(&mut self, duration: Duration) -> wasmtime::Result<Resource<DynPollable>> {
        self.budget.call("monotonic-clock.subscribe-duration")?;
        if duration == 0 {
            return Ok(times::over());
        }
        self.wait_until(self.monotonic().saturating_add(duration))
    }
}
