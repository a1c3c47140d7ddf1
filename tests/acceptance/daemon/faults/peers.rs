//! Other operators' proofs of the same specimens.

use alloy_primitives::B256;
use refiner_journal::State;
use refiner_testchain::{OPERATOR_KEY, STRANGER, STRANGER_KEY};
use serde_json::json;

use super::until_paused;
use crate::{
    bench::Bench,
    specimens::{Given, stream},
};

/// Another operator, whose proofs come first.
async fn others_prove(bench: &Bench, given: &[Given], result_hash: B256) {
    for one in given {
        bench.chain.prove_result(STRANGER, one.chain, one.height, one.hash, result_hash).await.unwrap();
    }
}

fn compared(bench: &Bench) -> serde_json::Value {
    bench.status().unwrap()["now"]["compared"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn proving_pauses_when_others_deny_three_results_in_a_row() {
    let Some(mut bench) = Bench::new().await else { return };
    bench.chain.add_operator(STRANGER, 3).await.unwrap();
    let given = stream(5);
    let another = B256::repeat_byte(0x5a);
    others_prove(&bench, &given, another).await;
    bench.announce(&given).await;
    bench.flags = ["--max-pending-transactions", "1"].map(str::to_owned).into();
    bench.start();
    let (reason, hint) = until_paused(&mut bench).await;
    assert!(reason.starts_with("3 results in a row differ from those of other operators"), "{reason}");
    assert!(reason.contains(&another.to_string()) && hint.contains("format"), "{reason}; {hint}");
    bench.until_all(State::ProofIntent, 3).await;
    assert_eq!(bench.operator_nonce().await, 2, "the third was not signed");
    let metrics = bench.get("/metrics").unwrap();
    assert!(metrics.contains("refiner_comparisons_total{outcome=\"differed\"}"), "{metrics}");

    // A restart does not count anew.
    bench.kill();
    bench.start();
    until_paused(&mut bench).await;
    assert_eq!(bench.operator_nonce().await, 2);
    let seen = compared(&bench);
    assert!(seen["inARow"].as_u64() >= Some(3), "{seen}");
    assert_eq!(seen["lastDifference"]["theirs"][0]["resultHash"], json!(another));

    bench.kill();
    bench.flags.extend(["--max-differences", "0"].map(str::to_owned));
    bench.start();
    bench.until_all(State::Final, 5).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn results_that_others_proved_too_are_counted_and_proved() {
    let Some(mut bench) = Bench::new().await else { return };
    bench.chain.add_operator(STRANGER, 3).await.unwrap();
    let given = stream(4);
    others_prove(&bench, &given[..1], B256::repeat_byte(0x5a)).await;
    bench.announce(&given[..3]).await;
    // Another operator runs the same program.
    bench.key = STRANGER_KEY;
    bench.start();
    bench.until_all(State::Final, 2).await;
    bench.kill();

    bench.announce(&given[3..]).await;
    bench.key = OPERATOR_KEY;
    bench.data = bench.directory.path().join("other");
    bench.start();
    bench.until_all(State::Final, 4).await;
    let seen = compared(&bench);
    let counts = ["agreed", "differed", "alone"].map(|key| seen[key].as_u64().unwrap());
    assert_eq!(counts, [2, 1, 1], "{seen}");
    // Results are compared in the order in which they are ready, so the one that differs may be the last.
    assert!(seen["inARow"].as_u64() <= Some(1), "{seen}");
    assert_eq!(bench.paused(), None);
}
