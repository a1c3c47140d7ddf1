//! The process that holds the key has no engine: rules run in its workers.

use std::{
    fs,
    io::Write as _,
    process::{Command, Stdio},
    time::Instant,
};

use refiner_journal::State;

use crate::{
    bench::{Bench, PATIENCE},
    specimens::{one, stream},
};

/// The thread that an engine has for its deadlines.
const ENGINE_THREAD: &str = "rule-deadlines";
/// Address space below which no pool of an engine fits, which reserves 2 TiB: a daemon has some GiB.
const ADDRESSES_KIB_MAX: u64 = 512 << 20;

/// Whether the process has the thread that every engine has.
fn has_engine(pid: u32) -> bool {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return false };
    let names = threads.flatten().filter_map(|thread| fs::read_to_string(thread.path().join("comm")).ok());
    names.into_iter().any(|name| name.trim_end() == ENGINE_THREAD)
}

fn addresses_kib(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmSize:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn running_daemon_has_no_engine_and_a_replay_has_one() {
    let Some(mut bench) = Bench::new().await else { return };
    let given = stream(2);
    bench.announce(&given).await;
    bench.start_ready().await;
    let mut engine = false;
    let (pid, mut proved) = (bench.pid(), 0);
    let begun = Instant::now();
    while proved < given.len() {
        engine |= has_engine(pid);
        proved = bench.in_state(State::Final);
        assert!(begun.elapsed() < PATIENCE, "{}", bench.log());
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    assert!(!engine, "a thread {ENGINE_THREAD} was seen");
    assert!(addresses_kib(pid) < ADDRESSES_KIB_MAX, "{} KiB of addresses", addresses_kib(pid));

    // What a replay has, from when its rules are loaded to its end.
    let mut replay = Command::new(env!("CARGO_BIN_EXE_refiner"))
        .args(["replay", "-", "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    replay.stdin.take().unwrap().write_all(&one().bytes).unwrap();
    let mut seen = false;
    let ended = loop {
        seen |= has_engine(replay.id());
        if let Some(ended) = replay.try_wait().unwrap() {
            break ended;
        }
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    };
    assert!(ended.success() && seen, "{ended}, and a thread {ENGINE_THREAD}: {seen}");
}
