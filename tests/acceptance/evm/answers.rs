//! The bytes that the network agreed on, to both forms of request.

use std::{fs, process::Command};

use refiner_specimen::{data_json, sha256};
use refiner_testkit::real;

use super::server::{Server, nameless};
use crate::program::text;

/// `curl -F filedata=@<file>`: status and body, or `None` and a remark where there is no curl.
fn curl(server: &Server, file: &str) -> Option<(String, Vec<u8>)> {
    let directory = tempfile::tempdir().unwrap();
    let answer = directory.path().join("answer");
    let form = format!("filedata=@{file}");
    let url = server.url("/process");
    let output =
        Command::new("curl").args(["-sS", "-w", "%{http_code}", "-F", &form, "-o", text(&answer), &url]).output();
    let Ok(output) = output else {
        #[allow(clippy::print_stderr, reason = "whoever runs the tests should know what was not tried")]
        {
            eprintln!("skipped: curl is not here");
        }
        return None;
    };
    assert!(output.status.success(), "{output:?}");
    Some((String::from_utf8(output.stdout).unwrap(), fs::read(answer).unwrap()))
}

#[test]
fn published_results_are_answered_to_the_networks_refiner_and_to_curl() {
    let Some(specimens) = real::specimens().unwrap() else { return };
    let directory = tempfile::tempdir().unwrap();
    let mut published = 0;
    for real in specimens {
        let Some(expected) = real.vector.evm_server else { continue };
        let format = format!("evm-server@{}", expected.era.to_ascii_lowercase());
        let server = Server::start(&["--format", &format]);
        let json = data_json(&real.file.bytes).unwrap().to_string();
        let answer = server.ask(&nameless(json.as_bytes()));
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        assert_eq!(sha256(&answer.body), expected.sha256, "{}", real.vector.file);
        let file = directory.path().join("replica.json");
        fs::write(&file, json).unwrap();
        if let Some((status, body)) = curl(&server, text(&file)) {
            assert_eq!((&*status, sha256(&body)), ("200", expected.sha256), "{}", real.vector.file);
        }
        published += 1;
    }
    assert_eq!(published, 4);
}

#[test]
fn what_the_program_decodes_the_program_executes() {
    let sample = crate::program::samples().swap_remove(0);
    let decoded = crate::program::refiner(&["specimen", "decode", "--data", text(&sample)]).expect(0);
    let server = Server::start(&["--format", "canonical"]);
    let served = server.ask(&nameless(&decoded.stdout));
    assert_eq!(served.status, 200, "{}", String::from_utf8_lossy(&served.body));
    let specimen = refiner_specimen::decode(&fs::read(&sample).unwrap()).unwrap();
    let executor = refiner_evm::EmbeddedExecutor::default();
    let expected = executor.execute(&specimen, refiner_evm::ResultFormat::Canonical).unwrap();
    assert_eq!(served.body, expected.block_result(&specimen).unwrap());
}
