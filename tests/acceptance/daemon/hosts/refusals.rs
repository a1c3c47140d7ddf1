//! Servers that are there and refuse: users that they do not know, and messages that they have no room for.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use refiner_testkit::samples;
use serde_json::Value;

use super::{
    crew::Crew,
    nats::Nats,
    program,
    replaying::{Scene, decoded},
};
use crate::{
    bench::{Bench, PATIENCE},
    specimens::stream,
};

/// Exit code and output of `refiner queue status`.
fn queue_status(url: &str, more: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(program()).args(["queue", "status", "--queue", url]).args(more).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

#[test]
fn credentials_of_an_address_are_those_that_nats_asks_for_and_are_shown_nowhere() {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let server = |name: &str, configuration: &str| Nats::alone(&directory.path().join(name), configuration);
    let Some(password) = server("password", "authorization { user: u, password: \"p@ss/w%\" }\n") else { return };
    let Some(token) = server("token", "authorization { token: \"t0k3n\" }\n") else { return };
    let address = |nats: &Nats, credentials: &str| nats.url().replace("//", &format!("//{credentials}@"));
    for right in [address(&password, "u:p%40ss%2Fw%25"), address(&token, "t0k3n")] {
        let (code, text) = queue_status(&right, &[]);
        assert!(code == Some(0) && text.contains("no queue on this server"), "{text}");
    }
    let wrong = address(&password, "u:n0t-it");
    let mut crew = Crew::of_replay(directory.path(), &wrong, "http://127.0.0.1:1");
    crew.hire("one", &[]);
    // It waits for an answer for ten seconds, in which the host tries as well.
    let (code, text) = queue_status(&wrong, &[]);
    assert!(code.is_some_and(|code| code != 0) && text.contains("authorization violation"), "{text}");
    assert!(text.contains("nats://user:password@host") && !text.contains("n0t-it"), "{text}");
    let log = crew.host("one").log();
    assert_eq!(log.matches("NATS is not reached").count(), 1, "{log}");
    assert!(log.contains("authorization violation") && !log.contains("async_nats") && !log.contains("n0t-it"), "{log}");
}

/// A replay, ended with the test.
struct Replay(Child);

impl Drop for Replay {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Lines of a server's configuration by which it keeps so many bytes in memory, and in files.
fn room(memory: u64, files: u64) -> String {
    format!(
        "accounts {{ A {{ jetstream: {{ max_mem: {memory}, max_file: {files} }}, users: [{{ user: a, password: a }}] }} }}\nno_auth_user: a\n"
    )
}

/// A server that keeps so many bytes of a replay.
fn with_room(bytes: u64) -> Option<Scene> {
    Scene::with_nats(&room(bytes, 1 << 30))
}

fn replay(scene: &Scene) -> Replay {
    let specimens = scene.specimens(1, &decoded(&samples().unwrap()));
    let mut command = scene.on_hosts(&specimens, &scene.path("out"), &["--rule", "transaction-summary"]);
    let log = fs::File::create(scene.path("replay.log")).unwrap();
    Replay(command.stdout(Stdio::null()).stderr(log).spawn().unwrap())
}

#[track_caller]
fn until_logged(log: &Path, words: &[&str]) {
    let begun = Instant::now();
    let read = || fs::read_to_string(log).unwrap_or_default();
    while !read().lines().any(|line| words.iter().all(|words| line.contains(words))) {
        assert!(begun.elapsed() < PATIENCE, "{words:?}: {}", read());
        thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn task_that_nats_has_no_room_for_is_named_in_the_log() {
    let Some(mut scene) = with_room(200) else { return };
    scene.crew.hire("one", &[]);
    let _replay = replay(&scene);
    let log = scene.path("replay.log");
    until_logged(
        &log,
        &["WARN", "tasks are not published, tried again", "resource limits exceeded", "max_memory_store"],
    );
    until_logged(&log, &["replay waits", "tasks are not published: "]);
}

#[test]
fn result_that_nats_has_no_room_for_is_named_by_its_host_and_by_whoever_looks() {
    // Enough for the task.
    let Some(mut scene) = with_room(1_500) else { return };
    scene.crew.hire("one", &[]);
    let _replay = replay(&scene);
    until_logged(
        &scene.path("host-one.log"),
        &["WARN", "results are not published, tried again", "resource limits exceeded"],
    );
    let log = scene.path("replay.log");
    until_logged(&log, &["WARN", "results of a worker host are not published", "host=one"]);
    until_logged(&log, &["replay waits", "results of worker host one are not published: "]);
    let (_, text) = queue_status(&scene.nats.url(), &["--json"]);
    let status: Value = serde_json::from_str(&text).unwrap();
    let unpublished = status["queues"][0]["hosts"][0]["unpublished"].as_str();
    assert!(unpublished.is_some_and(|reason| reason.contains("resource limits exceeded")), "{text}");
    let (_, text) = queue_status(&scene.nats.url(), &[]);
    assert!(text.contains("results are not published: "), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn daemon_whose_tasks_nats_has_no_room_for_names_that_in_its_status() {
    let Some(mut bench) = Bench::new().await else { return };
    // Enough for the rule and the lease.
    let Some(nats) = Nats::alone(bench.directory.path(), &room(1 << 20, 2_048)) else { return };
    let _crew = Crew::of(&mut bench, &nats.url());
    bench.start_ready().await;
    bench.announce(&stream(3)).await;
    let words = "tasks are not published: ";
    bench
        .until("the status has the words", |bench| bench.waits_for("queue").is_some_and(|what| what.contains(words)))
        .await;
    assert!(bench.log().contains("tasks are not published, tried again"), "{}", bench.log());
}
