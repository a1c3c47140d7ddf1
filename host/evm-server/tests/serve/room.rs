//! Tests of bodies that do not fit beside those that are in.

use std::time::{Duration, Instant};

use refiner_evm_server::serve::Limits;

use crate::{
    client::{exchange, nameless, post},
    limits::{Half, until},
    server::{ERA_D, Server, json, result, some_block, start},
};

/// A server with room for a body and a quarter, and half a body in it.
async fn half_full(request: &[u8], limits: Limits) -> (Server, Half) {
    let in_flight_bytes = request.len() + request.len() / 4;
    let server = start(ERA_D, Limits { in_flight_bytes, ..limits }).await;
    let half = Half::sent(&server, request).await;
    until(&server, "evm_server_in_flight_bytes", |bytes| bytes > request.len() as u64 / 3).await;
    (server, half)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_fits_beside_the_others_does_not_wait_for_them() {
    let request = post(&json(&some_block()));
    let limits = Limits { body_bytes: request.len(), in_flight_bytes: 2 * request.len(), ..Limits::default() };
    let server = start(ERA_D, Limits { room_time: Duration::ZERO, ..limits }).await;
    let half = Half::sent(&server, &request).await;
    until(&server, "evm_server_in_flight_bytes", |bytes| bytes > request.len() as u64 / 3).await;
    assert_eq!(exchange(server.address, &request).await.unwrap().status, 200);
    assert_eq!(half.finish().await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_fit_beside_the_others_waits_until_it_does() {
    let file = some_block();
    let request = post(&json(&file));
    let (server, first) = half_full(&request, Limits::default()).await;
    let late = {
        let (address, request) = (server.address, request.clone());
        tokio::spawn(async move { exchange(address, &request).await.unwrap() })
    };
    until(&server, "evm_server_waiting", |waiting| waiting == 1).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!late.is_finished());
    for answer in [first.finish().await, late.await.unwrap()] {
        assert!(answer.status == 200 && Some(answer.body) == result(&file, ERA_D), "{}", answer.head);
    }
    until(&server, "evm_server_in_flight_bytes", |bytes| bytes == 0).await;
    until(&server, "evm_server_waiting", |waiting| waiting == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_waits_in_vain_is_sent_away_and_told_when_to_come_again() {
    let file = some_block();
    let request = post(&json(&file));
    let limits = Limits { room_time: Duration::from_millis(200), ..Limits::default() };
    let (server, first) = half_full(&request, limits).await;
    let begun = Instant::now();
    let sent_away = exchange(server.address, &request).await.unwrap();
    assert!(begun.elapsed() >= limits.room_time);
    assert_eq!(sent_away.status, 503);
    assert!(sent_away.head.contains("retry-after: 1"), "{}", sent_away.head);
    let expected = "{\"error\": \"the bodies in flight take all the room there is; try again\"}";
    assert_eq!(sent_away.text(), expected);
    // Refusing one costs the other nothing, and what both held is free again.
    let answer = first.finish().await;
    assert!(answer.status == 200 && Some(answer.body) == result(&file, ERA_D), "{}", answer.head);
    until(&server, "evm_server_in_flight_bytes", |bytes| bytes == 0).await;
    assert_eq!(exchange(server.address, &request).await.unwrap().status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn more_bodies_than_may_wait_for_room_are_sent_away_at_once() {
    let request = post(&json(&some_block()));
    let limits = Limits { running: 1, executions: 1, waiting: 1, ..Limits::default() };
    let (server, first) = half_full(&request, limits).await;
    let waiting: Vec<_> = (0..2)
        .map(|_| {
            let (address, request) = (server.address, request.clone());
            tokio::spawn(async move { exchange(address, &request).await.unwrap().status })
        })
        .collect();
    until(&server, "evm_server_waiting", |waiting| waiting == 2).await;
    let sent_away = exchange(server.address, &request).await.unwrap();
    assert_eq!(sent_away.status, 503);
    assert_eq!(sent_away.text(), "{\"error\": \"every place in the queue is taken; try again\"}");
    drop(first);
    for waiting in waiting {
        assert_eq!(waiting.await.unwrap(), 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_above_all_the_room_there_is_is_413_and_does_not_wait() {
    let json = json(&some_block());
    let in_flight_bytes = nameless(&json).len();
    for (in_flight_bytes, status) in [(in_flight_bytes, 200), (in_flight_bytes - 1, 413)] {
        let server = start(ERA_D, Limits { in_flight_bytes, ..Limits::default() }).await;
        let answer = exchange(server.address, &post(&json)).await.unwrap();
        assert_eq!(answer.status, status, "{}", answer.head);
    }
}
