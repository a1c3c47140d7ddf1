//! A worker holds no key and has no way out.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

mod support;

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    os::unix::{net::UnixListener, process::ExitStatusExt},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Uid, geteuid};
use support::{
    COPY, SPIN, compiled, component, job, pool, specimen,
    users::{Program, give, run_as, users},
};

/// The signal of a system call that no honest worker makes.
const SIGSYS: i32 = 31;

#[derive(Debug, PartialEq, Eq)]
enum Door {
    Open,
    Closed(String),
    Deadly,
}

/// Findings of a process that was started as this user and confined itself.
fn door(program: &Path, user: Uid, what: &str) -> Door {
    let mut child = run_as(&mut Command::new(program), user)
        .arg(format!("probe:{what}"))
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&component(COPY)).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    match (output.status.signal(), said.as_str()) {
        (Some(SIGSYS), "") => Door::Deadly,
        (None, "open") => Door::Open,
        (None, closed) if closed.starts_with("closed: ") => Door::Closed(said),
        other => panic!("{what} as user {user:?}: {other:?}"),
    }
}

#[test]
fn every_door_out_of_a_worker_is_closed_whoever_started_it() {
    let program = Program::reachable();
    for user in users() {
        every_door_is_closed(program.path(), user);
    }
}

fn every_door_is_closed(program: &Path, user: Uid) {
    let directory = tempfile::tempdir().unwrap();
    // The user's own, so that it is the confinement that refuses.
    let readable = directory.path().join("readable");
    fs::write(&readable, "key").unwrap();
    for path in [directory.path(), &readable] {
        give(path, user);
    }
    let socket = directory.path().join("socket");
    let _listening = UnixListener::bind(&socket).unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let door = |what: &str| door(program, user, what);

    assert_eq!(door("nothing"), Door::Open, "a probe that finds nothing open proves something only if it could");
    let closed = [
        format!("read-file={}", readable.display()),
        "read-file=/etc/passwd".to_owned(),
        "read-file=/dev/null".to_owned(),
        format!("write-file={}", directory.path().join("new").display()),
        "list=/".to_owned(),
        "parent-environment".to_owned(),
        "parent-memory".to_owned(),
        "own-descriptors".to_owned(),
        "spawn".to_owned(),
        "thread".to_owned(),
        "signal-parent".to_owned(),
        "signals-of-pipe".to_owned(),
        "flags-of-pipe".to_owned(),
        "size-of-pipe".to_owned(),
        "copy-of-pipe".to_owned(),
        "device".to_owned(),
        "more-memory".to_owned(),
        "make-code".to_owned(),
    ];
    for what in &closed {
        assert!(matches!(door(what), Door::Closed(_)), "{what}: {:?}", door(what));
    }
    let deadly = [
        format!("tcp={}", tcp.local_addr().unwrap()),
        "udp".to_owned(),
        format!("unix-socket={}", socket.display()),
        "exec".to_owned(),
        "trace-parent".to_owned(),
        "namespace".to_owned(),
        "become-root".to_owned(),
    ];
    for what in &deadly {
        assert_eq!(door(what), Door::Deadly, "{what}");
    }
}

/// A live worker that has run a rule, to be looked at from outside. Only root may look into a process that is not dumpable.
fn look_at_a_worker(look: impl FnOnce(u32)) {
    if !geteuid().is_root() {
        return println!("skipped: only root can look into a worker");
    }
    let pool = pool(1);
    pool.run(&job(&compiled(COPY), &specimen(1))).unwrap();
    look(pool.workers()[0].pid);
}

#[test]
fn worker_has_no_environment_and_no_open_file_but_its_pipes() {
    look_at_a_worker(|pid| {
        assert_eq!(fs::read(format!("/proc/{pid}/environ")).unwrap(), b"");
        let mut open: Vec<_> = fs::read_dir(format!("/proc/{pid}/fd"))
            .unwrap()
            .map(|entry| fs::read_link(entry.unwrap().path()).unwrap().display().to_string())
            .collect();
        open.retain(|target| !target.contains("memfd:"));
        assert_eq!(open.len(), 3, "{open:?}");
        assert!(open.iter().all(|target| target.starts_with("pipe:")), "{open:?}");
    });
}

#[test]
fn worker_has_no_user_no_capabilities_and_no_new_privileges() {
    look_at_a_worker(|pid| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.split_whitespace().map(str::to_owned).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(field("Uid:"), "65534 65534 65534 65534");
        assert_eq!(field("Gid:"), "65534 65534 65534 65534");
        assert_eq!(field("Groups:"), "");
        assert_eq!(field("CapPrm:"), "0000000000000000");
        assert_eq!(field("CapEff:"), "0000000000000000");
        assert_eq!(field("NoNewPrivs:"), "1");
        assert_eq!(field("Seccomp:"), "2");
        assert_eq!(field("Seccomp_filters:"), "3");
        let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        assert!(core.split_whitespace().filter(|word| *word == "0").count() == 2, "{core}");
    });
}

#[test]
fn worker_has_no_network() {
    look_at_a_worker(|pid| {
        let ours = fs::read_link("/proc/self/ns/net").unwrap();
        assert_ne!(fs::read_link(format!("/proc/{pid}/ns/net")).unwrap(), ours);
        let routes = fs::read_to_string(format!("/proc/{pid}/net/route")).unwrap();
        assert_eq!(routes.lines().skip(1).count(), 0, "{routes}");
        let interfaces = fs::read_to_string(format!("/proc/{pid}/net/dev")).unwrap();
        let names: Vec<_> = interfaces.lines().skip(2).map(|line| line.split(':').next().unwrap().trim()).collect();
        assert_eq!(names, ["lo"]);
    });
}

#[test]
fn worker_in_the_middle_of_a_run_dies_with_its_coordinator() {
    let (component, raw) = (component(SPIN), specimen(1));
    let mut supervisor = Command::new(env!("CARGO_BIN_EXE_refiner-worker-child"))
        .arg("supervisor")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = supervisor.stdin.take().unwrap();
    input.write_all(&u32::try_from(component.len()).unwrap().to_be_bytes()).unwrap();
    input.write_all(&component).unwrap();
    input.write_all(&raw).unwrap();
    drop(input);
    let mut line = String::new();
    BufReader::new(supervisor.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let worker: u32 = line.trim().parse().unwrap();
    assert!(runs(worker));
    supervisor.kill().unwrap();
    supervisor.wait().unwrap();
    let until = Instant::now() + Duration::from_secs(5);
    while runs(worker) {
        assert!(Instant::now() < until, "worker {worker} outlives its supervisor");
        thread::sleep(Duration::from_millis(5));
    }
}

/// True for a process that is there and no zombie: there may be no parent left to reap it.
fn runs(pid: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status.lines().any(|line| line.starts_with("State:") && !line.contains('Z'))
}
