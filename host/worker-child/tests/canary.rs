//! A key in the supervisor's environment, in a file, in an open descriptor and in memory does not come to a worker.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

mod support;

use std::{
    fs::{self, File, Permissions},
    io::{BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom, Write},
    os::unix::fs::PermissionsExt,
    process::{Child, Command, Stdio},
};

use alloy_primitives::hex;
use rustix::{
    io::{FdFlags, fcntl_setfd},
    process::{Uid, geteuid},
};
use support::{
    SPIN, component, specimen,
    users::{Program, give, run_as, users},
};

/// A text that no program file holds: made when the test runs.
fn canary() -> String {
    let mut random = [0u8; 16];
    File::open("/dev/urandom").unwrap().read_exact(&mut random).unwrap();
    hex::encode(random)
}

/// A supervisor with keys, in the middle of a run of its worker.
struct Supervisor {
    process: Child,
    worker: u32,
    in_environment: String,
    in_file: String,
    file: tempfile::NamedTempFile,
}

impl Supervisor {
    /// Started as this user, with one key in its environment, and one in a file that it inherits open and has read.
    fn start(program: &Program, user: Uid) -> Self {
        let (in_environment, in_file) = (canary(), canary());
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(in_file.as_bytes()).unwrap();
        fs::set_permissions(file.path(), Permissions::from_mode(0o600)).unwrap();
        give(file.path(), user);
        // Open in every process that is started from here on, as a careless parent leaves it.
        fcntl_setfd(file.as_file(), FdFlags::empty()).unwrap();
        let mut process = run_as(&mut Command::new(program.path()), user)
            .arg("supervisor")
            .env_clear()
            .env("REFINER_KEY", &in_environment)
            .env("REFINER_KEY_FILE", file.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (component, raw) = (component(SPIN), specimen(1));
        let mut input = process.stdin.take().unwrap();
        input.write_all(&u32::try_from(component.len()).unwrap().to_be_bytes()).unwrap();
        input.write_all(&component).unwrap();
        input.write_all(&raw).unwrap();
        drop(input);
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { worker: line.trim().parse().unwrap(), process, in_environment, in_file, file }
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

fn environment(pid: u32) -> Vec<u8> {
    fs::read(format!("/proc/{pid}/environ")).unwrap()
}

/// Targets of a process's descriptors, the anonymous files of its engine apart.
fn descriptors(pid: u32) -> Vec<String> {
    let links = fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let targets = links.map(|entry| fs::read_link(entry.unwrap().path()).unwrap().display().to_string());
    targets.filter(|target| !target.contains("memfd:")).collect()
}

fn holds(memory: &[Vec<u8>], secret: &str) -> bool {
    let secret = secret.as_bytes();
    memory.iter().any(|region| region.windows(secret.len()).any(|window| window[0] == secret[0] && window == secret))
}

/// Every readable region of a process.
fn regions(pid: u32) -> Vec<Vec<u8>> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    let mut memory = File::open(format!("/proc/{pid}/mem")).unwrap();
    let mut regions = Vec::new();
    for line in maps.lines() {
        let mut fields = line.split_whitespace();
        let (range, access) = (fields.next().unwrap(), fields.next().unwrap());
        if !access.starts_with('r') || line.contains("[v") {
            continue;
        }
        let (start, end) = range.split_once('-').unwrap();
        let [start, end] = [start, end].map(|address| u64::from_str_radix(address, 16).unwrap());
        let mut region = vec![0; usize::try_from(end - start).unwrap()];
        memory.seek(SeekFrom::Start(start)).unwrap();
        // A region may go while it is read.
        if memory.read_exact(&mut region).is_ok() {
            regions.push(region);
        }
    }
    regions
}

#[test]
fn no_key_of_the_coordinator_is_in_a_worker_whoever_started_it() {
    let program = Program::reachable();
    for user in users() {
        let supervisor = Supervisor::start(&program, user);
        if geteuid().is_root() {
            finds_the_keys_where_they_are(&supervisor);
            finds_none_in_the_worker(&supervisor);
        } else {
            cannot_look_into_the_worker(&supervisor);
        }
    }
}

/// A search that finds nothing proves something only if it could.
fn finds_the_keys_where_they_are(supervisor: &Supervisor) {
    let pid = supervisor.process.id();
    let environment = environment(pid);
    assert!(holds(&[environment], &supervisor.in_environment));
    let path = supervisor.file.path().display().to_string();
    assert!(descriptors(pid).contains(&path), "{:?}", descriptors(pid));
    let memory = regions(pid);
    assert!(holds(&memory, &supervisor.in_environment) && holds(&memory, &supervisor.in_file));
}

fn finds_none_in_the_worker(supervisor: &Supervisor) {
    assert_eq!(environment(supervisor.worker), b"");
    let open = descriptors(supervisor.worker);
    assert!(open.len() == 3 && open.iter().all(|target| target.starts_with("pipe:")), "{open:?}");
    let memory = regions(supervisor.worker);
    assert!(!memory.is_empty());
    for secret in [&supervisor.in_environment, &supervisor.in_file] {
        assert!(!holds(&memory, secret), "a key is in the worker's memory");
    }
    let path = supervisor.file.path().display().to_string();
    assert!(!holds(&memory, &path), "the key's path is in the worker's memory");
}

/// Not even another process of the same user can.
fn cannot_look_into_the_worker(supervisor: &Supervisor) {
    for file in ["environ", "mem", "maps"] {
        let path = format!("/proc/{}/{file}", supervisor.worker);
        let looked = File::open(path).and_then(|mut file| file.read(&mut [0; 1]));
        assert_eq!(looked.map_err(|error| error.kind()), Err(ErrorKind::PermissionDenied), "{file}");
    }
}
