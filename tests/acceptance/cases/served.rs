//! The cases as `POST /process`, which answers as the network's server does and gates nothing, but ends.

use std::time::{Duration, Instant};

use refiner_specimen::{data_json, encode};
use refiner_testkit::case::{Case, cases, floods};
use serde_json::Value;

use super::replay;
use crate::evm::server::{Answer, Server, nameless};

/// The longest that any request may keep its server busy.
const WALL: Duration = Duration::from_secs(120);
/// The most memory of a server that executes one hostile block at a time.
const MEMORY_BYTES: usize = 1 << 30;

/// The JSON of a case, numbers that Avro's `int` cannot hold included.
fn replica(case: &Case) -> Vec<u8> {
    let mut specimen = case.specimen.clone();
    let header = &mut specimen.block.header;
    let (gas_limit, gas_used, excess) = (header.gas_limit, header.gas_used, header.excess_blob_gas);
    (header.gas_limit, header.gas_used) = (0, 0);
    header.excess_blob_gas = excess.map(|_| 0);
    let mut json = data_json(&encode(&specimen, specimen.layout).unwrap()).unwrap();
    json["Header"]["gasLimit"] = gas_limit.into();
    json["Header"]["gasUsed"] = gas_used.into();
    json["Header"]["excessBlobGas"] = excess.map_or(Value::Null, Value::from);
    json.to_string().into_bytes()
}

fn case(name: &str) -> Case {
    cases().unwrap().into_iter().find(|case| case.name == name).unwrap()
}

fn ask(server: &Server, case: &Case) -> Answer {
    let begun = Instant::now();
    let answer = server.ask(&nameless(&replica(case)));
    assert!(begun.elapsed() < WALL, "{} took {:?}", case.name, begun.elapsed());
    answer
}

#[test]
fn case_that_replay_produces_is_served_with_the_same_bytes() {
    let server = Server::start(&["--format", "canonical"]);
    for name in [
        "honest",
        "6-blobs-in-cancun",
        "fresh-authority-with-an-empty-row",
        "creation-over-storage",
        "gas-limit-1000000001",
        "gas-limit-2147483647",
        "gas-limit-2e62",
    ] {
        let case = case(name);
        let answer = ask(&server, &case);
        assert_eq!(answer.status, 200, "{name}: {}", String::from_utf8_lossy(&answer.body));
        let sha256 = refiner_specimen::sha256(&answer.body).to_string();
        assert_eq!(replay(&case, &[])["artifacts"][0]["sha256"], sha256, "{name}");
    }
}

#[test]
fn tampered_case_is_answered_as_the_networks_server_answers_it() {
    let server = Server::start(&["--format", "evm-server@d"]);
    for name in
        ["honest", "tampered-value", "tampered-withdrawal-amount", "tampered-block-hash", "tampered-start-block"]
    {
        let answer = ask(&server, &case(name));
        assert_eq!(answer.status, 200, "{name}: {}", String::from_utf8_lossy(&answer.body));
    }
}

#[test]
fn server_outlives_every_hostile_case_and_answers_the_next_one() {
    for format in ["canonical", "evm-server@d"] {
        let server = Server::start(&["--format", format]);
        let honest = ask(&server, &case("honest"));
        assert_eq!(honest.status, 200, "{}", String::from_utf8_lossy(&honest.body));
        let excess = Instant::now();
        let answer = ask(&server, &case("excess-blob-gas-2e63"));
        assert!(excess.elapsed() < Duration::from_secs(5), "{format}: {:?}", excess.elapsed());
        // A block without blobs has no use for their price, and the network's server answers it.
        assert_eq!(answer.status == 200, format == "evm-server@d", "{format}");
        for flood in floods() {
            let answer = ask(&server, &flood.case(2_000_000_000).unwrap());
            assert_ne!(answer.status, 200, "{format}: {}", flood.name);
        }
        assert_eq!(ask(&server, &case("honest")).body, honest.body, "{format}");
        assert!(server.peak_bytes() < MEMORY_BYTES, "{format}: {} bytes", server.peak_bytes());
    }
}
