//! `--data` directories of earlier builds, kept in `tests/data`: they open and go on.
//!
//! `REFINER_EARLIER=path/to/refiner` with `REFINER_EARLIER_NAME=folder` makes the folder of that build anew; tests/data/README.md tells how.

use std::{
    env, fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use alloy_primitives::Address;
use refiner_journal::{SCHEMA_VERSION, State};
use refiner_testchain::{Fault, TestChain};
use serde_json::{Value, json};

use crate::{bench::Bench, specimens::stream};

/// Final, mined and signed items in the directory.
const ITEMS: usize = 4;
/// The first version of the journal of which a folder is kept for each.
const FIRST_SCHEMA_VERSION: i64 = 4;
/// More blocks than the chain gets while it is recorded, so that a mined proof is not final.
const PROOF_DEPTH: u64 = 50;

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data")
}

/// The folder of each earlier build.
fn kept() -> Vec<PathBuf> {
    let entries = fs::read_dir(data()).unwrap().map(|entry| entry.unwrap().path());
    let mut kept: Vec<_> = entries.filter(|path| path.is_dir()).collect();
    kept.sort();
    kept
}

/// Version of the journal in a folder: bytes 60 to 63 of an SQLite file, <https://sqlite.org/fileformat.html#user_version_number>.
fn schema_version(kept: &Path) -> i64 {
    let journal = fs::read(kept.join("data/journal.sqlite")).unwrap();
    u32::from_be_bytes(journal[60..64].try_into().unwrap()).into()
}

fn proof_depth(blocks: u64) -> Vec<String> {
    ["--proof-depth", &blocks.to_string()].map(str::to_owned).into()
}

/// Files below a directory, by their paths in it.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
        let name = PathBuf::from(entry.file_name().unwrap());
        if entry.is_dir() {
            found.extend(files(&entry).into_iter().map(|file| name.join(file)));
        } else {
            found.push(name);
        }
    }
    found.sort();
    found
}

/// Copies files with the access that earlier builds gave them.
fn copy(from: &Path, to: &Path, is_kept: impl Fn(&Path) -> bool) {
    for file in files(from).iter().filter(|file| is_kept(file)) {
        let target = to.join(file);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(from.join(file), &target).unwrap();
        fs::set_permissions(&target, fs::Permissions::from_mode(0o644)).unwrap();
    }
}

/// Two final items, a mined one and a signed one that was not sent when the process was killed.
async fn record(earlier: PathBuf, kept: &Path) {
    let Some(mut bench) = Bench::new().await else { return };
    let given = stream(ITEMS as u64);
    bench.program = earlier;
    bench.start_ready().await;
    bench.announce(&given[..2]).await;
    bench.until_all(State::Final, 2).await;
    assert_eq!(bench.stop().await, Some(0), "{}", bench.log());
    bench.flags = proof_depth(PROOF_DEPTH);
    bench.start_ready().await;
    bench.announce(&given[2..3]).await;
    bench.until_all(State::Mined, 1).await;
    bench.rpc.fail("eth_sendRawTransaction", Fault::Hang);
    bench.announce(&given[3..]).await;
    bench.until_all(State::Signed, 1).await;
    bench.kill();
    let _ = fs::remove_dir_all(kept);
    // The index of the write-ahead log holds nothing that the log does not, compiled rules are large, and a socket is no file.
    let is_kept = |file: &Path| {
        let name = file.to_string_lossy();
        !file.starts_with("code") && !name.ends_with("-shm") && !name.ends_with(".sock")
    };
    copy(&bench.data, &kept.join("data"), is_kept);
    fs::write(kept.join("chain.state"), bench.chain.state().await.unwrap()).unwrap();
    let contracts = json!({ "specimens": bench.chain.specimen_contract(), "results": bench.chain.result_contract() });
    fs::write(kept.join("contracts.json"), format!("{contracts}\n")).unwrap();
}

/// The chain of the directory; `None` where there is no anvil.
async fn chain(kept: &Path) -> Option<TestChain> {
    // A machine without anvil is found out in the usual way.
    drop(Bench::new().await?);
    let contracts: Value = serde_json::from_slice(&fs::read(kept.join("contracts.json")).unwrap()).unwrap();
    let contract = |name: &str| contracts[name].as_str().unwrap().parse::<Address>().unwrap();
    let state = fs::read(kept.join("chain.state")).unwrap();
    Some(TestChain::resume(&state, [contract("specimens"), contract("results")]).await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn data_directory_of_each_earlier_build_opens_and_continues() {
    if let (Some(earlier), Some(name)) = (env::var_os("REFINER_EARLIER"), env::var_os("REFINER_EARLIER_NAME")) {
        record(earlier.into(), &data().join(name)).await;
    }
    for kept in kept() {
        assert_continues(&kept).await;
    }
}

#[test]
fn a_folder_is_kept_of_every_version_of_the_journal() {
    let kept: Vec<_> = kept().iter().map(|kept| schema_version(kept)).collect();
    // The present version is not released before another follows.
    let last = FIRST_SCHEMA_VERSION.max(SCHEMA_VERSION - 1);
    for version in FIRST_SCHEMA_VERSION..=last {
        assert!(kept.contains(&version), "record one of version {version}, as tests/data/README.md shows: {kept:?}");
    }
}

/// The present build sends what was signed, settles everything, and proves a new announcement.
async fn assert_continues(kept: &Path) {
    let Some(chain) = chain(kept).await else { return };
    let mut bench = Bench::on(chain).await;
    let given = stream(ITEMS as u64 + 1);
    copy(&kept.join("data"), &bench.data, |_| true);
    fs::set_permissions(&bench.data, fs::Permissions::from_mode(0o755)).unwrap();

    bench.flags = proof_depth(PROOF_DEPTH);
    bench.start_ready().await;
    bench.until("the signed proof was sent and mined", |bench| bench.in_state(State::Mined) == 2).await;
    assert_eq!(bench.in_state(State::Final), 2);
    bench.announce(&given[ITEMS..]).await;
    bench.until_all(State::Mined, 3).await;
    bench.chain.mine(PROOF_DEPTH).await.unwrap();
    bench.until_all(State::Final, ITEMS + 1).await;
    bench.assert_proved_once(&given).await;

    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for directory in ["", "content", "content/kept"] {
        assert_eq!(mode(&bench.data.join(directory)), 0o700, "{directory}");
    }
    for file in ["journal.sqlite", "journal.sqlite-wal", "journal.sqlite.lock", "content/format"] {
        assert_eq!(mode(&bench.data.join(file)), 0o600, "{file}");
    }
    assert_eq!(bench.stop().await, Some(0), "{}", bench.log());
}
