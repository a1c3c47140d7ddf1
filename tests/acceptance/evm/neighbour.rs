//! The program among other containers: many connections, large requests, and both address families.

use std::{
    net::{Ipv6Addr, SocketAddr, TcpStream},
    thread,
    time::{Duration, Instant},
};

use refiner_evm_server::serve::Limits;
use rustix::process::{Resource, getrlimit, setrlimit};

use super::{
    load::given,
    server::{Server, answer, nameless},
};

const HEALTH: &[u8] = b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

#[test]
fn loopback_of_both_address_families_answers_alike() {
    use std::io::Write as _;

    let server = Server::start(&[]);
    let Ok(mut stream) = TcpStream::connect(SocketAddr::from((Ipv6Addr::LOCALHOST, server.address.port()))) else {
        #[allow(clippy::print_stderr, reason = "a skipped test is named")]
        {
            eprintln!("skipped: no IPv6 here");
        }
        return;
    };
    let given = given().swap_remove(0);
    let request = nameless(&given.json);
    stream.write_all(&request).unwrap();
    let (by_6, by_4) = (answer(&mut stream), server.ask(&request));
    assert_eq!((by_6.status, by_4.status), (200, 200));
    assert!(by_6.body == given.expected && by_4.body == given.expected);
}

#[test]
fn twelve_hundred_idle_connections_do_not_delay_health() {
    const CONNECTIONS: u64 = 1_200;
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < 2 * CONNECTIONS) {
        limit.current = limit.maximum;
        setrlimit(Resource::Nofile, limit).unwrap();
    }
    let server = Server::start(&[]);
    let idle: Vec<_> = (0..CONNECTIONS).map(|_| server.connect()).collect();
    let begun = Instant::now();
    assert_eq!(server.ask(HEALTH).status, 200);
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    drop(idle);
}

#[test]
fn fifty_clients_of_three_megabytes_are_answered_within_the_stated_memory() {
    const CLIENTS: usize = 50;
    let server = Server::start(&["--running", "2"]);
    let limits = Limits { running: 2, executions: 6, ..Limits::default() };
    let given = given().swap_remove(0);
    let spaces = vec![b' '; 3_000_000_usize.saturating_sub(given.json.len())];
    let request = nameless(&[&spaces, &given.json[..]].concat());
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                let answer = server.ask(&request);
                assert!(answer.status == 200 && answer.body == given.expected, "{}", answer.head);
            });
        }
    });
    assert!(server.peak_bytes() < limits.memory_bytes(), "{} bytes", server.peak_bytes());
}
