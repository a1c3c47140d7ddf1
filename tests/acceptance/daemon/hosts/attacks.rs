//! Hosts and messages that are not honest.

use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use refiner_content::content_id;
use refiner_journal::State;
use refiner_specimen::sha256;
use serde_json::{Value, json};

use super::{
    crew::{ACK_WAIT_S, Crew, forged, queue},
    nats::{Nats, Raw},
};
use crate::{
    bench::{Bench, PATIENCE},
    power_cut::compiled,
    specimens::{one, stream},
};

/// A bench whose daemon handed out these specimens, and no host yet.
async fn handed_out(bench: &mut Bench, count: usize) -> (String, alloy_primitives::B256) {
    bench.until("the specimens are in NATS", |bench| queue(bench)["tasks"] == count).await;
    let id = queue(bench)["id"].as_str().unwrap().to_owned();
    (id, bench.items()[0].rule)
}

#[tokio::test(flavor = "multi_thread")]
async fn host_that_lies_is_found_by_a_second_opinion_and_the_item_set_aside() {
    let Some(mut bench) = Bench::new().await else { return };
    let Some(nats) = Nats::alone(bench.directory.path(), "") else { return };
    let mut crew = Crew::of(&mut bench, &nats.url());
    bench.flags.extend(["--recheck", "1/1"].map(str::to_owned));
    bench.start_ready().await;
    let given = one();
    bench.announce(std::slice::from_ref(&given)).await;
    let (id, rule) = handed_out(&mut bench, 1).await;
    // Its artifact is there, and is what it states; only the rule would not have made it.
    let lie = b"{\"made\":\"up\"}";
    let file = bench.directory.path().join("lie");
    fs::write(&file, lie).unwrap();
    let mut put = Command::new(env!("CARGO_BIN_EXE_refiner"));
    let kept =
        put.args(["content", "put"]).arg(&file).arg("--data").arg(&bench.data).stdin(Stdio::null()).output().unwrap();
    assert!(kept.status.success());
    let artifact = json!({ "name": "block-result", "mediaType": "application/json", "sha256": sha256(lie), "bytes": lie.len(), "cid": content_id(lie).to_string() });
    let outcome = |artifact: Value| json!({ "produced": { "artifacts": [artifact] } });
    let artifact = as_listed(&bench, &nats, &id, artifact);
    nats.client().keep(&format!("rfn.{id}.result.liar"), &forged(&given, rule, "liar", &outcome(artifact), &crew.from));
    crew.hire("honest", &[]);
    bench.until_all(State::Quarantined, 1).await;
    let reason = bench.items()[0].reason.clone().unwrap();
    assert!(reason.contains("liar") && reason.contains("honest") && reason.contains("disagree"), "{reason}");
    bench.until("it is counted", |bench| queue(bench)["disagreements"] == 1).await;
    assert_eq!(bench.proofs().await, []);
}

/// The artifact with the labels that the rule's manifest lists, which an honest host would give it.
fn as_listed(bench: &Bench, _nats: &Nats, _id: &str, mut artifact: Value) -> Value {
    let output =
        Command::new(env!("CARGO_BIN_EXE_refiner")).args(["rule", "info", "block-result", "--json"]).output().unwrap();
    let info: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let listed = &info["outputs"][0];
    assert!(listed["name"].is_string(), "{info}\n{}", bench.log());
    artifact["name"] = listed["name"].clone();
    artifact["mediaType"] = listed["mediaType"].clone();
    if listed["schema"].is_string() {
        artifact["schema"] = listed["schema"].clone();
    }
    artifact
}

#[tokio::test(flavor = "multi_thread")]
async fn result_under_the_name_of_another_host_is_refused() {
    let Some(mut bench) = Bench::new().await else { return };
    let Some(nats) = Nats::alone(bench.directory.path(), "") else { return };
    let mut crew = Crew::of(&mut bench, &nats.url());
    bench.start_ready().await;
    let given = one();
    bench.announce(std::slice::from_ref(&given)).await;
    let (id, rule) = handed_out(&mut bench, 1).await;
    let refused = json!({ "refused": { "reason": "rejected: never" } });
    let mut client = nats.client();
    client.keep(&format!("rfn.{id}.result.other"), &forged(&given, rule, "honest", &refused, &crew.from));
    client.keep(&format!("rfn.{id}.result.other"), b"not even JSON");
    bench.until("both are refused", |bench| queue(bench)["refusedMessages"] == 2).await;
    assert_eq!(bench.in_state(State::Fetched), 1);
    crew.hire("honest", &[]);
    bench.until_all(State::Final, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn result_whose_artifacts_are_elsewhere_or_too_many_is_not_used_and_no_address_of_it_is_asked() {
    let Some(mut bench) = Bench::new().await else { return };
    let Some(nats) = Nats::alone(bench.directory.path(), "") else { return };
    let mut crew = Crew::of(&mut bench, &nats.url());
    // Only this one origin is permitted.
    let from = crew.from.clone();
    let position = bench.flags.iter().position(|flag| flag == "127.0.0.0/8").unwrap();
    bench.flags[position] = format!("{from},127.0.0.1/32");
    bench.start_ready().await;
    let given = one();
    bench.announce(std::slice::from_ref(&given)).await;
    let (id, rule) = handed_out(&mut bench, 1).await;
    let trap = TcpListener::bind("127.0.0.2:0").unwrap();
    trap.set_nonblocking(true).unwrap();
    let elsewhere = format!("http://{}", trap.local_addr().unwrap());
    let artifact = json!({ "name": "block-result", "mediaType": "application/json", "sha256": sha256(b"x"), "bytes": 1, "cid": content_id(b"x").to_string() });
    let artifact = as_listed(&bench, &nats, &id, artifact);
    let outcome = json!({ "produced": { "artifacts": [artifact] } });
    nats.client().keep(&format!("rfn.{id}.result.liar"), &forged(&given, rule, "liar", &outcome, &elsewhere));
    bench.until("it cannot be used", |bench| queue(bench)["unusable"] == 1).await;
    assert!(trap.accept().is_err(), "an address that is not permitted was asked");
    let many: Vec<_> = (0..50).map(|_| outcome["produced"]["artifacts"][0].clone()).collect();
    let many = json!({ "produced": { "artifacts": many } });
    nats.client().keep(&format!("rfn.{id}.result.liar"), &forged(&given, rule, "liar", &many, &from));
    bench.until("nor can that", |bench| queue(bench)["unusable"] == 2).await;
    crew.hire("honest", &[]);
    bench.until_all(State::Final, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn task_that_names_an_address_has_no_host_ask_it() {
    let Some(mut bench) = Bench::new().await else { return };
    let Some(nats) = Nats::alone(bench.directory.path(), "") else { return };
    let mut crew = Crew::of(&mut bench, &nats.url());
    bench.start_ready().await;
    let given = stream(2);
    bench.announce(&given[..1]).await;
    let (id, rule) = handed_out(&mut bench, 1).await;
    let trap = TcpListener::bind("127.0.0.1:0").unwrap();
    trap.set_nonblocking(true).unwrap();
    let unknown = &given[1];
    let task = json!({
        "v": 3, "task": refiner_queue::TaskId::of(1, unknown.hash, rule), "attempt": "0.0", "chain": 1, "height": unknown.height,
        "blockHash": unknown.block_hash, "rule": rule, "wallMs": 1000,
        "specimen": { "hash": unknown.hash, "cid": content_id(&unknown.bytes).to_string(), "bytes": unknown.bytes.len() },
        "from": [format!("http://{}", trap.local_addr().unwrap()), "http://169.254.169.254/"],
    });
    let subject = format!("rfn.{id}.task.{}", &format!("{rule:x}")[..12]);
    nats.client().keep(&subject, &serde_json::to_vec(&task).unwrap());
    crew.hire("one", &[]);
    bench.until("the host gave it up", |_| crew.host("one").log().contains("specimen not fetched")).await;
    bench.until_all(State::Final, 1).await;
    assert!(trap.accept().is_err(), "an address that a message names was asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn specimen_that_ends_every_host_is_set_aside_after_five() {
    let Some(mut bench) = Bench::new().await else { return };
    let Some(nats) = Nats::alone(bench.directory.path(), "") else { return };
    let mut crew = Crew::of(&mut bench, &nats.url());
    bench.start_ready().await;
    bench.announce(&[one()]).await;
    let (id, _) = handed_out(&mut bench, 1).await;
    // Hosts that take it and are not heard of again.
    let mut client = nats.client();
    let next = format!("$JS.API.CONSUMER.MSG.NEXT.RFN_{id}_TASKS.{}", client.consumer(&id));
    for delivery in 1..=5 {
        let (reply, _) = taken(&mut client, &next);
        assert!(reply.contains(&format!(".{delivery}.")), "delivery {delivery}: {reply}");
    }
    crew.hire("one", &[]);
    bench.until_all(State::Quarantined, 1).await;
    let reason = bench.items()[0].reason.clone().unwrap();
    assert!(reason.contains("6 worker hosts were given the specimen"), "{reason}");
    assert_eq!(crew.host("one").completed(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn specimen_that_ends_every_host_that_gives_a_second_opinion_is_set_aside_after_five() {
    let Some(mut bench) = Bench::new().await else { return };
    let Some(nats) = Nats::alone(bench.directory.path(), "") else { return };
    let mut crew = Crew::of(&mut bench, &nats.url());
    bench.flags.extend(["--recheck", "1/1"].map(str::to_owned));
    crew.hire("one", &[]);
    bench.start_ready().await;
    bench.announce(&[one()]).await;
    let (id, mut client) = (queue(&bench)["id"].as_str().unwrap().to_owned(), nats.client());
    bench.until("the host of the first opinion passed on the second", |_| client.published(&id) >= 3).await;
    crew.host("one").kill();
    let next = format!("$JS.API.CONSUMER.MSG.NEXT.RFN_{id}_TASKS.{}", client.consumer(&id));
    // It may have had the task once more, and been killed with it.
    for _ in 1..=5 {
        let (_, task) = taken(&mut client, &next);
        let task: Value = serde_json::from_slice(&task).unwrap();
        assert_eq!(task["not"], "one");
    }
    crew.host("one").start(&[]);
    bench.until_all(State::Quarantined, 1).await;
    let reason = bench.items()[0].reason.clone().unwrap();
    assert!(reason.contains("worker hosts were given the specimen and none came to an end with it"), "{reason}");
    assert_eq!(crew.host("one").completed(), 1);
}

/// `refiner queue key`: the file with the seed, and the user for the configuration of NATS.
fn key(bench: &Bench, name: &str, host: &[&str]) -> (String, String) {
    let file = bench.directory.path().join(name);
    let output =
        Command::new(env!("CARGO_BIN_EXE_refiner")).args(["queue", "key"]).arg(&file).args(host).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (file.to_str().unwrap().to_owned(), String::from_utf8(output.stdout).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn host_with_a_key_of_its_own_works_and_may_work_under_no_other_name() {
    let Some(mut bench) = Bench::new().await else { return };
    let (announcer, operator) = (bench.chain.specimen_contract(), refiner_testchain::OPERATOR);
    let id = refiner_queue::QueueId::of(bench.chain.chain_id(), announcer.into_array(), Some(operator.into_array()));
    let (coordinator, its_user) = key(&bench, "coordinator.nk", &[]);
    let (one, user_of_one) = key(&bench, "one.nk", &["--queue-id", &id.to_string(), "--host-name", "one"]);
    let users = format!("authorization {{ users = [ {its_user} {user_of_one} ] }}\n");
    let Some(nats) = Nats::alone(bench.directory.path(), &users) else { return };
    let mut crew = Crew::of(&mut bench, &nats.url());
    bench.flags.extend(["--queue-nkey".to_owned(), coordinator]);
    bench.start_ready().await;
    let given = stream(2);
    bench.announce(&given[..1]).await;
    crew.hire("one", &["--queue-nkey", &one]);
    bench.until_all(State::Final, 1).await;
    assert!(!nats.log().contains("Violation"), "{}", nats.log());
    crew.host("one").kill();

    crew.hire("two", &["--queue-nkey", &one]);
    bench.announce(&given[1..]).await;
    bench
        .until("the server refuses what is not its own", |_| {
            nats.log().contains("Subscription Violation") && nats.log().contains("_INBOX_two")
        })
        .await;
    bench.until("it tells why", |_| crew.host("two").log().contains("NATS refuses")).await;
    assert_eq!(bench.in_state(State::Final), 1);
    let unknown =
        Command::new(env!("CARGO_BIN_EXE_refiner")).args(["queue", "status", "--queue", &nats.url()]).output().unwrap();
    assert!(!unknown.status.success());
}

/// The next task, which becomes free when the ack wait of the one before is over.
fn taken(client: &mut Raw, next: &str) -> (String, Vec<u8>) {
    let begun = Instant::now();
    loop {
        let (reply, payload) = client.ask(next, br#"{"batch":1,"no_wait":true}"#);
        if reply.starts_with("$JS.ACK") {
            return (reply, payload);
        }
        assert!(begun.elapsed() < PATIENCE + Duration::from_secs(ACK_WAIT_S));
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn host_of_another_build_and_one_whose_clock_is_an_hour_off() {
    let Some(mut bench) = Bench::new().await else { return };
    let Some(nats) = Nats::alone(bench.directory.path(), "") else { return };
    let Some(library) = compiled("clock", "a clock that is set needs a C compiler") else { return };
    let mut crew = Crew::of(&mut bench, &nats.url());
    bench.start_ready().await;
    let given = stream(3);
    let id = queue(&bench)["id"].as_str().unwrap().to_owned();
    let moved_by = bench.directory.path().join("moved-by");
    fs::write(&moved_by, "3600").unwrap();
    crew.hire("late", &[]);
    crew.host("late").kill();
    crew.host("late").start(&[("LD_PRELOAD", &library as &Path), ("CLOCK_MOVED_BY", &moved_by)]);
    bench.announce(&given).await;
    bench.until_all(State::Final, 3).await;
    bench.assert_proved_once(&given).await;

    // A record of another identity is what a host of another build sees.
    let mut client = nats.client();
    let (_, record) = client.ask(&format!("$JS.API.DIRECT.GET.KV_RFN_{id}.$KV.RFN_{id}.rules"), b"");
    let text = String::from_utf8_lossy(&record).into_owned();
    let json = &text[text.find('{').unwrap()..];
    let mut rules: Value = serde_json::from_str(json).unwrap();
    rules["rules"][0]["identity"] = json!(alloy_primitives::B256::repeat_byte(7));
    let record = serde_json::to_vec(&rules).unwrap();
    crew.hire("other", &[]);
    let differs = |_: &mut Bench| {
        // The coordinator mends it every 5 s.
        client.keep(&format!("$KV.RFN_{id}.rules"), &record);
        crew.host("other").log().contains("the builds differ")
    };
    bench.until("it does not serve the rule", differs).await;
    let _ = fs::remove_file(library);
}
