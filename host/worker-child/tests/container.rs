//! A worker in a container of `compose/Dockerfile`: the doors that its confinement closes there, with the engine's default profile
//! and with `compose/seccomp.json`.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs, reason = "helpers of tests are tests")]

use std::{collections::BTreeMap, path::Path};

use refiner_testkit::container_engine::{Engine, inside, must, repository};

const IMAGE: &str = "refiner-test-worker";
/// What `inside` reports of a process that made a deadly system call.
const DEADLY: &str = "signal 31";

/// Doors that give an error, and doors that end the process.
const CLOSED: [&str; 11] = [
    "read-file=/data/README",
    "read-file=/proc/1/environ",
    "write-file=/data/new",
    "write-file=/tmp/new",
    "list=/",
    "parent-environment",
    "parent-memory",
    "own-descriptors",
    "spawn",
    "thread",
    "signal-parent",
];
const DEADLY_DOORS: [&str; 7] =
    ["tcp=127.0.0.1:1", "udp", "unix-socket=/tmp/socket", "exec", "trace-parent", "namespace", "become-root"];

/// The outcome at each door, by its name.
fn doors(engine: &Engine, inside: &Path, profile: &[String]) -> BTreeMap<String, String> {
    let names: Vec<_> = ["nothing"].into_iter().chain(CLOSED).chain(DEADLY_DOORS).collect();
    let probes: Vec<_> = names.iter().map(|name| format!("probe:{name}")).collect();
    let mount = format!("{}:/inside:ro", inside.display());
    let mut run = engine.docker(&["run", "--rm", "--network", "none", "--read-only", "--cap-drop", "ALL"]);
    run.args(["--security-opt", "no-new-privileges", "--tmpfs", "/tmp", "--volume", &mount]).args(profile);
    let printed = must(run.args(["--entrypoint", "/inside", IMAGE, "run", "/refiner"]).args(&probes));
    let outcomes = printed.lines().filter_map(|line| line.strip_prefix("probe:")?.split_once(": "));
    outcomes.map(|(door, outcome)| (door.to_owned(), outcome.to_owned())).collect()
}

#[test]
fn every_door_out_of_a_worker_is_closed_in_a_container_too() {
    let Some(engine) = Engine::find_or_start() else { return };
    let directory = tempfile::tempdir().unwrap();
    let inside = inside(directory.path());
    engine.build(Path::new(env!("CARGO_BIN_EXE_refiner-worker-child")), IMAGE);
    let ours = repository().join("compose/seccomp.json");
    for profile in [vec![], vec!["--security-opt".to_owned(), format!("seccomp={}", ours.display())]] {
        let outcomes = doors(&engine, &inside, &profile);
        let at = |door: &str| outcomes.get(door).map_or("no answer", String::as_str);
        assert_eq!(at("nothing"), "open", "{profile:?}: {outcomes:?}");
        for door in CLOSED {
            assert!(at(door).starts_with("closed: "), "{profile:?} {door}: {}", at(door));
        }
        for door in DEADLY_DOORS {
            assert_eq!(at(door), DEADLY, "{profile:?} {door}");
        }
    }
}
