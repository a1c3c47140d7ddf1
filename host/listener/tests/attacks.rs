//! Clients that attack the listener, and what others notice of it.

#![allow(clippy::unwrap_used)]

use std::{
    fs,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Body,
    routing::{get, post},
};
use bytes::Bytes;
use refiner_listener::{Access, Limits, PieceBody, hold, serve};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::{sleep, timeout},
};
use tokio_util::sync::{CancellationToken, DropGuard};

const LARGE_BYTES: usize = 8 << 20;

/// Long enough for a busy machine.
const PATIENT: Duration = Duration::from_secs(30);

struct Server {
    address: SocketAddr,
    task: JoinHandle<()>,
    /// One strong count more for each large answer in memory.
    held: Arc<()>,
    stop: CancellationToken,
    _guard: DropGuard,
}

fn limits() -> Limits {
    Limits { connections: 32, head: PATIENT, idle: PATIENT, write: PATIENT, request: PATIENT, drain: PATIENT }
}

async fn start(limits: Limits) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, stop, held) = (listener.local_addr().unwrap(), CancellationToken::new(), Arc::new(()));
    let reserved = Arc::clone(&held);
    let large = move || {
        let bytes = hold(vec![7; LARGE_BYTES].into(), Arc::clone(&reserved));
        async move { Body::new(PieceBody::new(bytes)) }
    };
    let router = Router::new()
        .route("/", get(|| async { "fine" }))
        .route("/large", get(large))
        .route("/never", get(std::future::pending::<()>))
        .route("/echo", post(|body: Bytes| async { body }));
    let task = tokio::spawn(serve(vec![listener], router, limits, Access::default(), stop.clone()));
    Server { address, task, held, _guard: stop.clone().drop_guard(), stop }
}

impl Server {
    async fn send(&self, request: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    }

    /// The status and the body of an answer, or nothing when the connection is closed without one.
    async fn answer(&self, request: &str) -> String {
        rest(self.send(request).await).await
    }

    async fn until_no_answer_is_held(&self) {
        let begun = Instant::now();
        while Arc::strong_count(&self.held) > 2 {
            assert!(begun.elapsed() < PATIENT, "{} answers are held", Arc::strong_count(&self.held) - 2);
            sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn rest(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    // A connection that is reset has no more to give either.
    let _ = timeout(PATIENT, stream.read_to_end(&mut answer)).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

const FINE: &str = "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
const LARGE: &str = "GET /large HTTP/1.1\r\nhost: localhost\r\n\r\n";

fn is_fine(answer: &str) -> bool {
    answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\nfine")
}

fn open_files() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

#[tokio::test(flavor = "multi_thread")]
async fn half_open_connections_delay_no_other_and_take_a_bounded_number_of_descriptors() {
    let server = start(limits()).await;
    let before = open_files();
    let mut half_open = Vec::new();
    for number in 0..250 {
        let part = if number % 2 == 0 { "" } else { "GET / HTTP/1.1\r\nhost:" };
        half_open.push(server.send(part).await);
    }
    let begun = Instant::now();
    assert!(is_fine(&server.answer(FINE).await));
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    // The test's own ends are among them.
    let of_server = open_files() - before - half_open.len();
    assert!(of_server <= limits().connections + 2, "{of_server}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_with_a_request_is_never_closed_for_another_one() {
    let server = start(Limits { connections: 2, ..limits() }).await;
    let busy = server.send("POST /echo HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 2\r\n\r\na").await;
    for _ in 0..20 {
        assert!(is_fine(&server.answer(FINE).await));
    }
    let mut busy = busy;
    busy.write_all(b"b").await.unwrap();
    assert!(rest(busy).await.ends_with("\r\n\r\nab"));
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_do_not_take_their_answers_hold_memory_for_a_stated_time_only() {
    let server = start(Limits { write: Duration::from_millis(300), ..limits() }).await;
    let mut slow = Vec::new();
    for _ in 0..30 {
        slow.push(server.send(LARGE).await);
    }
    server.until_no_answer_is_held().await;
    assert!(is_fine(&server.answer(FINE).await));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_takes_its_answer_in_drops_is_given_up() {
    let server = start(Limits { write: Duration::from_millis(500), ..limits() }).await;
    let mut stream = server.send(LARGE).await;
    let begun = Instant::now();
    let mut drop = [0; 4 << 10];
    // The system keeps some of an answer, and gives it out after the connection is closed.
    while Arc::strong_count(&server.held) > 2 || begun.elapsed() < Duration::from_millis(200) {
        let _ = stream.read(&mut drop).await;
        sleep(Duration::from_millis(100)).await;
        assert!(begun.elapsed() < PATIENT);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_takes_its_answer_steadily_gets_all_of_it() {
    let server = start(Limits { write: Duration::from_millis(400), ..limits() }).await;
    let mut stream = server.send(LARGE).await;
    let (mut piece, mut read, begun) = (vec![0; 256 << 10], 0, Instant::now());
    while read < LARGE_BYTES {
        let bytes = stream.read(&mut piece).await.unwrap();
        assert!(bytes > 0, "closed after {read} bytes and {:?}", begun.elapsed());
        read += bytes;
        sleep(Duration::from_millis(20)).await;
    }
    server.until_no_answer_is_held().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_comes_in_drops_ends_within_its_time() {
    let server = start(Limits { head: Duration::from_millis(300), ..limits() }).await;
    let mut stream = server.send("GET / HTTP/1.1\r\n").await;
    let begun = Instant::now();
    while stream.write_all(b"a: b\r\n").await.is_ok() {
        assert!(begun.elapsed() < PATIENT);
        sleep(Duration::from_millis(20)).await;
    }
    assert!(rest(stream).await.is_empty());
    // A connection that sends nothing has the longer time.
    let quiet = server.send("").await;
    sleep(Duration::from_millis(600)).await;
    let mut quiet = quiet;
    quiet.write_all(FINE.as_bytes()).await.unwrap();
    assert!(is_fine(&rest(quiet).await));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_does_not_end_is_ended() {
    let server = start(Limits { request: Duration::from_millis(300), ..limits() }).await;
    for request in
        ["GET /never HTTP/1.1\r\nhost: x\r\n\r\n", "POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\na"]
    {
        let begun = Instant::now();
        assert_eq!(server.answer(request).await, "");
        assert!(begun.elapsed() < PATIENT / 2);
    }
    assert!(is_fine(&server.answer(FINE).await));
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_of_web_pages_are_refused_before_their_route() {
    let server = start(limits()).await;
    for header in ["origin: https://example.org", "sec-fetch-site: cross-site", "host: rebound.example.org"] {
        let host = if header.starts_with("host") { "" } else { "host: localhost\r\n" };
        let request = format!("POST /echo HTTP/1.1\r\n{host}{header}\r\ncontent-length: 1\r\n\r\na");
        let answer = server.answer(&request).await;
        assert!(answer.starts_with("HTTP/1.1 403 ") && answer.contains("{\"error\": "), "{header}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_addresses_are_served_alike() {
    let mut listeners = vec![TcpListener::bind("127.0.0.1:0").await.unwrap()];
    // A machine without IPv6 has one address less.
    listeners.extend(TcpListener::bind("[::1]:0").await.ok());
    let addresses: Vec<_> = listeners.iter().map(|listener| listener.local_addr().unwrap()).collect();
    let stop = CancellationToken::new();
    let router = Router::new().route("/", get(|| async { "fine" }));
    let task = tokio::spawn(serve(listeners, router, limits(), Access::default(), stop.clone()));
    for address in addresses {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(FINE.as_bytes()).await.unwrap();
        assert!(is_fine(&rest(stream).await));
    }
    stop.cancel();
    task.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_under_way_is_answered_when_the_server_is_stopped() {
    let server = start(limits()).await;
    let mut stream = server.send("POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\na").await;
    let idle = server.send("").await;
    sleep(Duration::from_millis(100)).await;
    server.stop.cancel();
    assert_eq!(rest(idle).await, "");
    stream.write_all(b"b").await.unwrap();
    assert!(rest(stream).await.ends_with("\r\n\r\nab"));
    let Server { address, task, .. } = server;
    task.await.unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn many_clients_at_once_are_all_answered_although_few_are_connected() {
    let server = start(Limits { connections: 4, ..limits() }).await;
    let (address, failed) = (server.address, Arc::new(Mutex::new(0)));
    let clients = (0..100).map(|_| {
        let failed = Arc::clone(&failed);
        tokio::spawn(async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let _ = stream.write_all(FINE.as_bytes()).await;
            if !is_fine(&rest(stream).await) {
                *failed.lock().unwrap() += 1;
            }
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.unwrap();
    }
    assert_eq!(*failed.lock().unwrap(), 0);
}
