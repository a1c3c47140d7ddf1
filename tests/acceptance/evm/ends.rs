//! The end of a server, and clients that do not end.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::Stdio,
    time::{Duration, Instant},
};

use super::{
    load::{Given, given},
    server::{DEADLINE, Server, answer, nameless},
};
use crate::program::{command, refiner};

/// The interim answer with which a server shows that it has read a request's head.
const GO_AHEAD: &[u8; 25] = b"HTTP/1.1 100 Continue\r\n\r\n";

fn expecting_a_go_ahead(request: &[u8]) -> Vec<u8> {
    let line = request.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    [&request[..line], b"expect: 100-continue\r\n", &request[line..]].concat()
}

#[test]
fn told_to_stop_it_finishes_what_it_has_and_takes_nothing_new() {
    let Given { json, expected, format } = given().swap_remove(0);
    let mut server = Server::start(&["--format", &format]);
    let mut inside = server.connect();
    let request = expecting_a_go_ahead(&nameless(&json));
    let body = request.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4;
    inside.write_all(&request[..body]).unwrap();
    let mut go_ahead = [0; GO_AHEAD.len()];
    inside.read_exact(&mut go_ahead).unwrap();
    assert_eq!(&go_ahead, GO_AHEAD);
    let (most, last) = request[body..].split_at(request.len() - body - 1);
    inside.write_all(most).unwrap();
    server.terminate();
    let begun = Instant::now();
    while TcpStream::connect(server.address).is_ok() {
        assert!(begun.elapsed() < DEADLINE, "it still listens");
    }
    inside.write_all(last).unwrap();
    let answer = answer(&mut inside);
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    assert!(answer.body == expected);
    assert_eq!(server.ended(), Some(0));
}

#[test]
fn clients_that_stop_in_the_middle_are_given_up_while_others_are_served() {
    let Given { json, expected, format } = given().swap_remove(0);
    let server = Server::start(&[
        "--format",
        &format,
        "--idle-seconds",
        "1",
        "--waiting",
        "0",
        "--running",
        "1",
        "--executions",
        "1",
    ]);
    let request = nameless(&json);
    let mut slow: Vec<_> = (0..32)
        .map(|_| {
            let mut stream = server.connect();
            stream.write_all(&request[..request.len() / 2]).unwrap();
            stream
        })
        .collect();
    let mut silent = server.connect();
    silent.write_all(b"POST /process HTTP/1.1\r\nhost").unwrap();
    // They hold no place, as that is for whole bodies.
    let served = server.ask(&request);
    assert!(served.status == 200 && served.body == expected, "{}", served.head);
    for stream in &mut slow {
        assert_eq!(answer(stream).status, 408);
    }
    let mut rest = Vec::new();
    // However it ends, it ends.
    let _ = std::io::Read::read_to_end(&mut silent, &mut rest);
}

#[test]
fn a_client_that_does_not_take_its_answer_is_given_up() {
    let Given { json, expected, format } = given().into_iter().max_by_key(|given| given.expected.len()).unwrap();
    let server = Server::start(&[
        "--format",
        &format,
        "--idle-seconds",
        "1",
        "--waiting",
        "0",
        "--running",
        "1",
        "--executions",
        "1",
    ]);
    let request = nameless(&json);
    let mut deaf = server.connect();
    deaf.write_all(&request).unwrap();
    let begun = Instant::now();
    // Its place is free again as soon as the work is done.
    let served = loop {
        let served = server.ask(&request);
        if served.status != 503 {
            break served;
        }
        assert!(begun.elapsed() < DEADLINE);
        std::thread::sleep(Duration::from_millis(20));
    };
    assert!(served.status == 200 && served.body == expected, "{}", served.head);
}

#[test]
fn it_listens_on_loopback_unless_an_address_is_typed() {
    let help = refiner(&["evm", "serve", "--help"]).expect(0).text().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(help.contains("[default: 127.0.0.1:3002]"), "{help}");
    assert!(help.contains("there is no authentication"), "{help}");
    let mut server = command(&["evm", "serve", "--listen", "0.0.0.0:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("listening on http://0.0.0.0:"), "{line}");
    server.kill().unwrap();
    let output = server.wait_with_output().unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(log.contains("WARN") && log.contains("without authentication"), "{log}");
}

#[test]
fn limits_that_contradict_each_other_are_a_mistake_of_usage() {
    let ended = refiner(&["evm", "serve", "--body-mib", "8", "--in-flight-mib", "4"]).expect(2);
    assert!(ended.stderr.contains("--body-size 8MiB is more than --in-flight-size 4MiB"), "{}", ended.stderr);
}
