//! From an announcement to a proof.

use std::{fs, process::Command};

use refiner_journal::State;
use refiner_specimen::sha256;
use serde_json::Value;

use crate::{
    bench::Bench,
    golden::{assert_golden, keys},
    specimens::{Given, committed_and_real, one, stream},
};

/// Runs `refiner replay` on a specimen: the sha256 of its result, or nothing where the rule refuses it.
pub fn replayed(directory: &std::path::Path, given: &Given) -> Option<String> {
    let path = directory.join(format!("{}-{}.avro", given.chain, given.height));
    fs::write(&path, &given.bytes).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_refiner")).arg("replay").arg(&path).arg("--json").output().unwrap();
    let line = String::from_utf8(output.stdout).unwrap().lines().next().unwrap().to_owned();
    let run: Value = serde_json::from_str(&line).unwrap();
    let sha256 = run["artifacts"][0]["sha256"].as_str()?;
    Some(sha256.trim_start_matches("0x").to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn announced_specimens_are_fetched_run_pinned_and_proved() {
    let Some(mut bench) = Bench::new().await else { return };
    let given = committed_and_real();
    let expected: Vec<_> = given.iter().map(|given| replayed(bench.directory.path(), given)).collect();
    bench.announce(&given).await;
    bench.start();
    let provable = expected.iter().flatten().count();
    bench.until_all(State::Final, provable).await;
    bench.until_all(State::Refused, given.len() - provable).await;

    let proofs = bench.proofs().await;
    assert_eq!(proofs.len(), provable);
    for (given, expected) in given.iter().zip(&expected) {
        let Some(expected) = expected else { continue };
        let proof = proofs.iter().find(|proof| proof.specimen_hash == given.hash).unwrap();
        assert_eq!(proof.height, given.height);
        assert_eq!(format!("{:x}", proof.result_hash), *expected, "the same bytes as `replay` gives");
        let cid = proof.url.strip_prefix("ipfs://").unwrap();
        let result = bench.pinner.content(cid).unwrap();
        assert_eq!(sha256(&result), proof.result_hash, "what the URL leads to");
    }
    assert_eq!(bench.operator_nonce().await, provable as u64);
    assert_eq!(bench.stop().await, Some(0), "{}", bench.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn specimens_announced_later_are_proved_too_and_the_status_tells() {
    let Some(mut bench) = Bench::new().await else { return };
    bench.start_ready().await;
    let given = stream(3);
    bench.announce(&given[..1]).await;
    bench.until_all(State::Final, 1).await;
    bench.announce(&given[1..]).await;
    bench.until_all(State::Final, 3).await;
    bench.assert_proved_once(&given).await;

    let status = bench.status().unwrap();
    assert_golden("json-status", &keys(&status));
    assert_eq!(status["journal"]["items"]["final"], 3, "{status}");
    assert_eq!(status["journal"]["unsettled"], 0, "{status}");
    assert_eq!(status["now"]["ready"], true, "{status}");
    assert!(status["now"]["paused"].is_null(), "{status}");
    assert!(status["now"]["head"].as_u64() >= status["now"]["cursor"].as_u64(), "{status}");
    assert!(bench.get("/livez").unwrap().contains(" 200 "));
}

#[tokio::test(flavor = "multi_thread")]
async fn results_are_kept_without_a_key_and_nothing_is_proved() {
    let Some(mut bench) = Bench::new().await else { return };
    bench.flags = ["--prove", "none"].map(str::to_owned).into();
    bench.announce(&[one()]).await;
    bench.start();
    bench.until_all(State::Pinned, 1).await;
    assert_eq!(bench.proofs().await, []);
    assert_eq!(bench.operator_nonce().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_journal_is_scanned_anew_and_nothing_is_proved_twice() {
    let Some(mut bench) = Bench::new().await else { return };
    let given = stream(3);
    bench.announce(&given).await;
    bench.start();
    bench.until_all(State::Final, 3).await;
    bench.kill();
    for file in ["journal.sqlite", "journal.sqlite-wal", "journal.sqlite-shm"] {
        let _ = fs::remove_file(bench.data.join(file));
    }
    bench.start();
    bench.until_all(State::Skipped, 3).await;
    bench.assert_proved_once(&given).await;
}
