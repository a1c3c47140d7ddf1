//! The journal kept, lost, brought back, and taken over from an earlier refiner.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Output,
    time::{Duration, SystemTime},
};

use refiner_journal::{Item, State};
use refiner_testchain::Fault;
use serde_json::Value;

use crate::{
    bench::Bench,
    specimens::{Given, stream},
};

/// `refiner journal` with the settings of the bench.
fn journal(bench: &Bench, arguments: &[&str]) -> Output {
    let words: Vec<_> = ["journal"].iter().chain(arguments).copied().collect();
    bench.command_of(&words).output().unwrap()
}

/// The report of a command that succeeds.
fn report(bench: &Bench, arguments: &[&str]) -> Value {
    let output = journal(bench, &[arguments, &["--json"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}{}", String::from_utf8_lossy(&output.stderr), bench.log());
    serde_json::from_slice(&output.stdout).unwrap()
}

/// `refiner journal backup`, which takes `--data` alone.
fn backup(bench: &Bench, to: &Path, more: &[&str]) -> Output {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_refiner"));
    command.args(["journal", "backup", "--to"]).arg(to).arg("--data").arg(&bench.data).args(more);
    command.current_dir(bench.directory.path()).output().unwrap()
}

/// Takes the journal away, or puts a copy in its place.
fn replace_journal(bench: &Bench, by: Option<&Path>) {
    for file in ["journal.sqlite", "journal.sqlite-wal", "journal.sqlite-shm"] {
        let _ = fs::remove_file(bench.data.join(file));
    }
    if let Some(copy) = by {
        fs::copy(copy, bench.data.join("journal.sqlite")).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn old_backup_that_is_restored_proves_nothing_twice_and_leaves_nothing_out() {
    let Some(mut bench) = Bench::new().await else { return };
    // A request that a node does not answer holds its proof for as long.
    bench.flags = ["--rpc-timeout", "2s"].map(str::to_owned).into();
    let given = stream(6);
    bench.announce(&given[..2]).await;
    bench.start_ready().await;
    bench.until_all(State::Final, 2).await;
    // One proof is signed and not sent while the copy is made.
    bench.rpc.fail("eth_sendRawTransaction", Fault::Hang);
    bench.announce(&given[2..3]).await;
    bench.until_all(State::Signed, 1).await;
    let copy = bench.directory.path().join("copy.sqlite");
    let output = backup(&bench, Path::new("copy.sqlite"), &[]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let length = fs::metadata(&copy).unwrap().len();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(printed, format!("{}: 3 items, {length} bytes, verified\n", copy.display()));
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(bench.log().contains("journal copied for the operator"), "{}", bench.log());
    assert!(!bench.log().contains("control request failed"), "{}", bench.log());
    let refused = backup(&bench, &copy, &[]);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--force"), "{refused:?}");

    // Proofs are sent and signed after the copy, one of them in its place.
    bench.rpc.heal("eth_sendRawTransaction");
    bench.announce(&given[3..5]).await;
    bench.until_all(State::Final, 5).await;
    bench.kill();
    replace_journal(&bench, Some(&copy));
    bench.start_ready().await;
    bench
        .until("everything is known to be proved", |bench| {
            bench.in_state(State::Final) + bench.in_state(State::Skipped) == 5
        })
        .await;
    assert_eq!(bench.in_state(State::Final), 3, "the transaction of the copy is found on chain");
    bench.announce(&given[5..]).await;
    bench.until_all(State::Final, 4).await;
    bench.assert_proved_once(&given).await;
    assert_eq!(bench.stop().await, Some(0), "{}", bench.log());

    // Likewise while no daemon runs.
    assert_eq!(backup(&bench, &copy, &["--force"]).status.code(), Some(0));
    replace_journal(&bench, Some(&copy));
    bench.start_ready().await;
    assert_eq!(bench.items().len(), 6);
    bench.assert_proved_once(&given).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_journal_is_rebuilt_with_its_proofs_and_nothing_is_proved_twice() {
    let Some(mut bench) = Bench::new().await else { return };
    let given = stream(5);
    bench.announce(&given[..3]).await;
    bench.start_ready().await;
    bench.until_all(State::Final, 3).await;
    let locked = journal(&bench, &["rebuild", "--from", "1"]);
    assert_eq!(locked.status.code(), Some(5), "{locked:?}");
    bench.kill();
    // Another operator's proof of a specimen is none of ours.
    bench.announce(&given[3..]).await;
    bench.chain.add_operator(refiner_testchain::STRANGER, 3).await.unwrap();
    let Given { height, hash, .. } = given[3];
    bench.chain.prove_result(refiner_testchain::STRANGER, 1, height, hash, hash).await.unwrap();
    replace_journal(&bench, None);

    let rebuilt = report(&bench, &["rebuild", "--from", "1"]);
    let counts = ["announcements", "new", "known", "proved"].map(|name| rebuilt[name].as_u64().unwrap());
    assert_eq!(counts, [5, 5, 0, 3], "{rebuilt}");
    assert_eq!((bench.in_state(State::Final), bench.in_state(State::Announced)), (3, 2));
    let proofs = bench.items();
    assert!(proofs[..3].iter().all(|item| item.mined_block.is_some() && item.mined_tx.is_some()), "{proofs:#?}");
    // A second time nothing changes.
    let again = report(&bench, &["rebuild", "--from", "1"]);
    let counts = ["announcements", "new", "known", "proved"].map(|name| again[name].as_u64().unwrap());
    assert_eq!(counts, [5, 0, 5, 0], "{again}");
    bench.start_ready().await;
    bench.until_all(State::Final, 5).await;
    let ours = bench.proofs().await;
    assert_eq!(ours.len(), 6, "{ours:#?}");
    assert_eq!(bench.operator_nonce().await, 5, "{}", bench.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn journal_that_is_removed_under_a_running_daemon_ends_it_and_nothing_is_proved_twice() {
    let Some(mut bench) = Bench::new().await else { return };
    let given = stream(4);
    bench.announce(&given[..2]).await;
    bench.start_ready().await;
    bench.until_all(State::Final, 2).await;
    replace_journal(&bench, None);
    bench.announce(&given[2..]).await;
    assert_eq!(bench.ended().await, Some(5), "{}", bench.log());
    let log = bench.log();
    for expected in ["journal.sqlite: removed or replaced while it was in use", "refiner journal rebuild"] {
        assert!(log.contains(expected), "{expected}: {log}");
    }
    assert_eq!(bench.operator_nonce().await, 2, "{log}");

    report(&bench, &["rebuild", "--from", "1"]);
    bench.start_ready().await;
    bench.until_all(State::Final, 4).await;
    bench.assert_proved_once(&given).await;
    assert_eq!(bench.operator_nonce().await, 4, "{}", bench.log());
}

/// Every file of the content store, as if it had been kept an hour ago.
fn aged_content(bench: &Bench) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut directories = vec![bench.data.join("content")];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
                continue;
            }
            let an_hour_ago = SystemTime::now() - Duration::from_secs(3_600);
            fs::File::options().write(true).open(&path).unwrap().set_modified(an_hour_ago).unwrap();
            files.push(path);
        }
    }
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn finished_items_beyond_what_is_kept_go_with_their_content_and_are_not_announced_anew() {
    let Some(mut bench) = Bench::new().await else { return };
    bench.flags = ["--prove", "none"].map(str::to_owned).into();
    bench.announce(&stream(5)).await;
    bench.start_ready().await;
    bench.until_all(State::Pinned, 5).await;
    // Beyond the blocks that are scanned again.
    bench.chain.mine(400).await.unwrap();
    let head = bench.status().unwrap()["now"]["head"].as_u64().unwrap();
    bench
        .until("the blocks are passed", |bench| {
            bench.status().unwrap()["now"]["cursor"].as_u64().unwrap() >= head.max(400)
        })
        .await;
    let items = bench.items();
    assert_eq!(bench.stop().await, Some(0), "{}", bench.log());

    let files = aged_content(&bench);
    let has = |item: &Item| {
        let id = item.specimen_cid.as_deref().unwrap();
        files.iter().any(|file| file.exists() && file.to_str().unwrap().contains(id))
    };
    assert!(items.iter().all(has), "{files:?}");
    bench.flags.extend(["--keep-items", "2"].map(str::to_owned));
    bench.start_ready().await;
    bench.until("three items are dropped", |bench| bench.items().len() == 2).await;
    bench.until("their content is removed", |_| items.iter().map(has).eq([false, false, false, true, true])).await;
    let log = bench.log();
    assert!(log.contains("finished items dropped") && log.contains("items=3"), "{log}");
    assert_eq!(bench.items(), items[3..]);
    assert_eq!(bench.stop().await, Some(0), "{}", bench.log());
}

/// An item of a log of Erlang's `disk_log`.
fn item(term: &[u8]) -> Vec<u8> {
    let term = [&[131], term].concat();
    [u32::try_from(term.len()).unwrap().to_be_bytes().as_slice(), b"bWLA", &term].concat()
}

/// `{word, <<"key">>}` as an item.
fn record(word: &str, key: &str) -> Vec<u8> {
    let word = [&[100, 0, u8::try_from(word.len()).unwrap()], word.as_bytes()].concat();
    let key = [&[109], u32::try_from(key.len()).unwrap().to_be_bytes().as_slice(), key.as_bytes()].concat();
    item(&[vec![104, 2], word, key].concat())
}

/// `{word, number}` as an item.
fn block(word: &str, number: i32) -> Vec<u8> {
    let word = [&[100, 0, u8::try_from(word.len()).unwrap()], word.as_bytes()].concat();
    item(&[vec![104, 2], word, vec![98], number.to_be_bytes().to_vec()].concat())
}

fn log(items: &[Vec<u8>]) -> Vec<u8> {
    let head = item(b"\x68\x02\x64\0\x03vsn\x68\x03a\0a\x01a\0");
    [vec![1, 2, 3, 4, 99, 88, 77, 11], head, items.concat()].concat()
}

fn key(given: &Given) -> String {
    format!("{}_{}_{:x}_{:x}", given.chain, given.height, given.block_hash, given.hash)
}

fn logs(bench: &Bench, worklog: &[Vec<u8>], blocks: &[Vec<u8>]) -> PathBuf {
    let directory = bench.directory.path().join("logs");
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join("worklog.etf.1"), log(worklog)).unwrap();
    fs::write(directory.join("block_height.etf.1"), log(blocks)).unwrap();
    directory
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_of_the_earlier_refiner_are_taken_over_and_its_proofs_are_not_made_again() {
    let Some(mut bench) = Bench::new().await else { return };
    let given = stream(5);
    bench.announce(&given[..4]).await;
    let stopped = i32::try_from(bench.chain.head().await.unwrap()).unwrap();
    bench.announce(&given[4..]).await;
    let [sent, closed, open, again, _] = [0, 1, 2, 3, 4].map(|at| key(&given[at]));
    let worklog = [
        record("discover", &sent),
        record("discover", &closed),
        record("skip", &closed),
        record("discover", &open),
        record("commit", &sent),
        // A restart finds what it had found before.
        record("discover", &sent),
        record("discover", &again),
        record("discover", &again),
        record("discover", "5_7_not_a_key"),
        record("discover", &again.replacen('1', "77", 1)),
    ];
    let blocks: Vec<_> = (1..=stopped).flat_map(|number| [block("start", number), block("commit", number)]).collect();
    let logs = logs(&bench, &worklog, &blocks);
    let logs = logs.to_str().unwrap();

    let dry = report(&bench, &["import", logs, "--dry-run"]);
    assert!(!bench.data.join("journal.sqlite").exists());
    let taken = report(&bench, &["import", logs]);
    assert_eq!(taken["specimens"], dry["specimens"]);
    let expected = serde_json::json!({ "sent": 1, "closed": 1, "givenUp": 0, "open": 2, "otherChains": 1 });
    assert_eq!(taken["specimens"], expected, "{taken}");
    assert_eq!(taken["taken"], serde_json::json!({ "begun": 2, "ended": 2, "known": 0 }), "{taken}");
    assert_eq!(taken["position"], serde_json::json!({ "block": stopped + 1, "isTaken": true }), "{taken}");
    assert_eq!(taken["left"]["unreadableRecords"], 1, "{taken}");
    let again = report(&bench, &["import", logs]);
    assert_eq!(again["taken"], serde_json::json!({ "begun": 0, "ended": 0, "known": 4 }), "{again}");

    bench.start_ready().await;
    // What was open, and what was announced after the earlier refiner stopped.
    bench.until_all(State::Final, 3).await;
    assert_eq!(bench.in_state(State::Skipped), 2);
    bench.assert_proved_once(&given[2..]).await;
    assert_eq!(bench.stop().await, Some(0), "{}", bench.log());
    let late = report(&bench, &["import", logs]);
    assert_eq!(late["position"]["isTaken"], false, "{late}");
    let printed = String::from_utf8(journal(&bench, &["import", logs]).stdout).unwrap();
    assert!(printed.contains("the journal has one of its own"), "{printed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_logs_give_what_can_be_read_and_name_what_cannot() {
    let Some(bench) = Bench::new().await else { return };
    let given = stream(4);
    let records: Vec<_> = given.iter().map(|given| record("discover", &key(given))).collect();
    let directory = logs(&bench, &records, &[block("start", 7), block("start", 9), block("commit", 7)]);
    let whole = fs::read(directory.join("worklog.etf.1")).unwrap();
    // Half written, garbled in the middle, doubled, empty, of another program, and not there.
    fs::write(directory.join("worklog.etf.2"), &whole[..whole.len() - 40]).unwrap();
    let mut garbled = whole.clone();
    garbled[200..220].fill(0);
    fs::write(directory.join("worklog.etf.3"), [garbled.as_slice(), &whole].concat()).unwrap();
    fs::write(directory.join("worklog.etf.4"), "").unwrap();
    fs::write(directory.join("worklog.etf.5"), "{}".repeat(99)).unwrap();
    let report = report(&bench, &["import", directory.to_str().unwrap(), "--dry-run"]);
    assert_eq!(report["specimens"]["open"], 4, "{report}");
    assert_eq!(report["position"]["block"], 9, "{report}");
    assert!(report["left"]["damagedBytes"].as_u64().unwrap() > 0, "{report}");
    let left = report["left"]["files"].as_array().unwrap();
    assert_eq!(
        left.iter().map(|file| file["reason"].as_str().unwrap()).collect::<Vec<_>>(),
        ["empty", "not a log of Erlang's disk_log"]
    );
    let nothing = bench.directory.path().join("nothing");
    fs::create_dir(&nothing).unwrap();
    let output = journal(&bench, &["import", nothing.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(!bench.data.join("journal.sqlite").exists());
}
