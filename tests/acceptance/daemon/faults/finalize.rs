//! Sessions past their deadline.

use alloy_primitives::B256;
use refiner_journal::State;
use refiner_testchain::{STRANGER, Setup};
use serde_json::{Value, json};

use crate::{
    bench::Bench,
    specimens::{Given, stream},
};

/// A session's length, and more blocks than operators spread over.
const SESSION: u64 = 5;
const LATER: u64 = SESSION + 25;
/// `BlockResultQuorum`.
const QUORUM: &str = "0xab2d4a77e5823abb8d239b8a7c25c6f53f7239af1ccdb18dfd27c7da0db24a22";

async fn bench(policy: &str) -> Option<Bench> {
    let mut bench = Bench::with(&Setup { session_blocks: SESSION, ..Setup::default() }).await?;
    bench.flags = ["--finalize", policy].map(str::to_owned).into();
    Some(bench)
}

async fn quorums(bench: &Bench) -> usize {
    bench.chain.logs(bench.chain.result_contract(), QUORUM.parse().unwrap()).await.unwrap().len()
}

/// The sessions that are followed, by their outcome.
fn sessions(bench: &Bench) -> Value {
    bench.status().map(|mut status| status["journal"]["sessions"].take()).unwrap_or_default()
}

async fn stranger_proves(bench: &Bench, one: &Given) {
    let result = B256::repeat_byte(0x5a);
    bench.chain.prove_result(STRANGER, one.chain, one.height, one.hash, result).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn own_sessions_are_finalized_and_those_of_others_are_not() {
    let Some(mut bench) = bench("own").await else { return };
    bench.chain.add_operator(STRANGER, 3).await.unwrap();
    let given = stream(3);
    stranger_proves(&bench, &given[2]).await;
    bench.announce(&given[..2]).await;
    bench.start();
    bench.until_all(State::Final, 2).await;
    bench.until("they are followed", |bench| sessions(bench) == json!({"waits": 2})).await;
    assert_eq!(bench.operator_nonce().await, 2, "nothing is sent before the deadline");
    bench.chain.mine(LATER).await.unwrap();
    bench.until("both are finalized", |bench| sessions(bench) == json!({"finalized": 2})).await;
    assert_eq!((quorums(&bench).await, bench.operator_nonce().await, bench.proofs().await.len()), (2, 4, 3));
    assert_eq!(bench.journal().unwrap().open_transactions().unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn session_that_another_finalized_first_costs_nothing() {
    let Some(mut bench) = bench("own").await else { return };
    let given = stream(1);
    bench.announce(&given).await;
    bench.start();
    bench.until_all(State::Final, 1).await;
    bench.kill();
    bench.chain.mine(LATER).await.unwrap();
    bench.chain.finalize_result(given[0].chain, given[0].height).await.unwrap();
    bench.start();
    bench.until("it is seen", |bench| sessions(bench) == json!({"ended": 1})).await;
    assert_eq!(bench.operator_nonce().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_sessions_are_finalized_under_the_day_s_bound() {
    let Some(mut bench) = bench("all").await else { return };
    bench.chain.add_operator(STRANGER, 3).await.unwrap();
    let given = stream(2);
    for one in &given {
        stranger_proves(&bench, one).await;
    }
    bench.chain.mine(LATER).await.unwrap();
    bench.flags.extend(["--max-spend-per-day", "0.000001"].map(str::to_owned));
    bench.start();
    let (reason, _) = super::until_paused(&mut bench).await;
    assert!(reason.contains("max-spend-per-day"), "{reason}");
    assert_eq!((quorums(&bench).await, bench.operator_nonce().await), (0, 0));
    bench.kill();
    bench.flags.truncate(2);
    bench.start();
    bench.until("both are finalized", |bench| sessions(bench) == json!({"finalized": 2})).await;
    assert_eq!((quorums(&bench).await, bench.operator_nonce().await), (2, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn session_is_shown_with_its_phase_proofs_and_winner() {
    let Some(bench) = bench("none").await else { return };
    bench.chain.add_operator(STRANGER, 3).await.unwrap();
    let one = &stream(1)[0];
    let show = || -> Value {
        let output = bench.session(one.height).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{errors}");
        serde_json::from_slice(&output.stdout).unwrap()
    };
    assert_eq!(show()["phase"], "not started");
    stranger_proves(&bench, one).await;
    let open = show();
    assert_eq!((&open["phase"], open["proofs"][0]["operators"].as_u64()), (&Value::from("open"), Some(1)), "{open}");
    bench.chain.mine(LATER).await.unwrap();
    assert_eq!(show()["phase"], "past its deadline, not finalized");
    bench.chain.finalize_result(one.chain, one.height).await.unwrap();
    let ended = show();
    assert_eq!(ended["phase"], "finalized");
    assert_eq!(ended["quorum"]["resultHash"], Value::from(B256::repeat_byte(0x5a).to_string()), "{ended}");
}
