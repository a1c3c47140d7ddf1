//! Nodes of the proof chain.

use refiner_journal::State;
use refiner_testchain::{Fault, TRIAL};
use serde_json::json;

use super::until_waits;
use crate::{
    bench::Bench,
    specimens::{one, stream},
};

#[tokio::test(flavor = "multi_thread")]
async fn node_that_is_silent_away_or_limits_rates_is_waited_for() {
    let Some(mut bench) = Bench::new().await else { return };
    bench.flags = ["--rpc-s", "1"].map(str::to_owned).into();
    let given = stream(3);
    bench.start_ready().await;
    let faults = [
        (Fault::Hang, "did not answer {} within 1000 ms"),
        (Fault::Status(429), "answered {} with HTTP 429"),
        (
            Fault::Refuse { code: -32005, message: "daily request limit reached".into() },
            "refused {}: daily request limit",
        ),
    ];
    for (round, (fault, words)) in faults.into_iter().enumerate() {
        // Two parts of the daemon meet it: what was scanned is not proved, what comes later is not seen.
        let prepares = if round == 0 { "eth_estimateGas" } else { TRIAL };
        bench.rpc.fail(prepares, fault.clone());
        bench.announce(&given[round..=round]).await;
        bench.until_all(State::ProofIntent, 1).await;
        bench.rpc.fail("eth_blockNumber", fault);
        until_waits(&mut bench, "prove", &words.replace("{}", if round == 0 { prepares } else { "eth_call" })).await;
        until_waits(&mut bench, "scan", &words.replace("{}", "eth_blockNumber")).await;
        assert_eq!(bench.in_state(State::ProofIntent), 1);
        bench.rpc.heal(prepares);
        bench.rpc.heal("eth_blockNumber");
        bench.until_all(State::Final, round + 1).await;
    }
    bench
        .until("nothing is waited for", |bench| {
            bench.status().is_some_and(|status| status["now"]["waitsFor"] == json!({}))
        })
        .await;
    bench.assert_proved_once(&given).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn node_whose_head_lies_is_told_and_waited_for() {
    let Some(mut bench) = Bench::new().await else { return };
    bench.start_ready().await;
    let given = stream(2);
    // Far ahead of what it can serve.
    bench.rpc.fail("eth_blockNumber", Fault::Answer(json!("0xffffff")));
    bench.announce(&given[..1]).await;
    until_waits(&mut bench, "scan", "16777215").await;
    bench.rpc.heal("eth_blockNumber");
    bench.until_all(State::Final, 1).await;
    // Behind where the daemon is.
    bench.rpc.fail("eth_blockNumber", Fault::Answer(json!("0x2")));
    bench.announce(&given[1..]).await;
    until_waits(&mut bench, "scan", "newest block is 2").await;
    assert_eq!(bench.items().len(), 1, "nothing was withdrawn or seen");
    bench.rpc.heal("eth_blockNumber");
    bench.until_all(State::Final, 2).await;
    bench.assert_proved_once(&given).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn node_that_refuses_and_limits_is_survived() {
    let Some(mut bench) = Bench::new().await else { return };
    let given = stream(2);
    bench.chain.mine(300).await.unwrap();
    bench.announce(&given).await;
    bench.rpc.fail_times("eth_call", 12, Fault::Status(429));
    bench.rpc.fail_times("eth_sendRawTransaction", 7, Fault::Status(503));
    let message = "query exceeds max block range 100".to_owned();
    bench.rpc.fail("eth_getLogs", Fault::LongestRange { blocks: 100, code: -32005, message });
    bench.start();
    bench.until_all(State::Final, 2).await;
    bench.assert_proved_once(&given).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn node_is_asked_about_many_specimens_at_once_and_about_one_where_it_takes_no_more() {
    let given = stream(24);
    for (together, lookups) in [(None, 2..=8), (Some(1), 24..=u64::MAX)] {
        let Some(mut bench) = Bench::new().await else { return };
        if let Some(questions) = together {
            bench.rpc.take_together(questions);
        }
        bench.announce(&given).await;
        bench.start();
        bench.until_all(State::Final, given.len()).await;
        bench.assert_proved_once(&given).await;
        let asked = bench.rpc.requests_for("eth_call");
        assert!(lookups.contains(&asked), "{together:?}: {asked} requests");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn node_that_is_away_at_the_start_is_waited_for() {
    let Some(mut bench) = Bench::new().await else { return };
    bench.rpc.fail("eth_chainId", Fault::Status(502));
    bench.announce(&[one()]).await;
    bench.start();
    until_waits(&mut bench, "connect", "answered eth_chainId with HTTP 502").await;
    assert!(bench.get("/readyz").unwrap().contains(" 503 "));
    bench.rpc.heal("eth_chainId");
    bench.until_all(State::Final, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dropped_transaction_is_sent_again() {
    let Some(mut bench) = Bench::new().await else { return };
    let given = stream(2);
    bench.rpc.fail_times("eth_sendRawTransaction", 1, Fault::Swallow);
    bench.announce(&given).await;
    bench.start();
    bench.until_all(State::Final, 2).await;
    bench.assert_proved_once(&given).await;
    for item in bench.items() {
        assert_eq!(bench.journal().unwrap().transactions(item.id).unwrap().len(), 1, "the same bytes");
    }
    assert!(bench.log().contains("proof transaction dropped, sending again"), "{}", bench.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn reorganisation_past_the_cursor_withdraws_and_announces_again() {
    let Some(mut bench) = Bench::new().await else { return };
    let given = one();
    // Held where nothing of it is on chain yet.
    bench
        .rpc
        .fail("eth_estimateGas", Fault::Refuse { code: 3, message: "execution reverted: panic code 0x12".to_owned() });
    let before = bench.chain.snapshot().await.unwrap();
    bench.announce(std::slice::from_ref(&given)).await;
    bench.start();
    bench.until_all(State::ProofIntent, 1).await;
    bench.chain.revert(before).await.unwrap();
    bench.chain.mine(20).await.unwrap();
    bench.until_all(State::Withdrawn, 1).await;
    assert!(bench.log().contains("reorganised past the position"), "{}", bench.log());
    bench.rpc.heal("eth_estimateGas");
    bench.announce(std::slice::from_ref(&given)).await;
    bench.until_all(State::Final, 1).await;
    bench.assert_proved_once(&[given]).await;
}
