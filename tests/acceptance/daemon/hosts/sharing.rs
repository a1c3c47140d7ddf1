//! Work that is shared, and hosts that go and come.

use std::time::Duration;

use refiner_journal::State;
use refiner_specimen::sha256;

use super::{
    crew::{ACK_WAIT_S, Crew, queue},
    nats::Nats,
};
use crate::{
    bench::Bench,
    end_to_end::replayed,
    specimens::{committed_and_real, one, stream},
};

#[tokio::test(flavor = "multi_thread")]
async fn two_worker_hosts_prove_every_specimen_once_with_the_bytes_of_a_replay() {
    let Some(mut bench) = Bench::new().await else { return };
    let Some(nats) = Nats::alone(bench.directory.path(), "") else { return };
    let mut crew = Crew::of(&mut bench, &nats.url());
    crew.hire("one", &[]);
    crew.hire("two", &[]);
    let mut given = committed_and_real();
    given.extend(stream(12));
    let expected: Vec<_> = given.iter().map(|given| replayed(bench.directory.path(), given)).collect();
    let provable = expected.iter().flatten().count();
    bench.start_ready().await;
    bench
        .until("both hosts are there", |bench| queue(bench)["hosts"].as_array().is_some_and(|hosts| hosts.len() == 2))
        .await;
    bench.announce(&given).await;
    bench.until_all(State::Final, provable).await;
    bench.until_all(State::Refused, given.len() - provable).await;

    let proofs = bench.proofs().await;
    assert_eq!(proofs.len(), provable);
    for (given, expected) in given.iter().zip(&expected) {
        let Some(expected) = expected else { continue };
        let proof = proofs.iter().find(|proof| proof.specimen_hash == given.hash).unwrap();
        assert_eq!(format!("{:x}", proof.result_hash), *expected, "the same bytes as `replay` gives");
        let result = bench.pinner.content(proof.url.strip_prefix("ipfs://").unwrap()).unwrap();
        assert_eq!(sha256(&result), proof.result_hash);
    }
    assert_eq!(bench.operator_nonce().await, provable as u64);
    // Both had a part, and the daemon had none.
    assert!(crew.host("one").completed() > 0 && crew.host("two").completed() > 0, "{}", crew.logs());
    assert_eq!(bench.workers(), []);
    let shown = queue(&bench);
    assert_eq!((&shown["disagreements"], &shown["connected"]), (&0.into(), &true.into()), "{shown}");
    assert_eq!(bench.stop().await, Some(0), "{}", bench.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_that_are_killed_again_and_again_lose_no_specimen() {
    let Some(mut bench) = Bench::new().await else { return };
    let Some(nats) = Nats::alone(bench.directory.path(), "") else { return };
    let mut crew = Crew::of(&mut bench, &nats.url());
    let given = stream(60);
    for name in ["one", "two", "three"] {
        crew.hire(name, &[]);
    }
    bench.start_ready().await;
    bench.announce(&given).await;
    for (name, other) in [("one", "two"), ("two", "three"), ("three", "one")] {
        tokio::time::sleep(Duration::from_secs(2)).await;
        crew.host(name).kill();
        tokio::time::sleep(Duration::from_millis(200)).await;
        crew.host(name).start(&[]);
        let _ = other;
    }
    bench.until_all(State::Final, given.len()).await;
    bench.assert_proved_once(&given).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn host_that_was_paused_past_the_ack_wait_answers_late_and_the_first_result_counts() {
    let Some(mut bench) = Bench::new().await else { return };
    let Some(nats) = Nats::alone(bench.directory.path(), "") else { return };
    let mut crew = Crew::of(&mut bench, &nats.url());
    let given = stream(20);
    crew.hire("one", &[]);
    bench.start_ready().await;
    bench.announce(&given).await;
    bench.until("it works", |_| crew.host("one").completed() > 0).await;
    crew.host("one").signal(rustix::process::Signal::STOP);
    crew.hire("two", &[]);
    bench.until_all(State::Final, given.len()).await;
    crew.host("one").signal(rustix::process::Signal::CONT);
    tokio::time::sleep(Duration::from_secs(ACK_WAIT_S)).await;
    bench.assert_proved_once(&given).await;
    assert_eq!(queue(&bench)["disagreements"], 0, "{}", queue(&bench));
}

#[tokio::test(flavor = "multi_thread")]
async fn status_names_the_rule_that_no_host_serves_and_the_reason_of_a_host_that_does_not() {
    let Some(mut bench) = Bench::new().await else { return };
    let Some(nats) = Nats::alone(bench.directory.path(), "") else { return };
    let mut crew = Crew::of(&mut bench, &nats.url());
    bench.start_ready().await;
    let given = stream(2);
    bench.announce(&given).await;
    bench
        .until("nobody serves the rule", |bench| {
            bench.waits_for("queue").is_some_and(|what| what.contains("no worker host for rule block-result: 2 items"))
        })
        .await;
    // A host that permits less than the coordinator grants.
    crew.hire("small", &["--rule-limit", "fuel=1000"]);
    bench.until("it tells why", |bench| queue(bench)["hosts"][0]["refuses"][0].as_str().is_some()).await;
    assert_eq!(bench.in_state(State::Fetched), 2);
    crew.hire("large", &[]);
    bench.until_all(State::Final, 2).await;
    bench.until("nothing waits", |bench| bench.waits_for("queue").is_none()).await;
    assert_eq!(crew.host("small").completed(), 0);
    let page = bench.get("/").unwrap();
    for shown in ["Worker hosts <span class=\"count\">2</span>", "<code>large</code>", "does not serve block-result: "]
    {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    let metrics = bench.get("/metrics").unwrap();
    assert!(
        metrics.contains("refiner_queue_hosts 2") && metrics.contains("refiner_disagreements_total 0"),
        "{metrics}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn second_opinion_waits_for_a_host_that_is_away_and_its_specimen_is_not_blamed() {
    let Some(mut bench) = Bench::new().await else { return };
    let Some(nats) = Nats::alone(bench.directory.path(), "") else { return };
    let mut crew = Crew::of(&mut bench, &nats.url());
    bench.flags.extend(["--recheck", "1/1"].map(str::to_owned));
    crew.hire("one", &[]);
    bench.start_ready().await;
    let given = [one()];
    bench.announce(&given).await;
    bench.until("the first opinion", |_| crew.host("one").completed() == 1).await;
    let (id, mut client) = (queue(&bench)["id"].as_str().unwrap().to_owned(), nats.client());
    // More often than a specimen that ends hosts is given to one.
    let times = u64::from(refiner_queue::POISON_DELIVERIES) + 3;
    bench.until("a second one is wanted again and again", |_| client.published(&id) > times).await;
    assert_eq!((bench.in_state(State::Fetched), crew.host("one").completed()), (1, 1));
    crew.hire("two", &[]);
    bench.until_all(State::Final, 1).await;
    assert_eq!((crew.host("one").completed(), crew.host("two").completed()), (1, 1), "{}", crew.logs());
    bench.assert_proved_once(&given).await;
}
