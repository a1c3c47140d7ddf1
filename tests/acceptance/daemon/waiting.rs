//! Specimens that no source has: they keep none of the others waiting, and are found when a source has them.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use alloy_primitives::B256;
use refiner_journal::{Announcement, Checkpoint, Journal, State, Step, Target};
use refiner_testchain::Specimen;
use refiner_testkit::pinner::PinnerDouble;

use crate::{
    bench::Bench,
    specimens::{Given, one, stream},
};

/// Addresses of forms that lead nowhere.
const UNREADABLE: [&str; 4] =
    ["only local: ./bin/block-ethereum/x", "ftp://files.example/x", "bzz0a", "ipfs://nothing"];

/// Announces specimens under addresses that cannot be read.
async fn announce_unreadable(bench: &Bench, given: &[Given]) {
    let announced = given.iter().zip(UNREADABLE.iter().cycle()).map(|(given, url)| Specimen {
        chain_id: given.chain,
        height: given.height,
        block_hash: given.block_hash,
        specimen_hash: given.hash,
        url: (*url).to_owned(),
    });
    bench.chain.announce_all(&announced.collect::<Vec<_>>()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn unreadable_announcements_hold_back_none_of_those_behind_them() {
    const UNREADABLE_COUNT: usize = 50;
    let Some(mut bench) = Bench::new().await else { return };
    bench.flags = ["--backlog", "2"].map(str::to_owned).into();
    let given = stream(UNREADABLE_COUNT as u64 + 3);
    let (unreadable, good) = given.split_at(UNREADABLE_COUNT);
    announce_unreadable(&bench, unreadable).await;
    bench.announce(good).await;
    bench.start();
    bench.until_all(State::Final, good.len()).await;
    bench.until_all(State::Waiting, UNREADABLE_COUNT).await;
    bench.assert_proved_once(good).await;

    let status = bench.status().unwrap();
    let waiting = &status["journal"]["waiting"];
    assert_eq!(waiting["items"], UNREADABLE_COUNT, "{status}");
    let reasons: Vec<_> =
        waiting["first"].as_array().unwrap().iter().map(|item| item["reason"].as_str().unwrap()).collect();
    for words in [
        "only on the producer's disk",
        "scheme \"ftp\" is not fetched",
        "neither a URL nor a content id",
        "no content id",
    ] {
        assert!(reasons.iter().any(|reason| reason.contains(words)), "{words}: {reasons:?}");
    }
    let metrics = bench.get("/metrics").unwrap();
    assert!(metrics.contains("refiner_items{state=\"waiting\"} 50"), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn scanning_goes_on_with_ten_thousand_that_wait() {
    const COUNT: u64 = 10_000;
    let Some(mut bench) = Bench::new().await else { return };
    bench.flags = ["--backlog", "2"].map(str::to_owned).into();
    std::fs::create_dir_all(&bench.data).unwrap();
    let mut journal = Journal::open(&bench.data.join("journal.sqlite")).unwrap();
    let announcements: Vec<_> = (0..COUNT).map(announcement).collect();
    let target = Target { rule: B256::repeat_byte(1), name: "other".into(), proves: false };
    let start = Checkpoint { number: 0, hash: genesis(&bench).await };
    journal.scanned(&announcements, &[target], &[start], 1).unwrap();
    let items = journal.list(&Default::default(), usize::MAX >> 1).unwrap();
    let waiting = |due_ms| Step::Waiting { reason: "no source gave it".into(), awaits: None, due_ms };
    // Half of them are due at once.
    let steps = (0..).zip(&items).map(|(index, item)| (item.id, waiting(if index % 2 == 0 { 1 } else { 1 << 50 })));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    journal.advance_all(&steps.collect::<Vec<_>>(), u64::try_from(now.as_millis()).unwrap()).unwrap();
    drop(journal);

    let good = stream(3);
    bench.announce(&good).await;
    let begun = Instant::now();
    bench.start();
    bench.until_all(State::Final, good.len()).await;
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    bench.assert_proved_once(&good).await;
    assert_eq!(bench.status().unwrap()["journal"]["waiting"]["items"], COUNT);
}

fn announcement(height: u64) -> Announcement {
    let mut hash = B256::repeat_byte(0x5e);
    hash[24..].copy_from_slice(&height.to_be_bytes());
    Announcement { chain: 1, height, block_hash: hash, specimen_hash: hash, announced_in: 0 }
}

async fn genesis(bench: &Bench) -> B256 {
    let block = bench.chain.rpc("eth_getBlockByNumber", serde_json::json!(["0x0", false])).await.unwrap();
    block["hash"].as_str().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn pinner_that_comes_back_wakes_what_waits_for_it() {
    let Some(mut bench) = Bench::new().await else { return };
    bench.flags = ["--retry-ms", "500"].map(str::to_owned).into();
    let given = one();
    let address = bench.pinner.address();
    let announced = Specimen {
        chain_id: given.chain,
        height: given.height,
        block_hash: given.block_hash,
        specimen_hash: given.hash,
        url: format!("ipfs://{}", bench.pinner.put(&given.bytes)),
    };
    // Nothing listens where the pinner was.
    bench.pinner = PinnerDouble::start().unwrap();
    bench.chain.announce(&announced).await.unwrap();
    bench.start();
    bench.until_all(State::Waiting, 1).await;
    let item = bench.items().remove(0);
    assert!(item.reason.unwrap().contains("no connection"));
    assert_eq!(item.awaits.as_deref(), Some(&*format!("http://{address}")));
    let status = bench.status().unwrap();
    assert!(status["now"]["waitsFor"]["pinner"]["what"].as_str().unwrap().contains("no connection"), "{status}");

    bench.pinner = PinnerDouble::start_on(address).unwrap();
    bench.pinner.put(&given.bytes);
    bench.until_all(State::Final, 1).await;
    let log = bench.log();
    assert!(log.contains("source reachable again") && log.contains("waiting=1"), "{log}");
    assert!(bench.status().unwrap()["now"]["waitsFor"]["pinner"].is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn specimen_that_no_source_has_within_the_limit_is_given_up() {
    let Some(mut bench) = Bench::new().await else { return };
    bench.flags = ["--waiting-limit", "1s"].map(str::to_owned).into();
    announce_unreadable(&bench, &[one()]).await;
    bench.start();
    bench.until_all(State::Skipped, 1).await;
    let reason = bench.items().remove(0).reason.unwrap();
    assert!(reason.starts_with("no source had it within 1s: the chain names no place"), "{reason}");
}
