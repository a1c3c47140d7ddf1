//! `wasi:io/poll`: waiting, where no time passes. A wait ends at once and moves the run's clock to the time waited for.

use refiner_rule_model::Misuse;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::{DynPollable, bindings::sync::io::poll};

use crate::host::{
    budget::BudgetExceeded,
    state::{HostState, wasi::times::over},
};

/// Bytes of one handle in a list.
const HANDLE_BYTES: usize = 4;
/// Fuel for each handle that is waited for, beside its copy: it is looked up, lent and given back.
pub(in crate::host) const HANDLE_FUEL: u64 = 128;
impl HostState {
    /// A handle for a time of the monotonic clock.
    pub(super) fn wait_until(&mut self, time: u64) -> wasmtime::Result<Resource<DynPollable>> {
        if time <= self.monotonic() {
            return Ok(over());
        }
        self.wasi.times.hold(time).ok_or_else(|| BudgetExceeded::Misuse(Misuse::TooManyWaits).into())
    }
}

impl poll::Host for HostState {
    /// The positions of those whose event is there. If none is, the clock moves to the earliest time that is waited for, so that
    /// no wait takes real time: the machine's clock decides no verdict.
    fn poll(&mut self, pollables: Vec<Resource<DynPollable>>) -> wasmtime::Result<Vec<u32>> {
        self.budget.call("poll.poll")?;
        self.budget.copy(pollables.len().saturating_mul(HANDLE_BYTES))?;
        self.budget.burn((pollables.len() as u64).saturating_mul(HANDLE_FUEL))?;
        let times = || pollables.iter().map(|pollable| self.wasi.times.of(pollable));
        let earliest = times().min().ok_or(BudgetExceeded::Misuse(Misuse::EmptyWait))?;
        let now = self.monotonic().max(earliest);
        let come = (0_u32..).zip(times()).filter(|(_, time)| *time <= now).map(|(position, _)| position).collect();
        self.wasi.clock.move_to(earliest);
        Ok(come)
    }
}

impl poll::HostPollable for HostState {
    fn ready(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<bool> {
        self.budget.call("poll.pollable.ready")?;
        Ok(self.wasi.times.of(&pollable) <= self.monotonic())
    }

    fn block(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        self.budget.call("poll.pollable.block")?;
        let time = self.wasi.times.of(&pollable);
        self.wasi.clock.move_to(time);
        Ok(())
    }

    fn drop(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        self.wasi.times.give_back(&pollable);
        Ok(())
    }
}
