//! Measurements for the charts, one every few seconds.

use std::sync::{Arc, Mutex, PoisonError};

use refiner_journal::{JournalError, State};
use refiner_status_page::{Reading, Window};
use tokio_util::sync::CancellationToken;

use crate::{
    engine::clock::now_ms,
    observe::{
        heartbeat::items_in,
        status::{Now, Status},
    },
    prove::spent_in_a_day,
    state::journal_handle::JournalHandle,
};

/// Samples between two looks at what was spent, which reads every transaction of a day.
const SPENDING_EVERY: u32 = 12;

/// Cost of the transactions of the last 24 hours, as of the last minute.
#[derive(Clone, Default)]
pub struct Spending(Arc<Mutex<Option<String>>>);

impl Spending {
    pub fn get(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, coins: Option<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = coins;
    }
}

/// Takes samples until `stop`. One that the journal does not give is left out.
pub async fn watch(journal: JournalHandle, status: Status, spending: Spending, stop: CancellationToken) {
    let mut every = tokio::time::interval(Window::Recent.step());
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    for number in 0_u32.. {
        tokio::select! {
            _ = every.tick() => {}
            () = stop.cancelled() => return,
        }
        if number.is_multiple_of(SPENDING_EVERY) {
            spending.set(journal.with(|journal| spent_in_a_day(journal)).ok());
        }
        let numbers: Result<_, JournalError> = journal.with(|journal| journal.items_by_state());
        if let Ok(numbers) = numbers {
            let now = status.now().clone();
            status.history.sample(reading(&numbers, &now));
        }
    }
}

fn reading(numbers: &[(State, u64)], now: &Now) -> Reading {
    let items = |state| u32::try_from(items_in(numbers, state)).unwrap_or(u32::MAX);
    use State::{Announced, Broadcast, Fetched, Mined, Produced, ProofIntent, Quarantined, Signed, Waiting};
    Reading {
        at_ms: now_ms(),
        backlog: [Announced, Waiting, Fetched, Produced, Quarantined].map(items),
        proofs: [ProofIntent, Signed, Broadcast, Mined].map(items),
        proofs_left: now.proofs_left(),
        behind: now.head.zip(now.cursor).map(|(head, cursor)| head.saturating_sub(cursor)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_has_the_states_in_the_order_of_the_charts() {
        let numbers = [
            (State::Announced, 1),
            (State::Waiting, 2),
            (State::Fetched, 3),
            (State::Produced, 4),
            (State::Quarantined, 5),
            (State::ProofIntent, 6),
            (State::Signed, 7),
            (State::Broadcast, 8),
            (State::Mined, u64::MAX),
        ];
        let now = Now { head: Some(10), cursor: Some(7), ..Now::default() };
        let reading = reading(&numbers, &now);
        assert_eq!((reading.backlog, reading.proofs), ([1, 2, 3, 4, 5], [6, 7, 8, u32::MAX]));
        assert_eq!((reading.behind, reading.proofs_left), (Some(3), None));
    }
}
