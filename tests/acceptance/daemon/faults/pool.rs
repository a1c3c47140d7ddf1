//! The node's pool of transactions, nonces, and what a day may cost.

use std::sync::Arc;

use refiner_journal::{Journal, State, Transaction};
use refiner_testchain::{AlreadyImported, Fault, OPERATOR, PoolWords};
use serde_json::json;

use super::{until_paused, until_waits};
use crate::{
    bench::Bench,
    specimens::{one, stream},
};

const SEND: &str = "eth_sendRawTransaction";

/// The only item's transactions, the last signed first.
fn transactions(bench: &Bench) -> Vec<Transaction> {
    bench.journal().unwrap().transactions(bench.items()[0].id).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn banned_transaction_is_raised_at_its_nonce() {
    for words in [PoolWords::TemporarilyBanned, PoolWords::BannedAsKnown] {
        let Some(mut bench) = Bench::new().await else { return };
        let given = stream(1);
        bench.announce(&given).await;
        bench.rpc.fail(SEND, words.fault());
        bench.start();
        until_waits(&mut bench, "pool", "bans transaction").await;
        bench.until("it is raised", |bench| transactions(bench).len() == 2).await;
        bench.rpc.heal(SEND);
        bench.until_all(State::Final, 1).await;
        assert!(transactions(&bench).iter().all(|transaction| transaction.nonce == 0), "{words:?}");
        bench.assert_proved_once(&given).await;
        assert_eq!(bench.status().unwrap()["now"]["waitsFor"], json!({}));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn transaction_that_the_pool_had_already_is_found_on_the_chain() {
    let Some(mut bench) = Bench::new().await else { return };
    let given = stream(2);
    bench.rpc.behave(&Arc::new(AlreadyImported));
    bench.announce(&given).await;
    bench.start();
    bench.until_all(State::Final, 2).await;
    assert_eq!(transactions(&bench).len(), 1, "nothing was signed again");
    bench.assert_proved_once(&given).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn transaction_of_too_low_priority_is_raised() {
    let Some(mut bench) = Bench::new().await else { return };
    let given = stream(1);
    bench.rpc.fail_times(SEND, 2, PoolWords::TooLowPriority.fault());
    bench.announce(&given).await;
    bench.start();
    bench.until_all(State::Final, 1).await;
    assert_eq!(transactions(&bench).len(), 3);
    bench.assert_proved_once(&given).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn account_that_cannot_pay_is_waited_for_in_frontier_s_words() {
    let Some(mut bench) = Bench::new().await else { return };
    let given = stream(1);
    bench.rpc.fail(SEND, PoolWords::Payment.fault());
    bench.rpc.fail("eth_getBalance", Fault::Answer(json!("0x1")));
    bench.announce(&given).await;
    bench.start();
    let (reason, hint) = until_paused(&mut bench).await;
    assert!(reason.contains("cannot pay for gas") && hint.contains("the operator's address"), "{reason}; {hint}");
    // The pool first: an account that can pay, and is refused in these words all the same, would be one whose price is too low.
    bench.rpc.heal(SEND);
    bench.rpc.heal("eth_getBalance");
    bench.until_all(State::Final, 1).await;
    assert_eq!(transactions(&bench).len(), 1, "the same bytes");
    bench.until("proving continues", |bench| bench.paused().is_none()).await;
    bench.assert_proved_once(&given).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pool_without_room_is_waited_for_with_the_same_bytes() {
    for words in [PoolWords::QueueLimit, PoolWords::ImmediatelyDropped] {
        let Some(mut bench) = Bench::new().await else { return };
        let given = stream(2);
        bench.rpc.fail(SEND, words.fault());
        bench.announce(&given).await;
        bench.start();
        until_waits(&mut bench, "pool", "no room for transaction").await;
        bench.rpc.heal(SEND);
        bench.until_all(State::Final, 2).await;
        assert_eq!(transactions(&bench).len(), 1, "{words:?}");
        bench.assert_proved_once(&given).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nonce_that_nothing_uses_is_named_and_used_up() {
    let Some(mut bench) = Bench::new().await else { return };
    bench.announce(&[one()]).await;
    // A transaction of the key that was made elsewhere, and vanishes once a proof stands behind it.
    bench.chain.set_automine(false).await.unwrap();
    let elsewhere = json!([{"from": OPERATOR, "to": OPERATOR, "gas": "0x5208"}]);
    let elsewhere = bench.chain.rpc("eth_sendTransaction", elsewhere).await.unwrap();
    bench.start();
    bench.until_all(State::Broadcast, 1).await;
    assert_eq!(transactions(&bench)[0].nonce, 1);
    bench.chain.rpc("anvil_dropTransaction", json!([elsewhere])).await.unwrap();
    until_waits(&mut bench, "nonce", "nonce 0 is used by nothing, and 1 and later wait for it").await;
    bench.chain.set_automine(true).await.unwrap();
    bench.chain.rpc("evm_setIntervalMining", json!([1])).await.unwrap();
    bench.until_all(State::Final, 1).await;
    bench.until("nothing is missing", |bench| bench.status().unwrap()["now"]["waitsFor"] == json!({})).await;
    assert_eq!((bench.proofs().await.len(), bench.operator_nonce().await), (1, 2), "{}", bench.log());
    assert!(bench.log().contains("nonce gap filled with an empty transaction"), "{}", bench.log());
    assert_eq!(bench.journal().unwrap().open_transactions().unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn tip_stays_within_its_cap_whatever_the_node_suggests() {
    let Some(mut bench) = Bench::new().await else { return };
    bench.flags = ["--max-tip-gwei", "2"].map(str::to_owned).into();
    bench.rpc.fail("eth_maxPriorityFeePerGas", Fault::Answer(json!("0x2e90edd000")));
    let given = stream(1);
    bench.announce(&given).await;
    bench.start();
    bench.until_all(State::Final, 1).await;
    assert_eq!(transactions(&bench)[0].priority_fee, 2_000_000_000);
    bench.assert_proved_once(&given).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn day_costs_no_more_than_allowed_across_restarts() {
    let Some(mut bench) = Bench::new().await else { return };
    let given = stream(12);
    // Room for some proofs of about 0.0004 each at this chain's price, and 0.001 as long as it is not known what one cost.
    let flags =
        |coins: &str| ["--max-spend-per-day", coins, "--max-pending-transactions", "1"].map(str::to_owned).into();
    bench.flags = flags("0.003");
    bench.announce(&given).await;
    bench.start();
    let (reason, hint) = until_paused(&mut bench).await;
    assert!(reason.contains("max-spend-per-day is 0.003, ") && hint.contains("max-spend-per-day"), "{reason}; {hint}");
    let proved = bench.operator_nonce().await;
    assert!((1..12).contains(&proved), "{proved} proofs");
    let balance = bench.chain.rpc("eth_getBalance", json!([OPERATOR, "latest"])).await.unwrap();
    let balance: alloy_primitives::U256 = balance.as_str().unwrap().parse().unwrap();
    let spent = alloy_primitives::U256::from(10_000_000_000_000_000_000_000_u128) - balance;
    assert!(spent <= alloy_primitives::U256::from(3_000_000_000_000_000_u128), "{spent} wei");

    bench.kill();
    bench.start_ready().await;
    until_paused(&mut bench).await;
    assert_eq!(bench.operator_nonce().await, proved, "a restart gives no new day");
    bench.kill();
    bench.flags = flags("1");
    bench.start_ready().await;
    bench.until_all(State::Final, 12).await;
    bench.assert_proved_once(&given).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn final_proof_that_a_deep_reorganisation_took_away_is_proved_again() {
    let Some(mut bench) = Bench::new().await else { return };
    let given = stream(2);
    bench.announce(&given).await;
    let before = bench.chain.snapshot().await.unwrap();
    bench.start();
    bench.until_all(State::Final, 2).await;
    let hashes = |bench: &Bench| bench.items().iter().map(|item| item.mined_tx).collect::<Vec<_>>();
    let (mined, depth) = (hashes(&bench), 12);
    bench.chain.mine(depth).await.unwrap();
    bench.chain.revert(before).await.unwrap();
    bench.chain.mine(depth + 5).await.unwrap();
    bench.until("it is seen", |bench| bench.log().contains("final proof lost to a reorganisation")).await;
    bench.until_all(State::Final, 2).await;
    bench.until("both are proved again", |bench| bench.log().matches("proof final").count() == 4).await;
    assert_eq!(hashes(&bench), mined, "the same bytes");
    bench.assert_proved_once(&given).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pause_by_a_clock_that_was_a_day_ahead_ends_at_the_start() {
    let Some(mut bench) = Bench::new().await else { return };
    let given = stream(1);
    bench.rpc.fail("eth_estimateGas", Fault::refuse(3, "execution reverted: panic code 0x12"));
    bench.announce(&given).await;
    bench.start();
    bench.until_all(State::ProofIntent, 1).await;
    bench.kill();
    let mut journal = Journal::open(&bench.data.join("journal.sqlite")).unwrap();
    let item = bench.items().remove(0);
    let tomorrow = item.state_ms + 24 * 3_600_000;
    journal.failed(item.id, State::ProofIntent, "by a clock that was wrong", tomorrow).unwrap();
    drop(journal);
    bench.rpc.heal("eth_estimateGas");
    bench.start();
    bench.until_all(State::Final, 1).await;
    bench.assert_proved_once(&given).await;
}
