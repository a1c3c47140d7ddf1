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
    let (own, strangers) = (bench.data.clone(), bench.directory.path().join("stranger"));
    // The result that differs is compared first, whatever the order of the others.
    others_prove(&bench, &given[..1], B256::repeat_byte(0x5a)).await;
    bench.announce(&given[..1]).await;
    bench.start();
    bench.until_all(State::Final, 1).await;
    let seen = compared(&bench);
    assert_eq!((&seen["differed"], &seen["inARow"]), (&json!(1), &json!(1)), "{seen}");
    bench.kill();

    // Another operator runs the same program.
    (bench.key, bench.data) = (STRANGER_KEY, strangers);
    bench.announce(&given[1..3]).await;
    bench.start();
    bench.until_all(State::Final, 2).await;
    bench.kill();

    (bench.key, bench.data) = (OPERATOR_KEY, own);
    bench.announce(&given[3..]).await;
    bench.start();
    bench.until_all(State::Final, 4).await;
    let seen = compared(&bench);
    // Counts are of this process; results in a row go on from the last.
    let counts = ["agreed", "differed", "alone", "inARow"].map(|key| seen[key].as_u64().unwrap());
    assert_eq!(counts, [2, 0, 1, 0], "{seen}");
    assert_eq!(bench.paused(), None);
}
