//! What others do wrong, and where it leaves an item.

use refiner_journal::State;
use refiner_testchain::{Fault, OPERATOR};
use refiner_testkit::pinner::{Fault as PinnerFault, Route};
use serde_json::json;

use crate::{
    bench::Bench,
    specimens::{Given, one, stream},
};

/// Waits until the only item of `given` failed in `state` with these words.
pub async fn until_failed(bench: &mut Bench, given: &Given, state: State, words: &str) {
    let height = given.height;
    bench
        .until(&format!("{height} fails in {state} with {words:?}"), |bench| {
            let items = bench.items();
            let item = items.iter().find(|item| item.height == height);
            item.is_some_and(|item| {
                item.state == state && item.last_error.as_ref().is_some_and(|error| error.contains(words))
            })
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pinner_that_fails_is_waited_for() {
    let Some(mut bench) = Bench::new().await else { return };
    bench.start_ready().await;
    let faults = [
        (PinnerFault::Empty, "empty body"),
        (PinnerFault::InvalidJson, "answered 500"),
        (PinnerFault::Panic, "answered 500"),
        (PinnerFault::DieInRequest, ""),
        (PinnerFault::Status(503, "later".to_owned()), "answered 503"),
    ];
    let given = stream(faults.len() as u64);
    for (round, (fault, words)) in faults.into_iter().enumerate() {
        bench.pinner.fault(Route::Upload, fault);
        bench.announce(&given[round..=round]).await;
        until_failed(&mut bench, &given[round], State::Produced, words).await;
        bench.pinner.mend(Route::Upload);
        bench.until_all(State::Final, round + 1).await;
    }
    bench.assert_proved_once(&given).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pinner_that_names_other_content_is_not_believed() {
    let Some(mut bench) = Bench::new().await else { return };
    bench.pinner.fault(Route::Upload, PinnerFault::WrongCid);
    bench.announce(&[one()]).await;
    bench.start();
    bench.until_all(State::Quarantined, 1).await;
    let reason = bench.items()[0].reason.clone().unwrap();
    assert!(reason.contains("stored it as"), "{reason}");
    assert_eq!(bench.proofs().await, []);
    let status = bench.status().unwrap();
    assert_eq!(status["journal"]["quarantined"][0]["reason"], reason, "{status}");
}

#[tokio::test(flavor = "multi_thread")]
async fn specimen_that_nobody_has_yet_is_waited_for() {
    let Some(mut bench) = Bench::new().await else { return };
    bench.pinner.fault(Route::Get, PinnerFault::Status(500, "{\"error\": \"not found\"}".to_owned()));
    let given = one();
    bench.announce(std::slice::from_ref(&given)).await;
    bench.start();
    until_failed(&mut bench, &given, State::Announced, "no source gave it").await;
    bench.pinner.mend(Route::Get);
    bench.until_all(State::Final, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn specimen_of_another_block_than_announced_is_set_aside() {
    let Some(mut bench) = Bench::new().await else { return };
    let mut given = stream(2);
    // The hash is right, and what was announced with it is not.
    given[0].height += 100;
    given[1].block_hash = alloy_primitives::B256::repeat_byte(9);
    bench.announce(&given).await;
    bench.start();
    bench.until_all(State::Quarantined, 2).await;
    let reasons: Vec<_> = bench.items().into_iter().filter_map(|item| item.reason).collect();
    assert!(reasons[0].contains("announced for height"), "{reasons:?}");
    assert!(reasons[1].contains("announced for block"), "{reasons:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_of_the_contract_end_or_delay_one_proof() {
    let Some(mut bench) = Bench::new().await else { return };
    bench.start_ready().await;
    let refusals = [
        ("Session submissions have closed", State::Skipped),
        ("Max submissions limit exceeded", State::Skipped),
        ("Operator already submitted for the provided block hash", State::Skipped),
        ("Invalid block height", State::Skipped),
        ("Invalid specimen hash", State::Skipped),
    ];
    let given = stream(refusals.len() as u64);
    for (round, (message, state)) in refusals.into_iter().enumerate() {
        let message = format!("execution reverted: {message}");
        bench.rpc.fail("eth_estimateGas", Fault::Refuse { code: 3, message });
        bench.announce(&given[round..=round]).await;
        bench.until_all(state, round + 1).await;
        assert!(bench.items()[round].reason.is_some());
    }
    assert_eq!(bench.operator_nonce().await, 0, "nothing was paid for");
}

#[tokio::test(flavor = "multi_thread")]
async fn disabled_operator_stops_proving_and_keeps_the_work() {
    let Some(mut bench) = Bench::new().await else { return };
    let given = stream(3);
    bench.chain.set_operator_enabled(false).await.unwrap();
    bench.announce(&given).await;
    bench.start();
    bench.until("it says that it stopped", |bench| bench.paused().is_some()).await;
    let reason = bench.paused().unwrap();
    assert!(reason.to_lowercase().contains("validator"), "{reason}");
    bench.until_all(State::ProofIntent, 3).await;
    assert_eq!(bench.operator_nonce().await, 0);
    bench.chain.set_operator_enabled(true).await.unwrap();
    bench.until_all(State::Final, 3).await;
    assert_eq!(bench.paused(), None);
    bench.assert_proved_once(&given).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_role_and_wrong_contract_stop_proving() {
    for message in ["Sender is not BLOCK_RESULT_PRODUCER_ROLE", "Invalid chain ID"] {
        let Some(mut bench) = Bench::new().await else { return };
        let refusal = Fault::Refuse { code: 3, message: format!("execution reverted: {message}") };
        bench.rpc.fail("eth_estimateGas", refusal);
        bench.announce(&[one()]).await;
        bench.start();
        bench.until("it says that it stopped", |bench| bench.paused().is_some()).await;
        bench.rpc.heal("eth_estimateGas");
        bench.until_all(State::Final, 1).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn operator_without_money_stops_proving_until_there_is_some() {
    let Some(mut bench) = Bench::new().await else { return };
    let given = stream(2);
    bench.announce(&given).await;
    bench.chain.rpc("anvil_setBalance", json!([OPERATOR, "0x0"])).await.unwrap();
    bench.start();
    bench.until("it says that it stopped", |bench| bench.paused().is_some()).await;
    bench.chain.rpc("anvil_setBalance", json!([OPERATOR, "0xde0b6b3a7640000"])).await.unwrap();
    bench.until_all(State::Final, 2).await;
    bench.assert_proved_once(&given).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn underpriced_transaction_is_raised_at_its_nonce() {
    let Some(mut bench) = Bench::new().await else { return };
    let given = stream(1);
    let refusal = Fault::Refuse { code: -32000, message: "transaction underpriced".to_owned() };
    bench.rpc.fail_times("eth_sendRawTransaction", 2, refusal);
    bench.announce(&given).await;
    bench.start();
    bench.until_all(State::Final, 1).await;
    let transactions = bench.journal().unwrap().transactions(bench.items()[0].id).unwrap();
    assert_eq!(transactions.len(), 3, "{transactions:?}");
    assert!(transactions.iter().all(|transaction| transaction.nonce == 0), "{transactions:?}");
    assert!(transactions.is_sorted_by(|later, earlier| later.max_fee > earlier.max_fee), "{transactions:?}");
    bench.assert_proved_once(&given).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dropped_transaction_is_sent_again() {
    let Some(mut bench) = Bench::new().await else { return };
    let given = stream(2);
    bench.rpc.fail_times("eth_sendRawTransaction", 1, Fault::Swallow);
    bench.announce(&given).await;
    bench.start();
    bench.until_all(State::Final, 2).await;
    bench.assert_proved_once(&given).await;
    for item in bench.items() {
        assert_eq!(bench.journal().unwrap().transactions(item.id).unwrap().len(), 1, "the same bytes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn node_that_refuses_and_limits_is_survived() {
    let Some(mut bench) = Bench::new().await else { return };
    let given = stream(2);
    bench.chain.mine(300).await.unwrap();
    bench.announce(&given).await;
    bench.rpc.fail_times("eth_call", 12, Fault::Status(429));
    bench.rpc.fail_times("eth_sendRawTransaction", 7, Fault::Status(503));
    let message = "query exceeds max block range 100".to_owned();
    bench.rpc.fail("eth_getLogs", Fault::LongestRange { blocks: 100, code: -32005, message });
    bench.start();
    bench.until_all(State::Final, 2).await;
    bench.assert_proved_once(&given).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn node_that_is_away_at_the_start_is_waited_for() {
    let Some(mut bench) = Bench::new().await else { return };
    bench.rpc.fail("eth_chainId", Fault::Status(502));
    bench.announce(&[one()]).await;
    bench.start();
    bench
        .until("it says what it waits for", |bench| {
            bench.status().is_some_and(|status| status["now"]["waits_for"]["connect"].is_object())
        })
        .await;
    assert!(bench.get("/readyz").unwrap().contains(" 503 "));
    bench.rpc.heal("eth_chainId");
    bench.until_all(State::Final, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reorganisation_past_the_cursor_withdraws_and_announces_again() {
    let Some(mut bench) = Bench::new().await else { return };
    let given = one();
    // Held where nothing of it is on chain yet.
    bench
        .rpc
        .fail("eth_estimateGas", Fault::Refuse { code: 3, message: "execution reverted: panic code 0x12".to_owned() });
    let before = bench.chain.snapshot().await.unwrap();
    bench.announce(std::slice::from_ref(&given)).await;
    bench.start();
    bench.until_all(State::ProofIntent, 1).await;
    bench.chain.revert(before).await.unwrap();
    bench.chain.mine(20).await.unwrap();
    bench.until_all(State::Withdrawn, 1).await;
    bench.rpc.heal("eth_estimateGas");
    bench.announce(std::slice::from_ref(&given)).await;
    bench.until_all(State::Final, 1).await;
    bench.assert_proved_once(&[given]).await;
}
