//! The process that holds the key has no engine: rules run in its workers.

use std::{
    fs,
    io::Write as _,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use refiner_journal::State;
use rustix::process::Signal;

use crate::{
    bench::{Bench, PATIENCE},
    specimens::{one, stream},
};

/// Traps of guests arrive as these signals. An engine installs handlers for them when it is made, and they stay when it is dropped; nothing
/// else in this program has any.
const TRAPS: [Signal; 2] = [Signal::ILL, Signal::FPE];
/// Address space below which no pool of an engine fits, which reserves 2 TiB: a daemon has some GiB.
const ADDRESSES_KIB_MAX: u64 = 512 << 20;

/// True when an engine was made in the process since it began, whether or not it is still there.
fn made_an_engine(pid: u32) -> bool {
    let Some(caught) = field(pid, "SigCgt:") else { return false };
    let caught = u64::from_str_radix(&caught, 16).unwrap();
    TRAPS.iter().all(|trap| caught >> (trap.as_raw() - 1) & 1 == 1)
}

fn addresses_kib(pid: u32) -> u64 {
    field(pid, "VmSize:").unwrap().trim_end_matches(" kB").parse().unwrap()
}

/// The value of a line of `/proc/PID/status`; `None` when the process is gone.
fn field(pid: u32, name: &str) -> Option<String> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    Some(status.lines().find_map(|line| line.strip_prefix(name))?.trim().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn daemon_makes_no_engine_from_its_start_to_its_last_proof_and_its_workers_and_a_replay_do() {
    let Some(mut bench) = Bench::new().await else { return };
    let given = stream(2);
    bench.announce(&given).await;
    bench.start_ready().await;
    let (pid, mut proved, mut of_workers) = (bench.pid(), 0, false);
    let begun = Instant::now();
    while proved < given.len() {
        of_workers |=
            bench.workers().iter().any(|worker| made_an_engine(worker.as_raw_nonzero().get().cast_unsigned()));
        proved = bench.in_state(State::Final);
        assert!(begun.elapsed() < PATIENCE, "{}", bench.log());
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(!made_an_engine(pid), "the daemon made an engine: it has handlers for {TRAPS:?}");
    assert!(of_workers, "workers have an engine");
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
        seen |= made_an_engine(replay.id());
        if let Some(ended) = replay.try_wait().unwrap() {
            break ended;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    };
    assert!(ended.success() && seen, "{ended}, and an engine: {seen}");
}
