//! The cost of an item on worker hosts: processor time of each part, messages and bytes through NATS.

use std::{
    env, fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use refiner_testkit::{best_available, samples};
use serde_json::Value;

use super::{
    nats::free_port,
    replaying::{Scene, decoded},
};

/// Specimens in CI; `REFINER_HOSTS_COSTS=600` measures over real ones, and prints.
const SPECIMENS: u64 = 40;
/// Messages that NATS is sent for a specimen: a task and a result with their acknowledgements, and questions for the next.
const MESSAGES_MAX: f64 = 24.0;
/// Their bytes: a task, and a result with the report of its run.
const MESSAGE_BYTES_MAX: f64 = 24_000.0;
/// Clock ticks of a second in /proc.
const TICKS: f64 = 100.0;

/// Fields of /proc/PID/stat after the name.
fn stat(pid: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(text.rsplit(')').next()?.split_whitespace().map(str::to_owned).collect())
}

/// Processor time of a process and of those that it started, in milliseconds.
fn processor_ms(pid: u32) -> f64 {
    let Some(fields) = stat(pid) else { return 0.0 };
    let ticks: f64 = fields[11..15].iter().map(|field| field.parse::<f64>().unwrap()).sum();
    let children =
        fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let mine = children.filter(|child| stat(*child).is_some_and(|fields| fields[1] == pid.to_string()));
    ticks * 1e3 / TICKS + mine.map(processor_ms).sum::<f64>()
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

#[test]
fn item_costs_a_few_short_messages_and_neither_its_specimen_nor_its_artifact_goes_through_nats() {
    let monitor = free_port();
    let Some(mut scene) = Scene::with_nats(&format!("http: \"127.0.0.1:{monitor}\"\n")) else { return };
    let measured: Option<u64> = env::var("REFINER_HOSTS_COSTS").ok().map(|count| count.parse().unwrap());
    let from = if measured.is_some() { decoded(&best_available().unwrap()) } else { decoded(&samples().unwrap()) };
    let count = measured.unwrap_or(SPECIMENS);
    let specimens = scene.specimens(count, &from);
    let quiet = ["--report", "summary"];
    let run = |mut command: Command| command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let (here, there) = (scene.path("here"), scene.path("there"));
    scene.crew.hire("one", &[]);
    let local_ms = ended(run(scene.here(&specimens, &here, &[&quiet[..], &["-j", "1"]].concat())));
    let (host, nats) = (scene.crew.host("one").pid(), scene.nats.pid());
    let before = (processor_ms(host), processor_ms(nats), sent(monitor));
    let coordinator_ms = ended(run(scene.on_hosts(&specimens, &there, &[&quiet[..], &["-j", "3"]].concat())));
    let after = (processor_ms(host), processor_ms(nats), sent(monitor));
    let each = |before: f64, after: f64| (after - before) / count as f64;
    let (messages, bytes) = (each(before.2.0, after.2.0), each(before.2.1, after.2.1));
    let (specimen, artifact) = (bytes_in(&specimens) / count as f64, bytes_in(&there) / count as f64);
    #[allow(clippy::print_stderr)]
    {
        eprintln!("{count} specimens of {specimen:.0} bytes, artifacts of {artifact:.0}; an item takes");
        eprintln!("  {:6.2} ms of processor time in a replay on this machine", local_ms / count as f64);
        eprintln!("  {:6.2} ms on the worker host", each(before.0, after.0));
        eprintln!("  {:6.2} ms in the coordinator", coordinator_ms / count as f64);
        eprintln!("  {:6.2} ms in NATS, {messages:.1} messages with {bytes:.0} bytes", each(before.1, after.1));
    }
    assert!(messages < MESSAGES_MAX && bytes < MESSAGE_BYTES_MAX, "{messages} messages, {bytes} bytes");
    assert!(measured.is_none() || bytes < specimen / 10.0, "{bytes} of {specimen}");
}
