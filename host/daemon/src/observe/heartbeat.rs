//! One line of the log a minute that sums up what the daemon does, so that a look at its end tells whether it earns.

use std::{fmt::Write as _, time::Duration};

use alloy_primitives::U256;
use refiner_journal::{JournalError, State};
use refiner_proofchain::Rpc;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::status::{Now, Status};
use crate::{
    engine::{clock::now_ms, poller::pause},
    state::journal_handle::JournalHandle,
};

/// Time limit for the gas price, without which the line is written all the same.
const PRICE_DEADLINE: Duration = Duration::from_secs(5);

/// Writes a line after `every` pause, until `stop`. Where proofs are paid for, `rpc` gives the price of gas.
///
/// # Errors
///
/// The journal's: without it nothing can go on.
pub async fn beat(
    journal: JournalHandle,
    status: Status,
    rpc: Option<Rpc>,
    every: Duration,
    stop: CancellationToken,
) -> Result<(), JournalError> {
    while pause(&stop, every).await {
        let numbers = journal.with(|journal| journal.items_by_state())?;
        if let Some(rpc) = &rpc {
            let price = tokio::time::timeout(PRICE_DEADLINE, gas_price(rpc)).await;
            status.now().gas_price_wei = price.ok().flatten();
        }
        let now = status.now().clone();
        write(&numbers, &now);
    }
    Ok(())
}

/// The number of items in `state`, of those of all states.
pub fn items_in(numbers: &[(State, u64)], state: State) -> u64 {
    numbers.iter().find(|(of, _)| *of == state).map_or(0, |(_, items)| *items)
}

fn write(numbers: &[(State, u64)], now: &Now) {
    let in_state = |state| items_in(numbers, state);
    let blocked: Vec<_> = now.waits_for.keys().copied().collect();
    tracing::info!(
        head = now.head,
        cursor = now.cursor,
        backlog = backlog(numbers),
        waiting = in_state(State::Waiting),
        quarantined = in_state(State::Quarantined),
        proofs = in_state(State::Final),
        proofs_left = now.proofs_left(),
        paused = now.paused.as_ref().map(|pause| pause.reason.as_str()),
        blocked = (!blocked.is_empty()).then(|| blocked.join(",")),
        last_failure = now.last_failure.as_deref(),
        last_failure_s_ago = now.last_failure_ms.map(|last| now_ms().saturating_sub(last) / 1_000),
        "heartbeat"
    );
}

/// `announced=2 produced=1`, in the order of an item's life; `none` without any.
fn backlog(numbers: &[(State, u64)]) -> String {
    let mut text = String::new();
    for state in State::ALL {
        let items = items_in(numbers, state);
        if items == 0 || state.is_end() || matches!(state, State::Waiting | State::Pinned) {
            continue;
        }
        let space = if text.is_empty() { "" } else { " " };
        // A String takes everything.
        let _ = write!(text, "{space}{state}={items}");
    }
    if text.is_empty() { "none".to_owned() } else { text }
}

async fn gas_price(rpc: &Rpc) -> Option<U256> {
    rpc.call("eth_gasPrice", json!([])).await.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backlog_is_what_is_under_way_in_the_order_of_an_items_life() {
        assert_eq!(backlog(&[]), "none");
        let states = [(State::Broadcast, 4), (State::Waiting, 9), (State::Announced, 2), (State::Final, 7)];
        assert_eq!(backlog(&states), "announced=2 broadcast=4");
    }
}
