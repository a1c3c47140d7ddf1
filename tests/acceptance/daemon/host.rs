//! The machine around the daemon: signals, a damaged journal, a full disk, a second daemon.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _},
    net::TcpStream,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use refiner_journal::State;
use refiner_testchain::{Fault as RpcFault, TRIAL};
use refiner_testkit::pinner::{Fault, Route};
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::sleep;

use crate::{
    bench::Bench,
    specimens::{one, stream},
};

/// The exit code of a failure of this host.
const HOST: Option<i32> = Some(5);

#[tokio::test(flavor = "multi_thread")]
async fn told_to_stop_it_finishes_what_it_began_and_ends_well() {
    let Some(mut bench) = Bench::new().await else { return };
    bench.start_ready().await;
    let begun = Instant::now();
    assert_eq!(bench.stop().await, Some(0), "{}", bench.log());
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_does_not_end_is_left_at_the_deadline_and_found_again() {
    let Some(mut bench) = Bench::new().await else { return };
    bench.flags = ["--shutdown-s", "1"].map(str::to_owned).into();
    let given = stream(1);
    bench.pinner.fault(Route::Upload, Fault::Stall);
    bench.announce(&given).await;
    bench.start();
    bench.until_all(State::Produced, 1).await;
    bench
        .until("an upload began", |bench| bench.pinner.requests().iter().any(|request| request.contains("/upload")))
        .await;
    assert_eq!(bench.stop().await, Some(0), "{}", bench.log());
    bench.pinner.mend(Route::Upload);
    bench.start();
    bench.until_all(State::Final, 1).await;
    bench.assert_proved_once(&given).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn second_signal_ends_it_at_once() {
    let Some(mut bench) = Bench::new().await else { return };
    bench.pinner.fault(Route::Upload, Fault::Stall);
    bench.announce(&[one()]).await;
    bench.start();
    bench
        .until("an upload began", |bench| bench.pinner.requests().iter().any(|request| request.contains("/upload")))
        .await;
    bench.signal(Signal::TERM);
    bench.until("it was told", |bench| bench.log().contains("shutting down")).await;
    bench.signal(Signal::TERM);
    assert_eq!(bench.ended().await, Some(143), "{}", bench.log());
}

/// True where a set of signals in an account of a process has SIGHUP, whose bit is the lowest.
fn has_hang_up(status: &str, set: &str) -> bool {
    let signals = status.lines().find_map(|line| line.strip_prefix(set)).unwrap().trim();
    u64::from_str_radix(signals, 16).unwrap() & 1 != 0
}

#[tokio::test(flavor = "multi_thread")]
async fn terminal_that_closes_ends_it_in_order() {
    // Children ignore what this process ignores, such as one that nohup started.
    if has_hang_up(&fs::read_to_string("/proc/self/status").unwrap(), "SigIgn:") {
        return;
    }
    let Some(mut bench) = Bench::new().await else { return };
    bench.start_ready().await;
    // The shell hangs up, and the kernel does once more.
    bench.signal(Signal::HUP);
    bench.until("it stops", |bench| bench.log().contains("shutting down") || bench.has_ended()).await;
    if !bench.has_ended() {
        bench.signal(Signal::HUP);
        assert_eq!(bench.ended().await, Some(0), "{}", bench.log());
    }
    assert!(bench.log().contains("shutting down") && !bench.log().contains("second signal"), "{}", bench.log());
}

#[test]
fn service_ends_with_its_terminal_and_one_that_nohup_started_does_not() {
    let directory = tempfile::tempdir().unwrap();
    for (by, is_ignored) in [(&["nohup"][..], true), (&["env", "--default-signal=HUP"], false)] {
        let mut command = Command::new(by[0]);
        command.args(&by[1..]).arg(env!("CARGO_BIN_EXE_refiner"));
        command.args(["content", "serve", "--listen", "127.0.0.1:0", "--data"]).arg(directory.path());
        let mut service = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        // It serves, so its handlers stand.
        let mut line = String::new();
        BufReader::new(service.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let status = fs::read_to_string(format!("/proc/{}/status", service.id())).unwrap();
        let sent = if is_ignored { Signal::TERM } else { Signal::HUP };
        kill_process(Pid::from_child(&service), sent).unwrap();
        assert_eq!(service.wait().unwrap().code(), Some(0), "{by:?} {line}");
        let (ignored, caught) = (has_hang_up(&status, "SigIgn:"), has_hang_up(&status, "SigCgt:"));
        assert_eq!((ignored, caught), (is_ignored, !is_ignored), "{by:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn second_daemon_on_one_journal_is_refused() {
    let Some(mut bench) = Bench::new().await else { return };
    bench.start_ready().await;
    let output = bench.command().output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), HOST, "{said}");
    assert!(said.contains("in use by process") && said.contains("hint:"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn health_is_served_beyond_loopback_only_when_that_is_said() {
    let Some(mut bench) = Bench::new().await else { return };
    let everywhere = bench.health().to_string().replace("127.0.0.1", "0.0.0.0");
    bench.flags = ["--health", &everywhere].map(str::to_owned).into();
    let output = bench.command().output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), HOST, "{said}");
    assert!(said.contains("can be reached from outside") && said.contains("--allow-remote-health"), "{said}");
    bench.flags.push("--health-anywhere".to_owned());
    bench.start_ready().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn half_open_connections_to_health_stop_neither_the_daemon_nor_its_monitor() {
    let Some(mut bench) = Bench::new().await else { return };
    bench.start_ready().await;
    let (_, files) = bench.resident_kib_and_files();
    let half_open: Vec<_> = (0..250)
        .map(|number| {
            let mut stream = TcpStream::connect(bench.health()).unwrap();
            stream.write_all(if number % 2 == 0 { b"" } else { b"GET /livez HTTP/1.1\r\n" }).unwrap();
            stream
        })
        .collect();
    let began = Instant::now();
    assert!(bench.get("/livez").is_some_and(|answer| answer.ends_with("alive\n")));
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    bench.announce(&stream(2)).await;
    bench.until_all(State::Final, 2).await;
    let (_, with_half_open) = bench.resident_kib_and_files();
    assert!(with_half_open < files + 100, "{files} descriptors, then {with_half_open}");
    drop(half_open);
}

#[tokio::test(flavor = "multi_thread")]
async fn status_is_not_read_by_a_page_that_was_made_to_lead_here() {
    let Some(mut bench) = Bench::new().await else { return };
    bench.flags = ["--allow-host", "monitor.example.org"].map(str::to_owned).into();
    bench.start_ready().await;
    for (header, status) in [
        ("Host: rebound.example.org", "403"),
        ("Host: localhost\r\nOrigin: https://example.org", "403"),
        ("Host: monitor.example.org", "200"),
        ("Host: localhost", "200"),
    ] {
        let mut stream = TcpStream::connect(bench.health()).unwrap();
        write!(stream, "GET /status HTTP/1.1\r\n{header}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert_eq!(answer.split(' ').nth(1), Some(status), "{header}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_journal_is_refused_with_what_to_do() {
    let Some(mut bench) = Bench::new().await else { return };
    bench.announce(&stream(2)).await;
    bench.start();
    bench.until_all(State::Final, 2).await;
    assert_eq!(bench.stop().await, Some(0), "{}", bench.log());
    let path = bench.data.join("journal.sqlite");
    let pages = fs::metadata(&path).unwrap().len() / 4096;
    let mut file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    for page in 1..pages {
        file.seek(SeekFrom::Start(page * 4096)).unwrap();
        file.write_all(&[0xa5; 64]).unwrap();
    }
    let before = fs::read(&path).unwrap();
    let output = bench.command().output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), HOST, "{said}");
    assert!(said.contains("journal.sqlite: damaged") && said.contains(".recover"), "{said}");
    assert_eq!(fs::read(&path).unwrap(), before, "nothing was overwritten");
}

#[tokio::test(flavor = "multi_thread")]
async fn full_disk_under_journal_and_store_loses_nothing() {
    let Some(mut bench) = Bench::new().await else { return };
    let given = stream(2);
    let disk = bench.directory.path().join("disk");
    let Some(_mounted) = Mounted::at(&disk) else { return };
    bench.data = disk.join("data");
    bench.start_ready().await;
    let filler = fill(&disk);
    bench.announce(&given).await;
    bench
        .until("the full disk is named", |bench| bench.waits_for("disk").is_some_and(|told| told.contains("no room")))
        .await;
    assert_eq!(bench.proofs().await, []);
    fs::remove_file(filler).unwrap();
    // `until` fails when the daemon ends.
    bench.until_all(State::Final, 2).await;
    bench.assert_proved_once(&given).await;
    bench.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn start_on_a_full_disk_waits_for_room_and_loses_nothing() {
    let Some(mut bench) = Bench::new().await else { return };
    let given = stream(2);
    let disk = bench.directory.path().join("disk");
    let Some(_mounted) = Mounted::at(&disk) else { return };
    bench.data = disk.join("data");
    let waits = |bench: &mut Bench, times| {
        bench.log().matches("the start waits for room").count() == times && !bench.has_ended()
    };

    // A first start, and with it a daemon that is stopped while it waits.
    bench.share_code();
    let filler = fill(&disk);
    bench.start();
    bench.until("the full disk is named", |bench| waits(bench, 1)).await;
    assert!(bench.log().contains("no room left on the disk"), "{}", bench.log());
    assert!(bench.log().contains("make room there"), "{}", bench.log());
    assert_eq!(bench.stop().await, Some(0), "{}", bench.log());
    bench.start();
    bench.until("the full disk is named", |bench| waits(bench, 2)).await;
    fs::remove_file(filler).unwrap();
    bench.announce(&given[..1]).await;
    bench.until_all(State::Final, 1).await;

    // A restart with a journal that was left open by a kill.
    bench.announce(&given[1..]).await;
    bench.kill();
    let filler = fill(&disk);
    bench.start();
    sleep(Duration::from_secs(1)).await;
    assert!(!bench.has_ended(), "{}", bench.log());
    fs::remove_file(filler).unwrap();
    bench.until_all(State::Final, 2).await;
    bench.assert_proved_once(&given).await;
    bench.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn journal_without_room_waits_at_every_stage_and_is_named() {
    let Some(mut bench) = Bench::new().await else { return };
    let given = stream(3);
    // The content store has its own disk, and never stops the work.
    let data = bench.data.clone();
    let Some(_journal) = Mounted::at(&data) else { return };
    let Some(_store) = Mounted::at(&data.join("content")) else { return };
    bench.flags = ["--rpc-timeout", "1s"].map(str::to_owned).into();
    bench.start_ready().await;

    // Nothing can be announced.
    let filler = fill(&data);
    bench.announce(&given[..1]).await;
    let is_named = |bench: &mut Bench| {
        let told = bench.waits_for("disk").unwrap_or_default();
        told.contains("journal.sqlite: no room left on the disk; make room there")
    };
    bench.until("the disk is named", is_named).await;
    assert!(bench.get("/metrics").unwrap().contains("refiner_waiting{part=\"disk\"} 1"));
    assert_eq!(bench.items().len(), 0);
    fs::remove_file(filler).unwrap();
    bench.until_all(State::Final, 1).await;
    assert_eq!(bench.waits_for("disk"), None);

    // Nothing can be signed, and what is not in the journal is not sent.
    bench.rpc.fail(TRIAL, RpcFault::Hang);
    bench.announce(&given[1..2]).await;
    bench.until_all(State::ProofIntent, 1).await;
    let filler = fill(&data);
    bench.rpc.heal(TRIAL);
    bench.until("the disk is named", is_named).await;
    assert_eq!(bench.operator_nonce().await, 1);
    // A daemon that is stopped meanwhile ends well, and the next continues.
    assert_eq!(bench.stop().await, Some(0), "{}", bench.log());
    fs::remove_file(filler).unwrap();
    bench.start();
    bench.until_all(State::Final, 2).await;
    bench.announce(&given[2..]).await;
    bench.until_all(State::Final, 3).await;
    bench.assert_proved_once(&given).await;
    let log = bench.log();
    assert!(
        log.contains("journal cannot be written, waiting for room") && log.contains("journal written again"),
        "{log}"
    );
    assert_eq!(log.matches("journal unusable").count(), 0, "{log}");
    bench.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_files_and_processes_do_not_grow_with_the_work() {
    /// Specimens of one round.
    const ROUND: usize = 100;
    /// Two workers with three pipes each, twelve connections to a pinner, as many to the node, the journal, and the runtime's own.
    const FILES_MAX: usize = 80;
    const WORKERS: usize = 2;
    let Some(mut bench) = Bench::new().await else { return };
    bench.flags = ["--workers", "2", "--unsettled", "100"].map(str::to_owned).into();
    bench.start_ready().await;
    let (mut sizes, mut samples) = (Vec::new(), 0);
    for (round, given) in stream(3 * ROUND as u64).chunks(ROUND).enumerate() {
        bench.announce_in_bulk(given).await;
        // Looked at all the time, not only when everything is done.
        bench
            .until("the round is proved", |bench| {
                let (_, files) = bench.resident_kib_and_files();
                assert!(files <= FILES_MAX, "{files} open files");
                // Also those that ended and were not reaped.
                let children = bench.workers().len();
                assert!(children <= WORKERS, "{children} child processes");
                samples += 1;
                bench.in_state(State::Final) == (round + 1) * ROUND
            })
            .await;
        sizes.push(bench.resident_kib_and_files().0);
    }
    assert!(samples > 30, "looked {samples} times");
    // Threads come and go, each with memory of its own; a leak of a specimen's size would be larger than this over thousands.
    assert!(sizes[2] < sizes[0] + 64 * 1024, "{sizes:?} KiB");
}

#[tokio::test(flavor = "multi_thread")]
async fn store_without_room_is_named_until_there_is_room() {
    let Some(mut bench) = Bench::new().await else { return };
    let given = stream(1);
    // The journal has its own disk, and does not end the daemon.
    let store = bench.data.join("content");
    let Some(_mounted) = Mounted::at(&store) else { return };
    fs::set_permissions(&bench.data, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    bench.start_ready().await;
    let filler = fill(&store);
    bench.announce(&given).await;
    bench
        .until("the disk is named", |bench| bench.waits_for("disk").is_some_and(|told| told.contains("no room")))
        .await;
    let metric = "refiner_waiting{part=\"disk\"} 1";
    assert!(bench.get("/metrics").unwrap().contains(metric));
    fs::remove_file(filler).unwrap();
    bench.until_all(State::Final, 1).await;
    assert_eq!(bench.waits_for("disk"), None);
    bench.assert_proved_once(&given).await;
    bench.kill();
}

struct Mounted(std::path::PathBuf);

impl Mounted {
    /// A small disk; `None` without the right to mount.
    fn at(path: &std::path::Path) -> Option<Self> {
        fs::create_dir_all(path).unwrap();
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=64m,mode=700", "tmpfs"]).arg(path).status();
        if mounted.is_ok_and(|status| status.success()) {
            return Some(Self(path.to_owned()));
        }
        #[allow(clippy::print_stderr)]
        {
            eprintln!("skipped: a disk that can be filled needs the right to mount");
        }
        None
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Writes until there is no room for a byte.
fn fill(disk: &std::path::Path) -> std::path::PathBuf {
    let path = disk.join("filler");
    let mut file = fs::File::create(&path).unwrap();
    for size in [1 << 20, 4096, 1] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
    path
}

#[test]
fn every_mistake_in_the_configuration_is_told_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("refiner.toml");
    fs::write(&path, "network = \"moonbem\"\nstart = \"yesterday\"\ndepht = 3\n").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_refiner"))
        .args(["run", "--poll-ms", "1", "--config"])
        .arg(&path)
        .current_dir(directory.path())
        .env("BLOCK_RESULT_OPERATOR_PRIVATE_KEY", "5ec5ec5ec")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    for expected in ["moonbem", "yesterday", "depht", "rpc is missing", "poll-interval: 1ms is not between"] {
        assert!(said.contains(expected), "{expected} in {said}");
    }
    assert!(!said.contains("5ec5ec"), "{said}");
}
