//! Results are proved in the format that was chosen, and where others find them.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use refiner_journal::State;
use refiner_specimen::sha256;
use refiner_testkit::unused_address;

use crate::{
    bench::{Bench, PATIENCE},
    specimens::{Given, one, stream},
};

/// The sha256 of the result in this format, by `refiner replay`.
fn replayed(bench: &Bench, given: &Given, format: &str) -> String {
    let path = bench.directory.path().join("specimen.avro");
    std::fs::write(&path, &given.bytes).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_refiner"))
        .arg("replay")
        .arg(&path)
        .args(["--json", "--format", format])
        .output()
        .unwrap();
    let line = String::from_utf8(output.stdout).unwrap();
    let run: serde_json::Value = serde_json::from_str(line.lines().next().unwrap()).unwrap();
    run["artifacts"][0]["sha256"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_made_in_another_format_is_run_again_and_not_proved() {
    let Some(mut bench) = Bench::new().await else { return };
    let given = stream(3);
    bench.chain.set_operator_enabled(false).await.unwrap();
    bench.announce(&given).await;
    bench.start();
    bench.until_all(State::ProofIntent, 3).await;
    assert_eq!(bench.stop().await, Some(0), "{}", bench.log());

    bench.chain.set_operator_enabled(true).await.unwrap();
    bench.flags = ["--format", "evm-server@e"].map(str::to_owned).into();
    bench.start();
    bench.until_all(State::Final, 3).await;
    bench.assert_proved_once(&given).await;
    for proof in bench.proofs().await {
        let given = given.iter().find(|given| given.hash == proof.specimen_hash).unwrap();
        let expected = replayed(&bench, given, "evm-server@e");
        assert_eq!(format!("{:x}", proof.result_hash), expected.trim_start_matches("0x"));
    }
    let ended = bench.items().into_iter().filter(|item| item.state == State::Skipped);
    let reasons: Vec<_> = ended.map(|item| item.reason.unwrap()).collect();
    assert!(reasons.len() == 3 && reasons.iter().all(|reason| reason.starts_with("superseded: ")), "{reasons:?}");
    assert!(bench.log().contains("unproved items are run again"), "{}", bench.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn daemon_with_a_key_does_not_start_without_a_format_and_a_place_for_results() {
    let Some(bench) = Bench::new().await else { return };
    let without_format: Vec<_> = bench.command().get_args().map(ToOwned::to_owned).collect();
    let without_format =
        without_format.into_iter().filter(|argument| argument != "--format" && argument != "canonical");
    let output = Command::new(env!("CARGO_BIN_EXE_refiner"))
        .args(without_format)
        .env("NODE_ETHEREUM_MAINNET", &bench.urls[0])
        .env("BLOCK_RESULT_OPERATOR_PRIVATE_KEY", bench.key)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{text}");
    for expected in ["pinner is missing", "--public-url", "add `format = \"evm-server@e\"`"] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn proof_without_a_pinner_names_the_served_store_and_its_url_leads_to_the_result() {
    let Some(mut bench) = Bench::new().await else { return };
    let given = one();
    let address = unused_address();
    let base = format!("http://{address}");
    let gateway = bench.pinner.url();
    bench.flags = ["--pinner", "none", "--gateway", &gateway, "--public-url", &base].map(str::to_owned).into();
    bench.announce(std::slice::from_ref(&given)).await;
    bench.start();
    bench.until_all(State::Final, 1).await;

    let _served = Served::start(&bench, address);
    let proof = bench.proofs().await.remove(0);
    let path = proof.url.strip_prefix(&base).unwrap_or_else(|| panic!("{}", proof.url));
    assert!(path.starts_with("/ipfs/"), "{path}");
    assert_eq!(sha256(&get(address, path)), proof.result_hash);
}

/// A `refiner content serve` over the daemon's store.
struct Served(Child);

impl Served {
    fn start(bench: &Bench, address: SocketAddr) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_refiner"));
        command.args(["content", "serve", "--listen", &address.to_string(), "--data"]).arg(&bench.data);
        Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The body of an answer, once something listens.
fn get(address: SocketAddr, path: &str) -> Vec<u8> {
    let begun = Instant::now();
    let mut stream = loop {
        match TcpStream::connect(address) {
            Ok(stream) => break stream,
            Err(error) => assert!(begun.elapsed() < PATIENCE, "{error}"),
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    write!(stream, "GET {path} HTTP/1.1\r\nhost: store\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let head = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    answer.split_off(head + 4)
}
