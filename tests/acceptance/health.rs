//! `refiner health`, asked of real services and of none.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener},
    thread,
};

use refiner_testkit::unused_address;
use serde_json::json;

use crate::{
    evm::server::Server,
    golden::{assert_golden, shape},
    program::{command, refiner, text},
};

/// A server that gives this answer to the first request.
fn answering(answer: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 512];
        let _ = stream.read(&mut request);
        let _ = stream.write_all(answer.as_bytes());
    });
    address
}

fn asked(address: SocketAddr, more: &[&str]) -> (i32, String) {
    let ended = refiner(&[&["health", "--address", &address.to_string()], more].concat());
    assert_eq!(ended.stderr, "");
    (ended.code, ended.text())
}

#[test]
fn service_is_healthy_when_it_answers_well_and_only_then() {
    let alive = "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nalive\n";
    let address = answering(alive);
    assert_eq!(asked(address, &[]), (0, format!("healthy: http://{address}/livez: 200 alive\n")));

    let address = answering("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 9\r\n\r\nstarting\n");
    assert_eq!(asked(address, &["--ready"]), (1, format!("unhealthy: http://{address}/readyz: 503 starting\n")));

    let address = answering("SSH-2.0-other\r\n");
    assert_eq!(asked(address, &[]), (1, format!("unhealthy: http://{address}/livez: not an HTTP answer\n")));

    let address = unused_address();
    let (code, line) = asked(address, &[]);
    assert_eq!(code, 1);
    assert!(line.starts_with(&format!("unhealthy: http://{address}/livez: Connection refused")), "{line}");
}

#[test]
fn service_that_does_not_answer_in_time_is_unhealthy() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    assert_eq!(asked(address, &[]), (1, format!("unhealthy: http://{address}/livez: no answer within 5 s\n")));
}

#[test]
fn answer_of_another_program_cannot_write_to_the_terminal() {
    let address = answering("HTTP/1.1 200 OK\r\n\r\n\u{1b}[2Jall is well\u{202e}\n");
    let (_, line) = asked(address, &[]);
    assert!(!line.contains(['\u{1b}', '\u{202e}']) && line.ends_with("all is well\\u{202e}\n"), "{line}");
}

#[test]
fn report_as_json_has_the_same_facts() {
    let address = answering("HTTP/1.1 200 OK\r\n\r\nalive\n");
    let healthy = refiner(&["health", "--json", "--address", &address.to_string()]).expect(0).json_lines();
    let expected = json!({"healthy": true, "url": format!("http://{address}/livez"), "status": 200, "answer": "alive"});
    assert_eq!(healthy, [expected]);
    let unhealthy = refiner(&["health", "--json", "--address", &unused_address().to_string()]).expect(1).json_lines();
    assert_golden("json-health", &shape(healthy.iter().chain(&unhealthy)));
}

#[test]
fn address_is_the_one_of_the_services_settings() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("refiner.toml");
    let of_file = unused_address();
    // What is wrong with other settings is the daemon's to report.
    fs::write(&path, format!("health = \"{of_file}\"\ndepth = -1\n")).unwrap();
    let of_environment = unused_address();
    for (arguments, variable, expected) in [
        (&["health"][..], None, "127.0.0.1:9568/livez".to_owned()),
        (&["health", "--config", text(&path)], None, format!("{of_file}/livez")),
        (&["health", "--config", text(&path)], Some("REFINER_HEALTH"), format!("{of_environment}/livez")),
        (&["health", "evm"], Some("REFINER_EVM_LISTEN"), format!("{of_environment}/health")),
        (&["health", "content"], Some("REFINER_CONTENT_LISTEN"), format!("{of_environment}/health")),
    ] {
        let mut health = command(arguments);
        if let Some(variable) = variable {
            health.env(variable, of_environment.to_string());
        }
        let line = String::from_utf8(health.output().unwrap().stdout).unwrap();
        assert!(line.contains(&format!("http://{expected}: ")), "{arguments:?}: {line}");
    }
}

#[test]
fn evm_server_is_healthy_until_it_is_sabotaged() {
    let server = Server::start(&[]);
    let address = server.address.to_string();
    let health = || refiner(&["health", "evm", "--address", &address]);
    for (route, code) in [("/recover", 0), ("/sabotage", 1), ("/recover", 0)] {
        server.ask(format!("GET {route} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").as_bytes());
        health().expect(code);
    }
}
