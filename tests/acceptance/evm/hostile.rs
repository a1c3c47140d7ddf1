//! More hostile clients than the machine has processors.

use std::{
    io::Write as _,
    thread,
    time::{Duration, Instant},
};

use super::{
    bloat::block_that_runs,
    load::{Given, given},
    server::{Server, nameless},
};

/// Hashes 64 KiB of memory without end.
const HASHES: [u8; 12] = [0x5b, 0x62, 0x01, 0x00, 0x00, 0x60, 0x00, 0x20, 0x50, 0x60, 0x00, 0x56];
/// A number beyond every bound.
const GAS: u64 = 1_000_000_000_000;
/// For an answer to an honest client.
const PATIENCE: Duration = Duration::from_secs(5);

#[test]
fn an_honest_request_is_answered_among_twice_as_many_hostile_ones_as_processors() {
    let Given { json, expected, format } = given().swap_remove(0);
    let server = Server::start(&["--format", &format]);
    let hostile = nameless(&block_that_runs(&HASHES, GAS));
    let processors = thread::available_parallelism().unwrap().get();
    let _hostile: Vec<_> = (0..2 * processors)
        .map(|_| {
            let mut stream = server.connect();
            stream.write_all(&hostile).unwrap();
            stream
        })
        .collect();
    let metrics = || {
        let answer = server.ask(b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        String::from_utf8(answer.body).unwrap()
    };
    let all = format!("evm_server_executions {}", 2 * processors);
    let begun = Instant::now();
    while !metrics().lines().any(|line| line == all) {
        assert!(begun.elapsed() < PATIENCE, "{}", metrics());
    }
    let request = nameless(&json);
    for _ in 0..3 {
        let begun = Instant::now();
        let answer = server.ask(&request);
        assert!(answer.status == 200 && answer.body == expected, "{}", answer.head);
        assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
    }
    assert!(metrics().lines().any(|line| line == all), "none of the hostile ones has ended: {}", metrics());
}
