//! `wasi:io/poll`: waiting, where no time passes. A wait ends at once and moves the run's clock to the time waited for.

use refiner_rule_model::{Misuse, WAITS_MAX};
use wasmtime::component::Resource;
use wasmtime_wasi::p2::{DynPollable, bindings::sync::io::poll};

use super::{super::BudgetExceeded, HostState};

/// Bytes of one handle in a list.
const HANDLE_BYTES: usize = 4;
/// Fuel for each handle that is waited for, beside its copy: it is looked up, lent and given back.
pub(in crate::host) const HANDLE_FUEL: u64 = 128;
/// Number of every pollable whose event is there already.
const OVER: u32 = 0;

/// A handle for an event that is there already: a time that has come, a stream that never makes anyone wait.
pub(super) fn over() -> Resource<DynPollable> {
    Resource::new_own(OVER)
}

/// Times that a guest holds pollables for. A pollable's number is one more than its time's position.
#[derive(Default)]
pub(super) struct Times {
    at: Vec<u64>,
    free: Vec<u32>,
}

impl Times {
    /// A handle for a time that has not come, or `None` where the guest holds as many as it may.
    fn hold(&mut self, time: u64) -> Option<Resource<DynPollable>> {
        if let Some(number) = self.free.pop() {
            *self.slot(number)? = time;
            return Some(Resource::new_own(number));
        }
        let number = u32::try_from(self.at.len() + 1).ok().filter(|number| *number <= WAITS_MAX)?;
        self.at.push(time);
        Some(Resource::new_own(number))
    }

    fn slot(&mut self, number: u32) -> Option<&mut u64> {
        self.at.get_mut((number as usize).checked_sub(1)?)
    }

    /// The time of a pollable; 0, which has always come, for one without.
    fn of(&self, pollable: &Resource<DynPollable>) -> u64 {
        let position = (pollable.rep() as usize).checked_sub(1);
        position.and_then(|position| self.at.get(position)).copied().unwrap_or_default()
    }

    fn give_back(&mut self, pollable: &Resource<DynPollable>) {
        if pollable.rep() != OVER && self.slot(pollable.rep()).is_some() {
            self.free.push(pollable.rep());
        }
    }
}

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
        self.budget.call()?;
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
        self.budget.call()?;
        Ok(self.wasi.times.of(&pollable) <= self.monotonic())
    }

    fn block(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        self.budget.call()?;
        let time = self.wasi.times.of(&pollable);
        self.wasi.clock.move_to(time);
        Ok(())
    }

    fn drop(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        self.wasi.times.give_back(&pollable);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_times_are_bounded_and_used_again() {
        let mut times = Times::default();
        let held: Vec<_> = (1..=WAITS_MAX).map(|time| times.hold(u64::from(time)).expect("there is room")).collect();
        assert!(times.hold(1).is_none());
        assert_eq!(times.of(&held[6]), 7);
        times.give_back(&held[6]);
        times.give_back(&over());
        let again = times.hold(99).expect("one was given back");
        assert_eq!((again.rep(), times.of(&again)), (held[6].rep(), 99));
        assert!(times.hold(1).is_none());
        assert_eq!(times.of(&over()), 0);
    }
}
