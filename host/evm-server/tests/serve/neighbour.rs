//! Many clients, patient ones and slow ones, as the network's own server has them.

use std::time::{Duration, Instant};

use refiner_evm_server::serve::Limits;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    client::{Answer, exchange, post},
    server::{ERA_D, json, result, some_block, start},
};

const HEALTH: &[u8] = b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn fifty_clients_of_three_megabytes_are_all_answered() {
    const CLIENTS: usize = 50;
    let server = start(ERA_D, Limits::default()).await;
    let file = some_block();
    let expected = result(&file, ERA_D).unwrap();
    let block = json(&file);
    let spaces = vec![b' '; 3_000_000_usize.saturating_sub(block.len())];
    let request = post(&[&spaces, &block[..]].concat());
    assert!(CLIENTS * request.len() < Limits::default().in_flight_bytes);
    let clients = (0..CLIENTS).map(|_| {
        let (request, address) = (request.clone(), server.address);
        tokio::spawn(async move { exchange(address, &request).await.unwrap() })
    });
    for client in clients.collect::<Vec<_>>() {
        let answer = client.await.unwrap();
        assert!(answer.status == 200 && answer.body == expected, "{}", answer.head);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_make_room_for_one_with_a_request() {
    let server = start(ERA_D, Limits { connections: 100, ..Limits::default() }).await;
    let mut idle = Vec::new();
    for _ in 0..150 {
        idle.push(TcpStream::connect(server.address).await.unwrap());
    }
    let begun = Instant::now();
    assert_eq!(exchange(server.address, HEALTH).await.unwrap().status, 200);
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    // The oldest was closed, the newest is open still.
    let mut oldest = idle.swap_remove(0);
    assert_eq!(oldest.read(&mut [0; 1]).await.unwrap_or_default(), 0);
    let mut newest = idle.pop().unwrap();
    newest.write_all(HEALTH).await.unwrap();
    let mut answer = Vec::new();
    newest.read_to_end(&mut answer).await.unwrap();
    assert_eq!(Answer::parse(&answer).unwrap().status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_kept_between_requests_and_a_pause_within_one_is_allowed() {
    let limits = Limits::default();
    assert!(limits.idle >= Duration::from_secs(60) && limits.body_time > limits.idle);
    let server = start(ERA_D, Limits { idle: Duration::from_millis(1_500), ..limits }).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let request = b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n";
    for _ in 0..3 {
        stream.write_all(request).await.unwrap();
        let mut answer = [0; 15];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200 OK");
        let mut rest = [0; 1_024];
        while !rest.starts_with(b"I'm healthy") && !String::from_utf8_lossy(&rest).contains("I'm healthy") {
            let read = stream.read(&mut rest).await.unwrap();
            assert!(read > 0);
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let (file, mut paused) = (some_block(), TcpStream::connect(server.address).await.unwrap());
    let request = post(&json(&file));
    for piece in request.chunks(request.len() / 3 + 1) {
        paused.write_all(piece).await.unwrap();
        tokio::time::sleep(Duration::from_millis(700)).await;
    }
    let mut answer = Vec::new();
    paused.read_to_end(&mut answer).await.unwrap();
    assert_eq!(Answer::parse(&answer).unwrap().body, result(&file, ERA_D).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_sends_much_too_much_before_it_reads_gets_its_413() {
    let server = start(ERA_D, Limits { body_bytes: 1 << 20, ..Limits::default() }).await;
    let request = post(&vec![b' '; 4_000_000]);
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(&request).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = Answer::parse(&answer).unwrap();
    assert_eq!((answer.status, answer.text()), (413, "{\"error\": \"the body has more than 1048576 bytes\"}"));
}
