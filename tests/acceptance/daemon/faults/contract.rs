//! The contract's refusals and the operator's account.

use refiner_journal::State;
use refiner_testchain::{Fault, OPERATOR, OPERATOR_KEY, STRANGER, STRANGER_KEY, Setup};
use serde_json::json;

use super::{until_failed, until_paused};
use crate::{
    bench::Bench,
    specimens::{one, stream},
};

#[tokio::test(flavor = "multi_thread")]
async fn refusals_of_the_contract_end_one_proof() {
    let Some(mut bench) = Bench::new().await else { return };
    bench.start_ready().await;
    let refusals = [
        ("Session submissions have closed", "the session has closed"),
        ("Max submissions limit exceeded", "on chain already"),
        ("Operator already submitted for the provided block hash", "on chain already"),
        ("Invalid block height", "the height is not one of those"),
        ("Invalid specimen hash", "the specimen hash is zero"),
    ];
    let given = stream(refusals.len() as u64);
    for (round, (message, words)) in refusals.into_iter().enumerate() {
        let message = format!("execution reverted: {message}");
        bench.rpc.fail("eth_estimateGas", Fault::Refuse { code: 3, message });
        bench.announce(&given[round..=round]).await;
        bench.until_all(State::Skipped, round + 1).await;
        let reason = bench.items()[round].reason.clone().unwrap();
        assert!(reason.contains(words), "{reason}");
    }
    assert_eq!(bench.operator_nonce().await, 0, "nothing was paid for");
}

#[tokio::test(flavor = "multi_thread")]
async fn specimen_whose_session_is_closed_is_skipped_before_any_work() {
    let Some(mut bench) = Bench::with(&Setup { session_blocks: 5, ..Setup::default() }).await else { return };
    let given = one();
    // Another operator opens the session, and time passes.
    bench.chain.add_operator(STRANGER, 3).await.unwrap();
    bench.key = STRANGER_KEY;
    bench.announce(std::slice::from_ref(&given)).await;
    bench.start();
    bench.until_all(State::Final, 1).await;
    bench.kill();
    bench.chain.mine(10).await.unwrap();

    bench.key = OPERATOR_KEY;
    bench.data = bench.directory.path().join("other");
    bench.start();
    bench.until_all(State::Skipped, 1).await;
    let item = bench.items().remove(0);
    assert!(item.reason.as_ref().is_some_and(|reason| reason.contains("the session is closed")), "{item:?}");
    assert_eq!(item.specimen_cid, None, "nothing was fetched");
    assert_eq!((bench.proofs().await.len(), bench.operator_nonce().await), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn height_out_of_bounds_is_skipped_when_too_old_and_waited_for_when_too_new() {
    let Some(mut bench) = Bench::new().await else { return };
    let given = stream(2);
    let height = given[0].height;
    bench.chain.set_live_sync(1, height + 10_000, 4_000).await.unwrap();
    bench.start_ready().await;
    bench.announce(&given[..1]).await;
    bench.until_all(State::Skipped, 1).await;
    let reason = bench.items()[0].reason.clone().unwrap();
    assert!(reason.contains("bounds for live sync, too old"), "{reason}");
    assert!(bench.log().contains("start from a later block"), "{}", bench.log());

    bench.chain.set_live_sync(1, height - 10_000, 4_000).await.unwrap();
    bench.announce(&given[1..]).await;
    until_failed(&mut bench, &given[1], State::ProofIntent, "bounds for live sync, too new").await;
    assert!(bench.log().contains("nothing to do but wait"), "{}", bench.log());
    bench.chain.set_live_sync(1, height, 4_000).await.unwrap();
    bench.until_all(State::Final, 1).await;
    bench.assert_proved_once(&given[1..]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn disabled_operator_stops_proving_and_keeps_the_work() {
    let Some(mut bench) = Bench::new().await else { return };
    let given = stream(3);
    bench.chain.set_operator_enabled(false).await.unwrap();
    bench.announce(&given).await;
    bench.start();
    let (reason, hint) = until_paused(&mut bench).await;
    assert!(reason.contains("validator is not enabled") && hint.contains("stake on Ethereum"), "{reason}; {hint}");
    bench.until_all(State::ProofIntent, 3).await;
    assert_eq!(bench.operator_nonce().await, 0);
    bench.chain.set_operator_enabled(true).await.unwrap();
    bench.until_all(State::Final, 3).await;
    assert_eq!(bench.paused(), None);
    bench.assert_proved_once(&given).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn key_without_the_role_stops_proving_until_it_has_it() {
    let Some(mut bench) = Bench::new().await else { return };
    bench.key = STRANGER_KEY;
    bench.announce(&[one()]).await;
    bench.start();
    let (reason, hint) = until_paused(&mut bench).await;
    assert!(reason.contains("not a block result producer") && hint.contains("ask Covalent"), "{reason}; {hint}");
    assert_eq!(bench.in_state(State::ProofIntent), 1);
    bench.chain.add_operator(STRANGER, 3).await.unwrap();
    bench.until_all(State::Final, 1).await;
    assert_eq!(bench.proofs().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn contract_that_does_not_know_the_chain_stops_proving() {
    let Some(mut bench) = Bench::new().await else { return };
    let refusal = Fault::Refuse { code: 3, message: "execution reverted: Invalid chain ID".to_owned() };
    bench.rpc.fail("eth_estimateGas", refusal);
    bench.announce(&[one()]).await;
    bench.start();
    let (reason, hint) = until_paused(&mut bench).await;
    assert!(reason.contains("does not know this source chain") && hint.contains("BRP contract"), "{reason}; {hint}");
    bench.rpc.heal("eth_estimateGas");
    bench.until_all(State::Final, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn operator_without_money_stops_proving_until_there_is_some() {
    let Some(mut bench) = Bench::new().await else { return };
    let given = stream(2);
    bench.announce(&given).await;
    bench.chain.rpc("anvil_setBalance", json!([OPERATOR, "0x0"])).await.unwrap();
    bench.start();
    let (reason, hint) = until_paused(&mut bench).await;
    assert!(reason.contains("cannot pay for gas") && hint.contains("the operator's address"), "{reason}; {hint}");
    assert_eq!(bench.in_state(State::Final), 0);
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
    assert!(bench.log().contains("proof fees raised"), "{}", bench.log());
    bench.assert_proved_once(&given).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fees_above_the_cap_stop_proving_until_they_fall() {
    let Some(mut bench) = Bench::new().await else { return };
    let given = stream(1);
    bench.flags = ["--max-fee-gwei", "5"].map(str::to_owned).into();
    bench.chain.rpc("anvil_setNextBlockBaseFeePerGas", json!(["0x174876e800"])).await.unwrap();
    bench.announce(&given).await;
    bench.start();
    let (reason, hint) = until_paused(&mut bench).await;
    assert!(reason.contains("is allowed") && hint.contains("max-fee-gwei"), "{reason}; {hint}");
    bench.chain.rpc("anvil_setNextBlockBaseFeePerGas", json!(["0x1"])).await.unwrap();
    bench.chain.mine(1).await.unwrap();
    bench.until_all(State::Final, 1).await;
    bench.assert_proved_once(&given).await;
}
