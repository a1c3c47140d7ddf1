//! Providers that leave announcements out, or do not answer for many blocks at once.

use std::sync::Arc;

use refiner_journal::State;
use refiner_testchain::{Blooms, Fault, Lagging, LateLogs, LimitedRange, Meets, Provider, quantity};
use serde_json::{Value, json};

use super::until_waits;
use crate::{bench::Bench, specimens::stream};

/// `BlockSpecimenQuorum`, docs/protocol.md, section 1.1.
const QUORUM: &str = "0x858deae9d885ee978c04934ceabf15ebe77ae274f3af6a05ecf3bd9880b08e1e";

/// Every event of the contract is an item, and nothing else is.
async fn assert_complete(bench: &Bench) {
    let events = bench.chain.logs(bench.chain.specimen_contract(), QUORUM.parse().unwrap()).await.unwrap();
    let mut announced: Vec<_> = events.iter().map(|event| quantity(&event["topics"][2]).unwrap()).collect();
    let mut items: Vec<_> = bench.items().iter().map(|item| item.height).collect();
    announced.sort_unstable();
    items.sort_unstable();
    assert_eq!(items, announced, "{}", bench.log());
}

fn scan_of(bench: &Bench) -> Value {
    bench.status().unwrap()["now"]["scan"].clone()
}

/// Runs `refiner journal scan` and gives its exit code, its object and its errors.
fn scan_again(bench: &Bench, arguments: &[&str]) -> (Option<i32>, Value, String) {
    let words = [&["journal", "scan", "--json"], arguments].concat();
    let output = bench.command_of(&words).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap_or_default(), errors)
}

#[tokio::test(flavor = "multi_thread")]
async fn announcements_behind_a_lagging_balancer_are_all_proved() {
    for meets in [Meets::Half, Meets::Logs] {
        let Some(mut bench) = Bench::new().await else { return };
        bench.start_ready().await;
        let given = stream(3);
        let lagging = Arc::new(Lagging::at(bench.chain.head().await.unwrap(), meets));
        bench.rpc.behave(&lagging);
        bench.announce(&given[..2]).await;
        bench.until("a node lags", |bench| scan_of(bench)["behind"].as_u64().unwrap() > 0).await;
        if meets == Meets::Logs {
            until_waits(&mut bench, "scan", "does not give the logs of block").await;
            assert_eq!(bench.items().len(), 0);
        }
        lagging.set_head(u64::MAX);
        bench.announce(&given[2..]).await;
        bench.until_all(State::Final, 3).await;
        bench.assert_proved_once(&given).await;
        assert_complete(&bench).await;
        assert!(bench.log().contains("node head went backwards"), "{}", bench.log());
        let last = scan_of(&bench)["lastBehind"].clone();
        assert!(last.as_str().is_some_and(|last| last.contains(bench.rpc.url())), "{last}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn announcement_that_a_node_left_out_is_found_when_its_block_is_scanned_again() {
    let Some(mut bench) = Bench::new().await else { return };
    bench.start_ready().await;
    let given = stream(4);
    // No bloom shows that something is missing.
    let late = Arc::new(LateLogs::up_to(bench.chain.head().await.unwrap(), false));
    bench.rpc.behave(&late);
    bench.rpc.behave(&Arc::new(Blooms::Zero));
    bench.announce(&given[..3]).await;
    let head = bench.chain.head().await.unwrap();
    bench.until("the blocks are passed", |bench| bench.status().unwrap()["now"]["cursor"] == head).await;
    assert_eq!(bench.items().len(), 0);
    late.set_indexed(u64::MAX);
    bench.announce(&given[3..]).await;
    bench.until_all(State::Final, 4).await;
    bench.assert_proved_once(&given).await;
    assert_complete(&bench).await;
    assert_eq!(scan_of(&bench)["late"], 3, "{}", bench.log());
    assert!(bench.log().contains("announcements found late"), "{}", bench.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn announcement_that_only_its_own_block_gives_is_found_at_once() {
    let Some(mut bench) = Bench::new().await else { return };
    bench.start_ready().await;
    let given = stream(2);
    bench.rpc.behave(&Arc::new(LateLogs::up_to(bench.chain.head().await.unwrap(), true)));
    bench.announce(&given).await;
    bench.until_all(State::Final, 2).await;
    bench.assert_proved_once(&given).await;
    assert_complete(&bench).await;
    assert_eq!(scan_of(&bench)["recovered"], 2, "{}", bench.log());
    assert!(bench.log().contains("node left logs out"), "{}", bench.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn provider_that_limits_ranges_in_words_of_its_own_is_followed() {
    let Some(mut bench) = Bench::new().await else { return };
    let providers = [Provider::Infura, Provider::QuickNode, Provider::Reth, Provider::ZkSync, Provider::Drpc];
    let given = stream(providers.len() as u64);
    for (round, provider) in providers.into_iter().enumerate() {
        bench.rpc.behave_well();
        bench.rpc.behave(&Arc::new(LimitedRange { provider, blocks: 100 }));
        bench.chain.mine(300).await.unwrap();
        bench.announce(&given[round..=round]).await;
        bench.start();
        bench.until_all(State::Final, round + 1).await;
        let scan = scan_of(&bench);
        assert!(scan["rangeBlocks"].as_u64().is_some_and(|blocks| blocks < 200), "{provider:?}: {scan}");
        let reason = scan["rangeShortenedBy"].as_str().unwrap().to_owned();
        assert!(reason.contains("eth_getLogs"), "{provider:?}: {reason}");
        assert!(bench.log().contains(&reason), "{}", bench.log());
        assert_eq!(bench.stop().await, Some(0), "{}", bench.log());
    }
    bench.assert_proved_once(&given).await;
    assert_complete(&bench).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refusal_of_every_range_is_told_in_the_words_of_the_provider() {
    let Some(mut bench) = Bench::new().await else { return };
    bench.start_ready().await;
    let given = stream(1);
    bench.rpc.fail("eth_getLogs", Fault::refuse(-32601, "the method eth_getLogs does not exist/is not available"));
    bench.announce(&given).await;
    until_waits(&mut bench, "scan", "the method eth_getLogs does not exist").await;
    assert!(!bench.log().contains("not of the chain"), "{}", bench.log());
    bench.rpc.heal("eth_getLogs");
    bench.until_all(State::Final, 1).await;
    assert_eq!(bench.status().unwrap()["now"]["waitsFor"], json!({}));
    bench.assert_proved_once(&given).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_are_scanned_again_on_demand_and_nothing_is_found_twice() {
    let Some(mut bench) = Bench::new().await else { return };
    bench.flags = ["--scan-window", "0"].map(str::to_owned).into();
    let (code, _, errors) = scan_again(&bench, &["--from", "1"]);
    assert!(code == Some(2) && errors.contains("the journal has no position"), "{code:?}: {errors}");
    bench.start_ready().await;
    let given = stream(4);
    bench.announce(&given[..1]).await;
    bench.until_all(State::Final, 1).await;
    bench.rpc.behave(&Arc::new(LateLogs::up_to(bench.chain.head().await.unwrap(), false)));
    bench.rpc.behave(&Arc::new(Blooms::Zero));
    bench.announce(&given[1..]).await;
    let head = bench.chain.head().await.unwrap();
    bench.until("the blocks are passed", |bench| bench.status().unwrap()["now"]["cursor"] == head).await;
    assert_eq!(bench.stop().await, Some(0), "{}", bench.log());
    bench.rpc.behave_well();
    bench.rpc.behave(&Arc::new(LimitedRange { provider: Provider::Infura, blocks: 10 }));

    let beyond = (head + 1).to_string();
    let (code, _, errors) = scan_again(&bench, &["--from", "1", "--to", &beyond]);
    assert!(code == Some(2) && errors.contains(&format!("is after block {head}")), "{code:?}: {errors}");
    for (new, known) in [(3, 1), (0, 4)] {
        let (code, scanned, errors) = scan_again(&bench, &["--from", "1"]);
        assert_eq!(code, Some(0), "{errors}");
        let expected = json!({"from": 1, "to": head, "announcements": 4, "new": new, "again": 0, "known": known});
        assert_eq!(scanned, expected);
    }
    bench.start();
    bench.until_all(State::Final, 4).await;
    bench.assert_proved_once(&given).await;
    assert_complete(&bench).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn running_daemon_scans_again_on_demand_and_proves_what_it_finds() {
    let Some(mut bench) = Bench::new().await else { return };
    bench.flags = ["--scan-window", "0"].map(str::to_owned).into();
    bench.start_ready().await;
    let given = stream(3);
    bench.announce(&given[..1]).await;
    bench.until_all(State::Final, 1).await;
    bench.rpc.behave(&Arc::new(LateLogs::up_to(bench.chain.head().await.unwrap(), false)));
    bench.rpc.behave(&Arc::new(Blooms::Zero));
    bench.announce(&given[1..]).await;
    let head = bench.chain.head().await.unwrap();
    bench.until("the blocks are passed", |bench| bench.status().unwrap()["now"]["cursor"] == head).await;
    bench.rpc.behave_well();
    // The daemon's own settings hold, so that its directory is all that the command needs.
    let scan = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_refiner"));
        command.args(["journal", "scan"]).args(arguments).arg("--data").arg(&bench.data).env_remove("REFINER_LOG");
        command.output().unwrap()
    };
    let beyond = (head + 1_000_000).to_string();
    for (arguments, error) in [
        (["--from", "1", "--to", &beyond], format!("block {beyond} is after block")),
        (["--from", "2", "--to", "1"], "no block lies from 2 to 1".to_owned()),
    ] {
        let output = scan(&arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && errors.contains(&error), "{errors}");
    }
    let to = head.to_string();
    let output = scan(&["--from", "1", "--to", &to, "--json"]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{errors}");
    let scanned: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(scanned, json!({"from": 1, "to": head, "announcements": 3, "new": 2, "again": 0, "known": 1}));
    bench.until_all(State::Final, 3).await;
    let output = scan_again_of(&bench, head);
    assert_eq!(output, format!("blocks 1 to {head}: 3 announcements, 0 new items, 0 announced again, 3 known\n"));
    bench.assert_proved_once(&given).await;
    assert_complete(&bench).await;
    assert!(bench.log().contains("blocks scanned again"), "{}", bench.log());
}

/// The text of a scan from the first block on.
fn scan_again_of(bench: &Bench, last: u64) -> String {
    let output = bench.command_of(&["journal", "scan", "--from", "1", "--to", &last.to_string()]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn scan_on_demand_ends_with_the_daemon_and_waits_for_the_chain() {
    let Some(mut bench) = Bench::new().await else { return };
    bench.start_ready().await;
    bench.announce(&stream(1)).await;
    bench.until_all(State::Final, 1).await;
    bench.rpc.fail("eth_getLogs", Fault::Hang);
    let command = || {
        let mut command = bench.command_of(&["journal", "scan", "--from", "1"]);
        command.stderr(std::process::Stdio::piped()).spawn().unwrap()
    };
    let first = command();
    let asked = bench.rpc.requests_for("eth_getLogs");
    bench.until("it scans", |bench| bench.rpc.requests_for("eth_getLogs") > asked).await;
    assert_eq!(bench.stop().await, Some(0), "{}", bench.log());
    let output = tokio::task::spawn_blocking(|| first.wait_with_output().unwrap()).await.unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(5) && errors.contains("shutting down"), "{errors}");

    bench.urls[0] = "http://127.0.0.1:1".to_owned();
    bench.start();
    until_waits(&mut bench, "connect", "unreachable").await;
    let (code, _, errors) = scan_again(&bench, &["--from", "1"]);
    assert!(code == Some(5) && errors.contains("the proof chain was not reached yet"), "{errors}");
}
