//! Times that a guest waits for.

use refiner_rule_model::WAITS_MAX;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::DynPollable;

/// Number of every pollable whose event is there already.
const OVER: u32 = 0;

/// A handle for an event that is there already: a time that has come, a stream that never makes anyone wait.
pub(in crate::host) fn over() -> Resource<DynPollable> {
    Resource::new_own(OVER)
}

/// Times that a guest holds pollables for. A pollable's number is one more than its time's position.
#[derive(Default)]
pub(in crate::host) struct Times {
    at: Vec<u64>,
    free: Vec<u32>,
}

impl Times {
    /// A handle for a time that has not come, or `None` where the guest holds as many as it may.
    pub(in crate::host) fn hold(&mut self, time: u64) -> Option<Resource<DynPollable>> {
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
    pub(in crate::host) fn of(&self, pollable: &Resource<DynPollable>) -> u64 {
        let position = (pollable.rep() as usize).checked_sub(1);
        position.and_then(|position| self.at.get(position)).copied().unwrap_or_default()
    }

    pub(in crate::host) fn give_back(&mut self, pollable: &Resource<DynPollable>) {
        if pollable.rep() != OVER && self.slot(pollable.rep()).is_some() {
            self.free.push(pollable.rep());
        }
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
