//! `wasi:clocks`: every clock stands at the block's timestamp.

use wasmtime::component::Resource;
use wasmtime_wasi::p2::{
    DynPollable,
    bindings::clocks::{
        monotonic_clock::{self, Duration, Instant},
        wall_clock::{self, Datetime},
    },
};

use super::{HostState, Wait};

/// A block's time has whole seconds.
const RESOLUTION_SECONDS: u64 = 1;
const NANOSECONDS: u64 = 1_000_000_000;

impl HostState {
    /// Seconds since 1970. `describe` sees the start of the epoch: there is no block yet.
    fn seconds(&self) -> u64 {
        self.specimen.as_ref().map_or(0, |view| view.specimen().block.header.timestamp)
    }

    /// The monotonic clock counts from 1970 too, until it is full in the year 2554.
    fn nanoseconds(&self) -> u64 {
        self.seconds().saturating_mul(NANOSECONDS)
    }
}

impl wall_clock::Host for HostState {
    fn now(&mut self) -> wasmtime::Result<Datetime> {
        self.budget.call()?;
        Ok(Datetime { seconds: self.seconds(), nanoseconds: 0 })
    }

    fn resolution(&mut self) -> wasmtime::Result<Datetime> {
        self.budget.call()?;
        Ok(Datetime { seconds: RESOLUTION_SECONDS, nanoseconds: 0 })
    }
}

impl monotonic_clock::Host for HostState {
    fn now(&mut self) -> wasmtime::Result<Instant> {
        self.budget.call()?;
        Ok(self.nanoseconds())
    }

    fn resolution(&mut self) -> wasmtime::Result<Duration> {
        self.budget.call()?;
        Ok(RESOLUTION_SECONDS * NANOSECONDS)
    }

    fn subscribe_instant(&mut self, when: Instant) -> wasmtime::Result<Resource<DynPollable>> {
        self.budget.call()?;
        Ok(if when <= self.nanoseconds() { Wait::Over } else { Wait::Endless }.handle())
    }

    fn subscribe_duration(&mut self, duration: Duration) -> wasmtime::Result<Resource<DynPollable>> {
        self.budget.call()?;
        Ok(if duration == 0 { Wait::Over } else { Wait::Endless }.handle())
    }
}
