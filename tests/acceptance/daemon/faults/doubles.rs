//! Every double of `tests/chain`, by name, before the only node: what becomes of announcements while it misbehaves, and that none
//! is lost once it is mended.
//!
//! The table is complete: [`every_double_is_in_the_table`] reads the names from the sources of the doubles.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use refiner_journal::State;
use refiner_testchain::{
    AlreadyImported, Behaviour, Blooms, Fault, Lagging, LateLogs, LimitedRange, Meets, NoLogsByHash, OtherChain,
    OtherReceipts, Out, Outage, PoolWords, Provider, Pruned, Stale, Swapped, quantity,
};
use serde_json::json;
use tokio::time::timeout;

use self::Outcome::{Ends, Paused, Proved, Unseen, Waits};
use crate::{
    bench::Bench,
    specimens::{Given, stream},
};

const SEND: &str = "eth_sendRawTransaction";
const LOGS: &str = "eth_getLogs";
/// Requests after which a daemon has looked for announcements.
const ASKED: u64 = 20;
/// Time between two blocks once a double is gone, and the most of them: two minutes.
const BLOCK: Duration = Duration::from_millis(250);
const BLOCKS_MAX: usize = 480;
/// Announcements that meet a double.
const EACH: u64 = 2;

/// What becomes of announcements that meet a double, for as long as it stands.
#[derive(Clone, Copy, Debug)]
enum Outcome {
    /// All are proved.
    Proved,
    /// They stay where they are, and the status names what a part waits for and what to do.
    Waits(&'static str, &'static str),
    /// They wait for a proof, and the status has the reason and what to do.
    Paused(&'static str),
    /// The node does not show them; the status has the head that it shows.
    Unseen,
    /// A daemon that starts ends, with this error and what to do.
    Ends(&'static str),
}

/// Makes the node of a bench misbehave.
type Play = Box<dyn Fn(&Bench, Seen)>;

/// The chain as it is when a double begins.
#[derive(Clone, Copy)]
struct Seen {
    head: u64,
    nonce: u64,
}

struct Row {
    /// As in the sources: `Type` or `Type::Variant`, several where they are one double together.
    names: Vec<String>,
    play: Play,
    outcome: Outcome,
}

fn row(names: &[&str], outcome: Outcome, play: impl Fn(&Bench, Seen) + 'static) -> Row {
    Row { names: names.iter().map(|name| (*name).to_owned()).collect(), play: Box::new(play), outcome }
}

fn behaves<B: Behaviour + 'static>(names: &[&str], outcome: Outcome, behaviour: impl Fn(Seen) -> B + 'static) -> Row {
    row(names, outcome, move |bench, seen| drop(bench.rpc.behave(&Arc::new(behaviour(seen)))))
}

fn fails(name: &str, outcome: Outcome, method: &'static str, fault: Fault) -> Row {
    row(&[name], outcome, move |bench, _| drop(bench.rpc.fail(method, fault.clone())))
}

fn single_answers() -> Vec<Row> {
    let longest =
        Fault::LongestRange { blocks: 1, code: -32005, message: "query exceeds max block range 1".to_owned() };
    vec![
        fails("Fault::Status", Waits("scan", "HTTP 429"), LOGS, Fault::Status(429)),
        fails("Fault::Page", Waits("scan", "HTTP 503"), LOGS, Fault::page(503, "<html>no healthy upstream</html>")),
        fails("Fault::Refuse", Waits("scan", "header not found"), LOGS, Fault::refuse(-32000, "header not found")),
        fails("Fault::Answer", Waits("scan", "eth_blockNumber"), "eth_blockNumber", Fault::Answer(json!({}))),
        fails("Fault::Bytes", Waits("scan", "eth_"), "eth_blockNumber", Fault::Bytes(b"{\"jsonrpc\":".to_vec())),
        fails("Fault::Hang", Waits("scan", "did not answer"), "eth_blockNumber", Fault::Hang),
        fails("Fault::Deaf", Waits("prove", SEND), SEND, Fault::Deaf),
        row(&["Fault::Swallow"], Proved, |bench, _| drop(bench.rpc.fail_times(SEND, 2, Fault::Swallow))),
        fails("Fault::LongestRange", Proved, LOGS, longest),
        row(&["take_together"], Proved, |bench, _| bench.rpc.take_together(1)),
        row(&["tire_of"], Proved, |bench, _| bench.rpc.tire_of(8)),
    ]
}

fn nodes_behind() -> Vec<Row> {
    let lagging =
        |name: &str, outcome, meets| behaves(&["Lagging", name], outcome, move |seen| Lagging::at(seen.head, meets));
    let blooms = |name: &str, blooms: Blooms| behaves(&["Blooms", name], Proved, move |_| blooms);
    vec![
        lagging("Meets::Every", Unseen, Meets::Every),
        lagging("Meets::Half", Waits("scan", "newest block is"), Meets::Half),
        lagging("Meets::Logs", Waits("scan", "does not give the logs of block"), Meets::Logs),
        lagging("Meets::LogsAlone", Proved, Meets::LogsAlone),
        behaves(&["LateLogs"], Proved, |seen| LateLogs::up_to(seen.head, true)),
        behaves(&["LateLogs"], Unseen, |seen| LateLogs::up_to(seen.head, false)),
        behaves(&["NoLogsByHash"], Proved, |_| NoLogsByHash),
        blooms("Blooms::Missing", Blooms::Missing),
        blooms("Blooms::Zero", Blooms::Zero),
        blooms("Blooms::Full", Blooms::Full),
        behaves(&["Stale"], Unseen, |seen| Stale::at(seen.head, seen.nonce)),
    ]
}

fn limits_of_ranges() -> Vec<Row> {
    let limited = |provider: Provider| {
        let name = format!("Provider::{provider:?}");
        behaves(&["LimitedRange", &name], Proved, move |_| LimitedRange { provider, blocks: 20 })
    };
    Provider::ALL.map(limited).into()
}

fn outages() -> Vec<Row> {
    let out = |outage: Outage| {
        let words = match outage {
            Outage::InvalidProject | Outage::Unauthorized => "HTTP 401",
            Outage::Payment => "HTTP 402",
            Outage::Forbidden | Outage::NetworkNotEnabled => "HTTP 403",
            Outage::NotFound => "HTTP 404",
            Outage::Gone => "HTTP 410",
            Outage::Moved => "HTTP 301",
            Outage::ParkedDomain | Outage::Empty | Outage::OtherJson | Outage::Null => "eth_",
            Outage::UnknownMethod => "does not exist/is not available",
        };
        let name = format!("Outage::{outage:?}");
        behaves(&["Out", &name], Waits("scan", words), move |_| Out(outage))
    };
    Outage::ALL.map(out).into()
}

fn other_chains() -> Vec<Row> {
    let other = |seen: Seen| OtherChain { chain_id: 1, nonce: seen.nonce + 50 };
    let mismatch = "chain id mismatch: expected 31337, found 1";
    vec![
        behaves(&["OtherChain"], Ends(mismatch), other),
        behaves(&["Swapped"], Waits("scan", mismatch), move |seen| Swapped::after(1, other(seen))),
        behaves(&["OtherReceipts"], Waits("settle", "receipts of"), |_| OtherReceipts::new(false)),
        behaves(&["OtherReceipts"], Waits("settle", "receipts of"), |_| OtherReceipts::new(true)),
    ]
}

fn pools() -> Vec<Row> {
    let refused = |words: PoolWords| {
        let outcome = match words {
            PoolWords::TemporarilyBanned | PoolWords::BannedAsKnown => Waits("pool", "bans transaction"),
            // The balance that the node tells would do.
            PoolWords::TooLowPriority | PoolWords::Payment => Paused("needs more than the fees allowed"),
            PoolWords::QueueLimit | PoolWords::ImmediatelyDropped => Waits("pool", "no room for transaction"),
        };
        fails(&format!("PoolWords::{words:?}"), outcome, SEND, words.fault())
    };
    let mut rows: Vec<_> = PoolWords::ALL.map(refused).into();
    rows.push(behaves(&["AlreadyImported"], Proved, |_| AlreadyImported));
    rows
}

/// A daemon asks for old state only to learn why a proof failed.
fn nodes_without_old_state() -> Vec<Row> {
    Pruned::ALL.map(|pruned| behaves(&["Pruned", &format!("Pruned::{pruned:?}")], Proved, move |_| pruned)).into()
}

/// The doubles that stand in the sources, in the words of the table's names.
fn in_the_sources() -> BTreeSet<String> {
    let directory = format!("{}/../../tests/chain/src/faulty", env!("CARGO_MANIFEST_DIR"));
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let mut of = None;
        for line in text.lines() {
            let word = |after: &str| {
                let rest = line.trim_start().strip_prefix(after)?;
                Some(rest.chars().take_while(char::is_ascii_alphanumeric).collect::<String>())
            };
            if let Some(behaviour) = word("impl Behaviour for ") {
                names.insert(behaviour);
            } else if let Some(method) = line.trim_start().strip_prefix("pub fn ")
                && let Some((method, _)) = method.split_once("(&self, questions: usize)")
            {
                names.insert(method.to_owned());
            } else if let Some(name) = word("pub enum ") {
                of = Some(name);
            } else if line == "}" {
                of = None;
            } else if let (Some(of), Some(variant)) = (&of, line.strip_prefix("    "))
                && variant.starts_with(|first: char| first.is_ascii_uppercase())
            {
                let variant: String = variant.chars().take_while(char::is_ascii_alphanumeric).collect();
                names.insert(format!("{of}::{variant}"));
            }
        }
    }
    names
}

#[test]
fn every_double_is_in_the_table() {
    let of_nodes = [single_answers(), nodes_behind(), limits_of_ranges(), nodes_without_old_state()];
    let rows = of_nodes.into_iter().chain([outages(), other_chains(), pools()]);
    let named: BTreeSet<_> = rows.flatten().flat_map(|row| row.names).collect();
    let missing: Vec<_> = in_the_sources().difference(&named).cloned().collect();
    let unknown: Vec<_> = named.difference(&in_the_sources()).cloned().collect();
    assert_eq!((missing, unknown), (vec![], vec![]), "doubles without a row, rows without a double");
}

#[tokio::test(flavor = "multi_thread")]
async fn single_answers_that_are_wrong_lose_no_announcement() {
    play(single_answers().into_iter().take(6).collect()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn single_answers_that_are_none_lose_no_announcement() {
    play(single_answers().into_iter().skip(6).collect()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_are_behind_lose_no_announcement() {
    play(nodes_behind()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn providers_that_limit_ranges_lose_no_announcement() {
    play(limits_of_ranges()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_without_old_state_lose_no_announcement() {
    play(nodes_without_old_state()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn providers_that_give_no_usable_answer_lose_no_announcement() {
    play(outages().into_iter().take(7).collect()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn providers_that_answer_with_something_else_lose_no_announcement() {
    play(outages().into_iter().skip(7).collect()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_of_another_chain_lose_no_announcement() {
    play(other_chains()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pools_that_refuse_lose_no_announcement() {
    play(pools()).await;
}

/// Plays rows one after another on one chain, each with a daemon that starts anew.
async fn play(rows: Vec<Row>) {
    let Some(mut bench) = Bench::new().await else { return };
    bench.flags = ["--rpc-timeout", "1s", "--bump-after", "1s"].map(str::to_owned).into();
    let given = stream(EACH * rows.len() as u64);
    for (index, (row, given_now)) in rows.iter().zip(given.chunks(EACH.try_into().unwrap())).enumerate() {
        let before = index * given_now.len();
        if !matches!(row.outcome, Ends(_)) {
            bench.start_ready().await;
        }
        let seen = Seen { head: bench.chain.head().await.unwrap(), nonce: bench.operator_nonce().await };
        (row.play)(&bench, seen);
        bench.announce(given_now).await;
        meet(&mut bench, row, before + given_now.len()).await;
        mend(&mut bench);
        prove(&mut bench, before + given_now.len()).await;
        assert_complete(&bench, &given[..before + given_now.len()]).await;
        bench.kill();
    }
}

/// Waits for the outcome of a row while its double stands.
async fn meet(bench: &mut Bench, row: &Row, proved: usize) {
    let what = format!("{:?} is {:?}", row.names, row.outcome);
    match row.outcome {
        Proved => bench.until(&what, |bench| bench.in_state(State::Final) == proved).await,
        Waits(part, words) => {
            bench
                .until(&what, |bench| {
                    let waiting = &bench.status().unwrap_or_default()["now"]["waitsFor"][part];
                    let has =
                        |field: &str, words: &str| waiting[field].as_str().is_some_and(|text| text.contains(words));
                    has("what", words) && has("hint", " ")
                })
                .await;
        }
        Paused(words) => {
            bench
                .until(&what, |bench| {
                    let paused = &bench.status().unwrap_or_default()["now"]["paused"];
                    let has =
                        |field: &str, words: &str| paused[field].as_str().is_some_and(|text| text.contains(words));
                    has("reason", words) && has("hint", " ")
                })
                .await;
        }
        Unseen => {
            let asked = bench.rpc.requests();
            bench.until(&what, |bench| bench.rpc.requests() > asked + ASKED).await;
            let status = bench.status().unwrap();
            assert!(status["now"]["head"].is_u64() && status["nodes"][0]["head"].is_u64(), "{what}: {status}");
            assert_eq!(bench.items().len() as u64, proved as u64 - EACH, "{what}");
        }
        Ends(words) => {
            bench.start();
            assert_eq!(bench.ended().await, Some(2), "{what}: {}", bench.log());
            let log = bench.log();
            let error = log.rsplit("error: ").next().unwrap_or_default();
            assert!(error.contains(words) && error.contains("hint: "), "{what}: {error}");
        }
    }
}

/// Waits until all are proved, over blocks that come by themselves as on a real chain, and often.
async fn prove(bench: &mut Bench, proved: usize) {
    for _ in 0..BLOCKS_MAX {
        bench.chain.mine(1).await.unwrap();
        if timeout(BLOCK, bench.until_all(State::Final, proved)).await.is_ok() {
            return;
        }
    }
    bench.until_all(State::Final, proved).await;
}

/// Takes the double away, and starts a daemon that ended.
fn mend(bench: &mut Bench) {
    bench.rpc.behave_well();
    for method in [SEND, LOGS, "eth_blockNumber"] {
        bench.rpc.heal(method);
    }
    if bench.has_ended() {
        bench.start();
    }
}

/// One announcement on chain, one item and one accepted proof for each specimen.
async fn assert_complete(bench: &Bench, given: &[Given]) {
    let mut announced: Vec<_> = events(bench).await;
    let mut items: Vec<_> = bench.items().iter().map(|item| item.height).collect();
    let mut proofs: Vec<_> = bench.proofs().await.iter().map(|proof| proof.height).collect();
    let mut expected: Vec<_> = given.iter().map(|given| given.height).collect();
    for heights in [&mut announced, &mut items, &mut proofs, &mut expected] {
        heights.sort_unstable();
    }
    assert_eq!((&items, &proofs), (&announced, &announced), "{}", bench.log());
    assert_eq!(announced, expected);
}

async fn events(bench: &Bench) -> Vec<u64> {
    /// `BlockSpecimenQuorum`, docs/protocol.md, section 1.1.
    const QUORUM: &str = "0x858deae9d885ee978c04934ceabf15ebe77ae274f3af6a05ecf3bd9880b08e1e";
    let events = bench.chain.logs(bench.chain.specimen_contract(), QUORUM.parse().unwrap()).await.unwrap();
    events.iter().map(|event| quantity(&event["topics"][2]).unwrap()).collect()
}
