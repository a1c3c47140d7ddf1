//! Several nodes of the proof chain, of which not each is what it should be.

use std::{process::Command, sync::Arc, time::Duration};

use refiner_journal::State;
use refiner_testchain::{Fault, FaultyRpc, OtherChain, Out, Outage, Setup, Stale, TestChain};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::until_waits;
use crate::{bench::Bench, specimens::stream};

/// A bench whose daemon knows a second node, and that node. With `swapped` it is named first.
async fn with_a_second(swapped: bool) -> Option<(Bench, FaultyRpc)> {
    let mut bench = Bench::new().await?;
    let second = FaultyRpc::start(bench.chain.url()).await.unwrap();
    let mut urls = [bench.rpc.url().to_owned(), second.url().to_owned()];
    if swapped {
        urls.reverse();
    }
    bench.flags = urls.into_iter().flat_map(|url| ["--rpc".to_owned(), url]).collect();
    Some((bench, second))
}

fn node<'a>(status: &'a Value, url: &str) -> &'a Value {
    let nodes = status["nodes"].as_array().unwrap();
    nodes.iter().find(|node| node["node"] == url).unwrap()
}

/// Waits until the status names the reason for which the node at `url` is set aside.
async fn until_set_aside(bench: &mut Bench, url: &str, reason: &str) {
    bench
        .until(&format!("{url} is set aside: {reason}"), |bench| {
            let status = bench.status().unwrap_or(json!({ "nodes": [{ "node": url }] }));
            let node = node(&status, url);
            node["state"] == "setAside" && node["reason"].as_str().is_some_and(|told| told.contains(reason))
        })
        .await;
}

fn lines(bench: &Bench, words: &str) -> usize {
    bench.log().lines().filter(|line| line.contains(words)).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn nonce_is_never_that_of_another_chain() {
    for swapped in [false, true] {
        let Some((mut bench, stranger)) = with_a_second(swapped).await else { return };
        stranger.behave(&Arc::new(OtherChain { chain_id: 1, nonce: 50 }));
        let given = stream(2);
        bench.start_ready().await;
        bench.announce(&given[..1]).await;
        bench.until_all(State::Final, 1).await;
        // The good node is away for a while: that is waited for.
        bench.rpc.behave(&Arc::new(Out(Outage::Forbidden)));
        bench.announce(&given[1..]).await;
        until_waits(&mut bench, "scan", "HTTP 403").await;
        bench.rpc.behave_well();
        bench.until_all(State::Final, 2).await;
        bench.assert_proved_once(&given).await;
        until_set_aside(&mut bench, stranger.url(), "chain id mismatch: expected 31337, found 1").await;
        bench.until("it is in the log", |bench| lines(bench, "is of another chain") == 1).await;
        for method in ["eth_getTransactionCount", "eth_getLogs", "eth_getTransactionReceipt", "eth_sendRawTransaction"]
        {
            assert_eq!(stranger.asked(method), 0, "{method}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn proofs_go_on_through_every_outage_of_the_first_node() {
    let Some((mut bench, _second)) = with_a_second(false).await else { return };
    let given = stream(Outage::ALL.len() as u64);
    bench.start_ready().await;
    for (round, outage) in Outage::ALL.into_iter().enumerate() {
        bench.rpc.behave_well();
        bench.rpc.behave(&Arc::new(Out(outage)));
        bench.announce(&given[round..=round]).await;
        bench.until_all(State::Final, round + 1).await;
    }
    bench.rpc.behave_well();
    let before = bench.rpc.asked("eth_blockNumber");
    bench.until("the first is asked again", |bench| bench.rpc.asked("eth_blockNumber") > before + 10).await;
    bench.assert_proved_once(&given).await;
    // Thirteen reasons in turn, one line or none.
    assert!(lines(&bench, "node set aside") <= 1, "{}", bench.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn alternating_reasons_are_one_line() {
    let Some(mut bench) = Bench::new().await else { return };
    let given = stream(1);
    bench.start_ready().await;
    bench.announce(&given).await;
    bench.until_all(State::Final, 1).await;
    for round in 0..30 {
        bench.rpc.behave_well();
        bench.rpc.behave(&Arc::new(Out(Outage::ALL[round % Outage::ALL.len()])));
        sleep(Duration::from_millis(100)).await;
    }
    until_waits(&mut bench, "scan", "eth_").await;
    bench.rpc.behave_well();
    bench.until("it goes on", |bench| lines(bench, "scanning again") == 1).await;
    assert_eq!(lines(&bench, "scan failed, retrying"), 1, "{}", bench.log());
    assert!(lines(&bench, "proving failed") <= 1, "{}", bench.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn node_behind_is_named_and_the_proofs_do_not_rest_on_it() {
    let Some((mut bench, second)) = with_a_second(false).await else { return };
    let given = stream(2);
    bench.start_ready().await;
    bench.announce(&given[..1]).await;
    bench.until_all(State::Final, 1).await;
    let head = bench.chain.head().await.unwrap();
    bench.rpc.behave(&Arc::new(Stale::at(head, 0)));
    bench.chain.mine(10).await.unwrap();
    bench.announce(&given[1..]).await;
    let first = bench.rpc.url().to_owned();
    until_set_aside(&mut bench, &first, "was seen").await;
    bench.until_all(State::Final, 2).await;
    bench.assert_proved_once(&given).await;
    let status = bench.status().unwrap();
    assert_eq!(node(&status, second.url())["state"], "well", "{status}");
    bench.rpc.behave_well();
    bench.until("it is well again", |bench| node(&bench.status().unwrap(), &first)["state"] == "well").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn chain_that_was_started_anew_is_not_the_one_that_was_scanned() {
    let Some(mut bench) = Bench::new().await else { return };
    let given = stream(1);
    bench.announce(&given).await;
    bench.start();
    bench.until_all(State::Final, 1).await;
    assert_eq!(bench.stop().await, Some(0), "{}", bench.log());
    sleep(Duration::from_secs(1)).await;
    let Some(anew) = TestChain::start_or_skip(&Setup::default()).await.unwrap() else { return };
    assert_eq!(anew.specimen_contract(), bench.chain.specimen_contract());
    let other = FaultyRpc::start(anew.url()).await.unwrap();
    bench.urls[0] = other.url().to_owned();
    bench.start();
    until_set_aside(&mut bench, other.url(), "block 0 mismatch").await;
    until_waits(&mut bench, "prove", "block 0 mismatch").await;
    assert_eq!((other.asked("eth_getLogs"), other.asked("eth_sendRawTransaction")), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_shows_every_node_with_its_state() {
    let Some((bench, second)) = with_a_second(false).await else { return };
    let chain_id = bench.chain.chain_id().to_string();
    let (specimens, results) = (bench.chain.specimen_contract().to_string(), bench.chain.result_contract().to_string());
    let doctor = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_refiner"));
        command.args(["doctor", "--json", "--prove", "none", "--network", "custom", "--proof-chain-id", &chain_id]);
        command.arg("--data").arg(&bench.data);
        command.args(["--specimen-contract", &specimens, "--result-contract", &results, "--rpc-timeout", "1s"]);
        command.arg("--rpc").arg(format!("{}/s3cret-path", bench.rpc.url())).args(["--rpc", second.url()]);
        let output = command.output().unwrap();
        let told = String::from_utf8(output.stdout).unwrap();
        assert!(!told.contains("s3cret"), "{told}");
        let report: Value = serde_json::from_str(&told).unwrap();
        let of = |proxy: &FaultyRpc| {
            let checks = report["checks"].as_array().unwrap();
            let name = format!("node {}", proxy.url());
            let found = checks.iter().find(|check| check["name"] == name).unwrap();
            (found["state"].as_str().unwrap().to_owned(), found["detail"].as_str().unwrap().to_owned())
        };
        (output.status.code(), of(&bench.rpc), of(&second))
    };
    let (code, first, other) = doctor();
    assert_eq!(code, Some(0), "{first:?} {other:?}");
    assert_eq!((first.0.as_str(), other.0.as_str()), ("ok", "ok"), "{first:?} {other:?}");
    assert!(first.1.starts_with("newest block ") && first.1.ends_with(" s old"), "{first:?}");

    second.behave(&Arc::new(Out(Outage::Payment)));
    let (code, first, other) = doctor();
    assert_eq!((code, first.0.as_str()), (Some(0), "ok"), "{first:?}");
    assert_eq!(other, ("warning".to_owned(), "HTTP 402 Payment Required; the others are asked".to_owned()));

    second.behave_well();
    second.behave(&Arc::new(OtherChain { chain_id: 1, nonce: 50 }));
    let (code, _, other) = doctor();
    assert_eq!((code, other.0.as_str()), (Some(5), "error"), "{other:?}");
    assert_eq!(other.1, format!("chain id mismatch: expected {chain_id}, found 1"));

    bench.rpc.fail("eth_chainId", Fault::Hang);
    let (code, first, _) = doctor();
    assert_eq!((code, first), (Some(5), ("error".to_owned(), "no answer in time".to_owned())));
}

#[test]
fn doctor_without_a_network_tells_what_is_missing_beside_the_rest() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_refiner"));
    let output = command.args(["doctor", "--json", "--rpc", "wss://host/s3cret"]).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(5), "{told}");
    for expected in ["network is missing", "it has an https:// address beside it", "\"limits\""] {
        assert!(told.contains(expected), "{expected}: {told}");
    }
    assert!(!told.contains("s3cret"), "{told}");
}
