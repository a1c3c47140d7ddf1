//! The log of a daemon that nobody asked for more or less.

use std::collections::BTreeMap;

use refiner_journal::State;
use refiner_testkit::pinner::{Fault, Route};
use serde_json::Value;

use crate::{
    bench::Bench,
    specimens::{one, stream},
};

/// The objects of a log in JSON.
fn events(bench: &Bench) -> Vec<Value> {
    let log = bench.log();
    log.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_stage_of_a_specimen_is_one_event_with_the_same_fields() {
    let Some(mut bench) = Bench::new().await else { return };
    bench.log_filter = None;
    bench.flags = ["--log-format", "json", "--heartbeat", "100ms"].map(str::to_owned).into();
    bench.announce(&stream(2)).await;
    bench.start();
    bench.until_all(State::Final, 2).await;
    bench
        .until("a heartbeat has both proofs", |bench| {
            bench.log().lines().any(|line| line.contains("heartbeat") && line.contains("\"proofs\":2"))
        })
        .await;
    assert_eq!(bench.stop().await, Some(0), "{}", bench.log());

    let events = events(&bench);
    let mut stages: BTreeMap<String, u32> = BTreeMap::new();
    for event in events.iter().filter(|event| event["message"] == "stage completed") {
        assert!(event["item"].is_string() || event["item"].is_u64(), "{event}");
        assert!(event["height"].is_u64() && event["elapsed_ms"].is_u64() && event["level"] == "INFO", "{event}");
        let state = event["state"].as_str().unwrap();
        *stages.entry(format!("{} {state}", event["stage"].as_str().unwrap())).or_default() += 1;
    }
    let expected = ["fetch fetched", "pin pinned", "refine produced"].map(|stage| (stage.to_owned(), 2));
    assert_eq!(stages, BTreeMap::from(expected), "{events:#?}");
    let count = |message: &str| events.iter().filter(|event| event["message"] == message).count();
    assert_eq!((count("proof signed"), count("proof final"), count("daemon ready")), (2, 2, 1));
    let last = events.iter().rfind(|event| event["message"] == "heartbeat").unwrap();
    assert!(last["head"].as_u64() >= last["cursor"].as_u64() && last["cursor"].as_u64() > Some(0), "{last}");
    assert_eq!((&last["backlog"], &last["proofs"], &last["waiting"]), (&"none".into(), &2.into(), &0.into()));
    assert!(last["proofs_left"].as_u64() > Some(1_000), "{last}");
}

#[tokio::test(flavor = "multi_thread")]
async fn heartbeat_shows_what_is_blocked_and_the_last_failure() {
    let Some(mut bench) = Bench::new().await else { return };
    bench.log_filter = None;
    bench.flags = ["--heartbeat", "100ms"].map(str::to_owned).into();
    bench.pinner.fault(Route::Upload, Fault::DieInRequest);
    bench.pinner.fault(Route::Health, Fault::DieInRequest);
    bench.announce(&[one()]).await;
    bench.start();
    let shows = |line: &str| {
        ["heartbeat", "backlog=\"produced=1\"", "blocked=\"pinner\"", "last_failure="]
            .iter()
            .all(|words| line.contains(words))
    };
    bench.until("the heartbeat shows the pinner", |bench| bench.log().lines().any(shows)).await;
    let log = bench.log();
    assert!(log.contains("WARN") && log.contains("source unreachable"), "{log}");
}
