//! NATS in trouble, and coordinators.

use std::{
    io,
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    process::Command,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use refiner_journal::State;
use serde_json::Value;

use super::{
    crew::{Crew, queue},
    nats::{Nats, free_port},
};
use crate::{
    bench::Bench,
    specimens::{one, stream},
};

#[tokio::test(flavor = "multi_thread")]
async fn cluster_that_loses_its_leader_and_a_store_loses_nothing() {
    let Some(mut bench) = Bench::new().await else { return };
    let Some(mut servers) = Nats::cluster(bench.directory.path()) else { return };
    let urls: Vec<_> = servers.iter().map(Nats::url).collect();
    let mut crew = Crew::of(&mut bench, &urls.join(","));
    let given = stream(30);
    crew.hire("one", &[]);
    crew.hire("two", &[]);
    bench.start_ready().await;
    bench.announce(&given[..10]).await;
    bench.until("work began", |bench| bench.in_state(State::Final) > 0).await;
    // Each in turn, so that every leader dies once; the last also loses what it kept.
    for number in 0..3 {
        servers[number].kill();
        if number == 2 {
            servers[number].wipe();
        }
        bench.announce(&given[10 + 6 * number..16 + 6 * number]).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        servers[number].start();
        tokio::time::sleep(Duration::from_secs(3)).await;
    }
    bench.announce(&given[28..]).await;
    bench.until_all(State::Final, given.len()).await;
    bench.assert_proved_once(&given).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_are_killed_and_wiped_are_given_everything_again() {
    let Some(mut bench) = Bench::new().await else { return };
    let Some(mut nats) = Nats::alone(bench.directory.path(), "") else { return };
    let mut crew = Crew::of(&mut bench, &nats.url());
    let given = stream(6);
    bench.start_ready().await;
    bench.announce(&given).await;
    bench.until("the specimens are in NATS", |bench| queue(bench)["tasks"] == 6).await;
    nats.kill();
    nats.wipe();
    bench.until("NATS is missed", |bench| bench.waits_for("queue").is_some()).await;
    nats.start();
    crew.hire("one", &[]);
    bench.until_all(State::Final, given.len()).await;
    bench.assert_proved_once(&given).await;
    assert!(bench.log().contains("streams were gone and are made anew"), "{}", bench.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn late_acknowledgement_removes_no_task_of_streams_that_were_made_anew() {
    let Some(mut bench) = Bench::new().await else { return };
    let Some(mut nats) = Nats::alone(bench.directory.path(), "") else { return };
    let mut crew = Crew::of(&mut bench, &nats.url());
    // Were the task removed, the specimen would wait for longer than this test does.
    bench.flags.extend(["--queue-sweep", "10m"].map(str::to_owned));
    let given = one();
    bench.start_ready().await;
    bench.announce(std::slice::from_ref(&given)).await;
    bench.until("the specimen is in NATS", |bench| queue(bench)["tasks"] == 1).await;
    let id = queue(&bench)["id"].as_str().unwrap().to_owned();
    // A host that has the task when the server dies, and does not know of it.
    let mut client = nats.client();
    let next = format!("$JS.API.CONSUMER.MSG.NEXT.RFN_{id}_TASKS.{}", client.consumer(&id));
    let (acknowledgement, _) = client.ask(&next, b"");
    nats.kill();
    nats.wipe();
    bench.until("NATS is missed", |bench| bench.waits_for("queue").is_some()).await;
    nats.start();
    bench.until("the streams are made anew", |bench| bench.log().contains("streams were gone and are made anew")).await;
    bench.until("the task is there again", |_| nats.client().published(&id) == 1).await;
    let mut client = nats.client();
    client.publish(&acknowledgement, b"+ACK");
    // The server has read it.
    client.published(&id);
    crew.hire("one", &[]);
    bench.until_all(State::Final, 1).await;
    bench.assert_proved_once(&[given]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn coordinator_with_workers_goes_on_alone_while_nats_is_away() {
    let Some(mut bench) = Bench::new().await else { return };
    let Some(mut nats) = Nats::alone(bench.directory.path(), "") else { return };
    let _crew = Crew::of(&mut bench, &nats.url());
    bench.flags.extend(["--workers", "1"].map(str::to_owned));
    bench.start_ready().await;
    nats.kill();
    let given = stream(3);
    bench.announce(&given).await;
    bench.until_all(State::Final, 3).await;
    bench.assert_proved_once(&given).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn second_coordinator_refuses_to_start_and_takes_over_when_the_first_was_killed() {
    let Some(mut bench) = Bench::new().await else { return };
    let Some(nats) = Nats::alone(bench.directory.path(), "") else { return };
    let _crew = Crew::of(&mut bench, &nats.url());
    bench.start_ready().await;
    let second = |bench: &Bench| {
        let mut command = bench.command();
        command.args(["--data"]).arg(bench.directory.path().join("second")).args(["--health", "127.0.0.1:0"]);
        command
    };
    let refused = second(&bench).output().unwrap();
    let words = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(6), "{words}");
    assert!(words.contains("another coordinator holds the queue") && words.contains("(process "), "{words}");
    let status = queue_status(&nats);
    assert!(status["queues"][0]["coordinator"]["host"].as_str().is_some(), "{status}");

    bench.kill();
    bench.data = bench.directory.path().join("second");
    bench.start_ready().await;
    assert_eq!(bench.stop().await, Some(0));
    // It gave the lease back.
    assert!(queue_status(&nats)["queues"][0]["coordinator"].is_null());
}

/// The output of `refiner queue status --json`.
fn queue_status(nats: &Nats) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_refiner"))
        .args(["queue", "status", "--json", "--queue", &nats.url()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn server_that_takes_only_short_messages_is_refused_with_both_numbers() {
    let Some(mut bench) = Bench::new().await else { return };
    let Some(nats) = Nats::alone(bench.directory.path(), "max_payload: 65536\n") else { return };
    let _crew = Crew::of(&mut bench, &nats.url());
    bench.start();
    assert_eq!(bench.ended().await, Some(6), "{}", bench.log());
    assert!(bench.log().contains("65536 bytes (max_payload), expected at least 266240"), "{}", bench.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn stream_of_other_settings_is_refused_with_what_was_found_and_expected() {
    let Some(mut bench) = Bench::new().await else { return };
    let Some(nats) = Nats::alone(bench.directory.path(), "") else { return };
    let _crew = Crew::of(&mut bench, &nats.url());
    bench.start_ready().await;
    let id = queue(&bench)["id"].as_str().unwrap().to_owned();
    assert_eq!(bench.stop().await, Some(0));
    let mut client = nats.client();
    let (_, deleted) = client.ask(&format!("$JS.API.STREAM.DELETE.RFN_{id}_RESULTS"), b"{}");
    assert!(String::from_utf8_lossy(&deleted).contains("\"success\":true"));
    let other = format!(
        r#"{{"name":"RFN_{id}_RESULTS","subjects":["rfn.{id}.result.*"],"retention":"limits","storage":"file"}}"#
    );
    client.ask(&format!("$JS.API.STREAM.CREATE.RFN_{id}_RESULTS"), other.as_bytes());
    bench.start();
    assert_eq!(bench.ended().await, Some(6), "{}", bench.log());
    let log = bench.log();
    assert!(log.contains("has retention Limits, expected WorkQueue") && log.contains("nats stream rm"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn cluster_of_three_that_is_killed_and_wiped_is_given_everything_again() {
    let Some(mut bench) = Bench::new().await else { return };
    let Some(mut servers) = Nats::cluster(bench.directory.path()) else { return };
    let urls: Vec<_> = servers.iter().map(Nats::url).collect();
    let mut crew = Crew::of(&mut bench, &urls.join(","));
    let given = stream(8);
    bench.start_ready().await;
    bench.announce(&given[..6]).await;
    bench.until("the specimens are in NATS", |bench| queue(bench)["tasks"] == 6).await;
    servers.iter_mut().for_each(Nats::kill);
    servers.iter().for_each(Nats::wipe);
    bench.until("NATS is missed", |bench| bench.waits_for("queue").is_some()).await;
    servers.iter_mut().for_each(Nats::start);
    bench.announce(&given[6..]).await;
    crew.hire("one", &[]);
    bench.until_all(State::Final, given.len()).await;
    bench.assert_proved_once(&given).await;
    assert!(bench.log().contains("streams were gone and are made anew"), "{}", bench.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn result_that_a_killed_coordinator_held_is_delivered_again_and_no_host_runs_the_specimen_twice() {
    let Some(mut bench) = Bench::new().await else { return };
    let Some(nats) = Nats::alone(bench.directory.path(), "") else { return };
    let mut crew = Crew::of(&mut bench, &nats.url());
    // Were the result not delivered again, the specimen would wait for longer than this test does.
    bench.flags.extend(["--queue-sweep", "10m"].map(str::to_owned));
    let (artifacts, door) = (free_port(), Door::closed());
    let listen = format!("127.0.0.1:{artifacts}");
    crew.hire("one", &["--listen", &listen, "--origin", &door.url()]);
    let given = one();
    bench.start_ready().await;
    bench.announce(std::slice::from_ref(&given)).await;
    // The coordinator has the result, and waits for an artifact.
    bench.until("the coordinator asks for the artifact", |_| door.knocks() > 0).await;
    assert_eq!(crew.host("one").completed(), 1);
    assert_eq!(bench.in_state(State::Final), 0);
    bench.kill();
    door.open(listen.parse().unwrap());
    bench.start_ready().await;
    bench.until_all(State::Final, 1).await;
    bench.assert_proved_once(&[given]).await;
    assert_eq!(crew.host("one").completed(), 1, "{}", crew.logs());
}

/// A way to a server that lets no connection through until it is opened.
struct Door {
    address: SocketAddr,
    knocks: Arc<AtomicUsize>,
    behind: Arc<OnceLock<SocketAddr>>,
}

impl Door {
    fn closed() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let door = Self { address: listener.local_addr().unwrap(), knocks: Arc::default(), behind: Arc::default() };
        let (knocks, behind) = (Arc::clone(&door.knocks), Arc::clone(&door.behind));
        std::thread::spawn(move || {
            let mut waiting = Vec::new();
            for client in listener.incoming().map(Result::unwrap) {
                knocks.fetch_add(1, Ordering::Relaxed);
                match behind.get() {
                    // Held open, and not answered.
                    None => waiting.push(client),
                    Some(server) => {
                        let server = TcpStream::connect(server).unwrap();
                        for (mut from, mut to) in
                            [(client.try_clone().unwrap(), server.try_clone().unwrap()), (server, client)]
                        {
                            std::thread::spawn(move || {
                                let _ = io::copy(&mut from, &mut to);
                                let _ = to.shutdown(Shutdown::Write);
                            });
                        }
                    }
                }
            }
        });
        door
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn knocks(&self) -> usize {
        self.knocks.load(Ordering::Relaxed)
    }

    fn open(&self, server: SocketAddr) {
        self.behind.set(server).unwrap();
    }
}
