//! The cost of a specimen on worker hosts: processor time of each part, messages and bytes through NATS.

use std::{
    env, fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use refiner_hostile::component::component;
use refiner_testkit::{best_available, renumber::FIRST_HEIGHT, samples};
use serde_json::Value;

use super::{
    nats::free_port,
    replaying::{Scene, committed, decoded},
};
use crate::bench::PATIENCE;

/// Specimens in CI; `REFINER_HOSTS_COSTS=160` measures over real ones, and prints, with `REFINER_HOSTS_SMALL=1` over the small ones of CI.
/// `REFINER_HOSTS_RULES` names others than the rule below, `REFINER_HOSTS_PROGRAM` another program than the one that was built with the tests.
const SPECIMENS: u64 = 40;
const RULES: &str = "block-result";
/// Time for which host and NATS are watched with nothing to do.
const IDLE: Duration = Duration::from_secs(5);
/// Messages that NATS is sent for a specimen: a task and a result with their acknowledgements, and questions for the next.
const MESSAGES_MAX: f64 = 24.0;
/// Their bytes: a task, and a result with the report of its run.
const MESSAGE_BYTES_MAX: f64 = 24_000.0;
/// Clock ticks of a second in /proc.
const TICKS: f64 = 100.0;
/// Specimens that one host and two have under a rule that takes long, in CI; `REFINER_HOSTS_SCALE=200` measures.
const SHARED: u64 = 32;
/// Specimens before the clock starts, while hosts load the rule, and after it stops.
const BEFORE: u64 = 8;
/// Turns of the rule's loop for a specimen: nearly all that the default fuel pays for.
const TURNS: u64 = 48_000_000;
/// The least that two hosts do in the time of one.
const SCALE_MIN: f64 = 1.8;

/// Fields of /proc/PID/stat after the name.
fn stat(pid: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(text.rsplit(')').next()?.split_whitespace().map(str::to_owned).collect())
}

/// Processor time of a process without those that it started, in milliseconds.
pub(super) fn own_processor_ms(pid: u32) -> f64 {
    stat(pid).map_or(0.0, |fields| ticks_ms(&fields[11..13]))
}

/// Clock ticks as milliseconds.
fn ticks_ms(fields: &[String]) -> f64 {
    fields.iter().map(|field| field.parse::<f64>().unwrap()).sum::<f64>() * 1e3 / TICKS
}

/// Processor time of a process and of those that it started, in milliseconds.
pub(super) fn processor_ms(pid: u32) -> f64 {
    let Some(fields) = stat(pid) else { return 0.0 };
    let children =
        fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let mine = children.filter(|child| stat(*child).is_some_and(|fields| fields[1] == pid.to_string()));
    ticks_ms(&fields[11..15]) + mine.map(processor_ms).sum::<f64>()
}

/// Waits for the end of a process, and gives the processor time that it took.
fn ended(mut child: Child) -> f64 {
    // One that ended has its times until it is waited for.
    while stat(child.id()).is_some_and(|fields| fields[0] != "Z") {
        thread::sleep(Duration::from_millis(5));
    }
    let took = processor_ms(child.id());
    assert!(matches!(child.wait().unwrap().code(), Some(0 | 3)));
    took
}

/// Messages and bytes that NATS was sent.
fn sent(monitor: u16) -> (f64, f64) {
    let mut connection = TcpStream::connect(("127.0.0.1", monitor)).unwrap();
    connection.write_all(b"GET /varz HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    let varz: Value = serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    (varz["in_msgs"].as_f64().unwrap(), varz["in_bytes"].as_f64().unwrap())
}

fn bytes_in(folder: &Path) -> f64 {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len() as f64).sum()
}

/// Processor time of a host and of NATS, and what NATS was sent, now.
#[derive(Clone, Copy)]
struct Spent {
    host_ms: f64,
    nats_ms: f64,
    messages: f64,
    bytes: f64,
    at: Instant,
}

impl Spent {
    fn now(host: u32, nats: u32, monitor: u16) -> Self {
        let (messages, bytes) = sent(monitor);
        Self { host_ms: processor_ms(host), nats_ms: processor_ms(nats), messages, bytes, at: Instant::now() }
    }

    fn since(self, before: Self) -> [f64; 4] {
        let all = |spent: Self| [spent.host_ms, spent.nats_ms, spent.messages, spent.bytes];
        let (before, now) = (all(before), all(self));
        std::array::from_fn(|which| now[which] - before[which])
    }
}

#[test]
fn item_costs_a_few_short_messages_and_neither_its_specimen_nor_its_artifact_goes_through_nats() {
    let monitor = free_port();
    let Some(mut scene) = Scene::with_nats(&format!("http: \"127.0.0.1:{monitor}\"\n")) else { return };
    let measured: Option<u64> = env::var("REFINER_HOSTS_COSTS").ok().map(|count| count.parse().unwrap());
    let real = measured.is_some() && env::var_os("REFINER_HOSTS_SMALL").is_none();
    let from = if real { decoded(&best_available().unwrap()) } else { decoded(&samples().unwrap()) };
    let count = measured.unwrap_or(SPECIMENS);
    let named = env::var("REFINER_HOSTS_RULES").unwrap_or_else(|_| RULES.to_owned());
    let rules: Vec<_> = named.split(',').flat_map(|rule| ["--rule", rule]).collect();
    let specimens = scene.specimens(count, &from);
    let quiet = [&rules[..], &["--report", "summary"]].concat();
    let run = |mut command: Command| command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let (here, there) = (scene.path("here"), scene.path("there"));
    scene.crew.hire("one", &[]);
    let local_ms = ended(run(scene.here(&specimens, &here, &[&quiet[..], &["-j", "1"]].concat())));
    let (host, nats) = (scene.crew.host("one").pid(), scene.nats.pid());
    let before = Spent::now(host, nats, monitor);
    let coordinator_ms = ended(run(scene.on_hosts(&specimens, &there, &[&quiet[..], &["-j", "3"]].concat())));
    let after = Spent::now(host, nats, monitor);
    let [host_ms, nats_ms, messages, bytes] = after.since(before).map(|spent| spent / count as f64);
    let (specimen, artifacts) = (bytes_in(&specimens) / count as f64, bytes_in(&there) / count as f64);
    if measured.is_some() {
        let took = (after.at - before.at).as_secs_f64();
        // The same without any work: a host that waits for tasks, and NATS with nothing to keep.
        let before = Spent::now(host, nats, monitor);
        thread::sleep(IDLE);
        let at_rest = Spent::now(host, nats, monitor).since(before).map(|spent| spent / IDLE.as_secs_f64());
        let without_rest = |spent: f64, which: usize| spent - at_rest[which] * took / count as f64;
        // What a replay anywhere has to do: no rule runs over a block that is another than the known one.
        let list = scene.path("other-blocks");
        let line = |height: u64| format!("{height} 0x{:064x}\n", 1);
        fs::write(&list, (FIRST_HEIGHT..FIRST_HEIGHT + count).map(line).collect::<String>()).unwrap();
        let read = ["-j", "1", "--block-hashes", list.to_str().unwrap()];
        let read_ms = ended(run(scene.here(&specimens, &scene.path("read"), &[&quiet[..], &read].concat())));
        let [local_ms, read_ms, coordinator_ms] = [local_ms, read_ms, coordinator_ms].map(|ms| ms / count as f64);
        #[allow(clippy::print_stderr)]
        {
            eprintln!(
                "{count} specimens of {specimen:.0} bytes, artifacts of {artifacts:.0}, {named}, {took:.1} s; processor time of each:"
            );
            eprintln!(
                "  {local_ms:6.2} ms in a replay on this machine, {read_ms:.2} of it reading, decoding and hashing"
            );
            eprintln!("  {host_ms:6.2} ms on the worker host, {:.2} times that", host_ms / local_ms);
            eprintln!(
                "  {:6.2} ms of it without waiting, {:.2} times",
                without_rest(host_ms, 0),
                without_rest(host_ms, 0) / local_ms
            );
            eprintln!(
                "  {coordinator_ms:6.2} ms in the coordinator, {:.2} more than reading",
                coordinator_ms - read_ms
            );
            eprintln!(
                "  {nats_ms:6.2} ms in NATS, {:.2} without waiting; {messages:.1} messages with {bytes:.0} bytes",
                without_rest(nats_ms, 1)
            );
            eprintln!(
                "  at rest the host takes {:.2} ms a second, NATS {:.2} with {:.1} messages",
                at_rest[0], at_rest[1], at_rest[2]
            );
        }
    }
    let runs = (rules.len() / 2) as f64;
    assert!(messages < MESSAGES_MAX * runs && bytes < MESSAGE_BYTES_MAX * runs, "{messages} messages, {bytes} bytes");
    assert!(!real || bytes < specimen / 10.0, "{bytes} of {specimen}");
}

/// A rule that counts so far, and produces nothing.
fn counting(turns: u64) -> Vec<u8> {
    component(&format!(
        r#"(func (export "refiner:rule/rule#refine") (param i32) (result i32) (local i64)
            (loop $again (br_if $again (i64.lt_u (local.tee 1 (i64.add (local.get 1) (i64.const 1))) (i64.const {turns}))))
            (call $ok (local.get 0) (i64.const 0)))"#
    ))
}

#[test]
fn second_worker_host_takes_its_half_of_the_work_of_a_rule_that_takes_long() {
    let Some(mut scene) = Scene::with_nats("") else { return };
    let measured: Option<u64> = env::var("REFINER_HOSTS_SCALE").ok().map(|count| count.parse().unwrap());
    let count = measured.unwrap_or(SHARED);
    let specimens = scene.specimens(count, &decoded(&samples().unwrap()));
    let rule = scene.path("counts.wasm");
    let arguments = ["--rule", rule.to_str().unwrap(), "--report", "summary", "-j", "8"];
    let run = |mut command: Command| command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    fs::write(&rule, counting(TURNS)).unwrap();
    let local_ms = ended(run(scene.here(&specimens, &scene.path("here"), &arguments))) / count as f64;
    let mut rates = Vec::new();
    let mut done_before = 0;
    for name in ["one", "two"] {
        if name == "two" {
            // A host that is started finds the next queue sooner than one whose queue was removed.
            scene.crew.host("one").kill();
            scene.crew.host("one").start(&[]);
            done_before = scene.crew.host("one").completed();
        }
        scene.crew.hire(name, &[]);
        let out = scene.path(&format!("by-{name}"));
        let asker = run(scene.on_hosts(&specimens, &out, &arguments));
        let reaches = |units: u64| {
            let begun = Instant::now();
            while committed(&out) < units && stat(asker.id()).is_some_and(|fields| fields[0] != "Z") {
                assert!(begun.elapsed() < PATIENCE, "{}", scene.crew.logs());
                thread::sleep(Duration::from_millis(1));
            }
            Instant::now()
        };
        // The last ones find a host without work.
        let (first, last) = (reaches(BEFORE), reaches(count - BEFORE));
        rates.push((count - 2 * BEFORE) as f64 / (last - first).as_secs_f64());
        ended(asker);
    }
    let by_first = scene.crew.host("one").completed() - done_before;
    let by_second = scene.crew.host("two").completed();
    for done in [by_first, by_second] {
        assert!(done as u64 >= count / 8, "{by_first} and {by_second} of {count}: {}", scene.crew.logs());
    }
    if measured.is_some() {
        let scale = rates[1] / rates[0];
        #[allow(clippy::print_stderr)]
        {
            eprintln!(
                "{count} specimens, {local_ms:.1} ms of processor time of each in a replay on this machine: {:.2} a second by one worker host, \
                 {:.2} by two, {scale:.2} times",
                rates[0], rates[1]
            );
        }
        assert!(scale >= SCALE_MIN, "{scale}");
    }
}
