//! Tests of faults of pinners.

use refiner_journal::State;
use refiner_specimen::{decode, encode, specimen_hash};
use refiner_testkit::pinner::{Fault, Route};

use super::until_failed;
use crate::{
    bench::Bench,
    specimens::{one, stream},
};

#[tokio::test(flavor = "multi_thread")]
async fn pinner_that_fails_is_waited_for() {
    let Some(mut bench) = Bench::new().await else { return };
    bench.flags = ["--upload-s", "1"].map(str::to_owned).into();
    bench.start_ready().await;
    let faults = [
        (Fault::Empty, "answered 200 with an empty body"),
        (Fault::InvalidJson, "answered 500: "),
        (Fault::Status(200, "<html>Sign in".to_owned()), "answered 200 without an id"),
        (Fault::Panic, "nil pointer dereference"),
        (Fault::Stall, "within 1000 ms"),
        (Fault::StallInAnswer, "within 1000 ms"),
        (Fault::DieInRequest, "connection"),
        (Fault::DieInAnswer, "the connection broke"),
        (Fault::Status(503, "later".to_owned()), "answered 503"),
    ];
    let given = stream(faults.len() as u64);
    let place = bench.pinner.address().to_string();
    for (round, (fault, words)) in faults.into_iter().enumerate() {
        bench.pinner.fault(Route::Upload, fault);
        bench.announce(&given[round..=round]).await;
        until_failed(&mut bench, &given[round], State::Produced, words).await;
        let told = bench.items()[round].last_error.clone().unwrap();
        assert!(told.contains(&place), "which pinner: {told}");
        let waits_for = bench.waits_for("pinner").unwrap_or_default();
        assert!(waits_for.contains(words), "results wait for it: {waits_for}");
        assert!(bench.get("/metrics").unwrap().contains("refiner_waiting{part=\"pinner\"} 1"));
        bench.pinner.mend(Route::Upload);
        bench.until_all(State::Final, round + 1).await;
        assert_eq!(bench.waits_for("pinner"), None);
    }
    bench.assert_proved_once(&given).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pinner_that_answers_several_objects_at_once_is_understood() {
    let Some(mut bench) = Bench::new().await else { return };
    let given = one();
    bench.pinner.fault(Route::Upload, Fault::Concatenated);
    bench.announce(std::slice::from_ref(&given)).await;
    bench.start();
    bench.until_all(State::Final, 1).await;
    bench.assert_proved_once(&[given]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pinner_that_names_other_content_pauses_pinning_until_it_names_it_rightly() {
    let Some(mut bench) = Bench::new().await else { return };
    let given = stream(6);
    bench.pinner.fault(Route::Upload, Fault::WrongCid);
    bench.announce(&given).await;
    bench.start();
    bench.until("pinning is paused", |bench| bench.waits_for("pin").is_some()).await;
    bench.until("everything else went on", |bench| bench.in_state(State::Produced) == given.len()).await;
    // Each second one result shows whether the pinner is right again.
    let uploads = |bench: &Bench| bench.pinner.requests().iter().filter(|line| line.contains("/upload")).count();
    let before = uploads(&bench);
    bench.until("pinning was tried again twice", |bench| uploads(bench) >= before + 2).await;
    let reason = bench.waits_for("pin").unwrap();
    assert!(reason.contains("gave the content the id"), "{reason}");
    assert!(bench.get("/metrics").unwrap().contains("refiner_waiting{part=\"pin\"} 1"));
    assert_eq!((bench.in_state(State::Produced), bench.in_state(State::Quarantined)), (given.len(), 0));
    assert_eq!(bench.proofs().await, []);
    let paused = bench.log().matches("stage paused").count();
    assert_eq!(paused, 1, "it is logged once:\n{}", bench.log());

    bench.pinner.mend(Route::Upload);
    bench.until_all(State::Final, given.len()).await;
    assert_eq!(bench.waits_for("pin"), None);
    assert!(bench.get("/metrics").unwrap().contains("refiner_waiting{part=\"pin\"} 0"));
    bench.assert_proved_once(&given).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn specimen_that_is_not_there_or_garbled_is_waited_for() {
    let Some(mut bench) = Bench::new().await else { return };
    bench.start_ready().await;
    let faults = [
        (Fault::Status(500, "{\"error\": \"not found\"}".to_owned()), "no source returned the content"),
        (Fault::Empty, "answered 200 with an empty body"),
        (Fault::Flipped, "sent content with the id"),
        (Fault::DieInAnswer, "the connection broke"),
    ];
    let given = stream(faults.len() as u64);
    for (round, (fault, words)) in faults.into_iter().enumerate() {
        bench.pinner.fault(Route::Get, fault);
        bench.announce(&given[round..=round]).await;
        until_failed(&mut bench, &given[round], State::Announced, words).await;
        bench.pinner.mend(Route::Get);
        bench.until_all(State::Final, round + 1).await;
    }
    bench.assert_proved_once(&given).await;
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
    let announced = format!("computed {}", given[1].block_hash);
    assert!(reasons[1].contains("announced for another block: knownBlock failed: stated 0x"), "{reasons:?}");
    assert!(reasons[1].ends_with(&announced), "{reasons:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_specimen_or_contradict_their_block_hash_are_set_aside_when_they_are_fetched() {
    let Some(mut bench) = Bench::new().await else { return };
    let mut given = stream(3);
    // The hash that is announced is always that of the bytes.
    given[0].bytes = b"no specimen".to_vec();
    let mut lies = decode(&given[1].bytes).unwrap();
    lies.block.header.gas_used += 1;
    given[1].bytes = encode(&lies, lies.layout).unwrap();
    for given in &mut given {
        given.hash = specimen_hash(&given.bytes);
    }
    bench.announce(&given).await;
    bench.start();
    bench.until_all(State::Quarantined, 2).await;
    bench.until_all(State::Final, 1).await;
    let reasons: Vec<_> = bench.items().into_iter().filter_map(|item| item.reason).collect();
    assert!(reasons[0].starts_with("fetch: no specimen: not a specimen: layout"), "{reasons:?}");
    assert!(reasons[1].starts_with("fetch: the block contradicts itself: blockHash failed: stated 0x"), "{reasons:?}");
    bench.assert_proved_once(&given[2..]).await;
}
