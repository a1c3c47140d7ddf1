//! `/health` and those who play with it, and metrics.

use refiner_evm_server::serve::Limits;

use crate::{
    client::{exchange, post},
    server::{ERA_D, Server, json, some_block, start},
};

async fn get(server: &Server, method: &str, path: &str) -> (u16, String) {
    let request = format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    let answer = exchange(server.address, request.as_bytes()).await.unwrap();
    (answer.status, answer.text().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn health_is_what_a_tester_made_it() {
    let server = start(ERA_D, Limits::default()).await;
    for (method, path, status, text) in [
        ("GET", "/health", 200, "I'm healthy"),
        ("HEAD", "/health", 200, ""),
        ("GET", "/sabotage", 200, "Sabotage ON"),
        ("POST", "/health", 500, "Internal Error"),
        ("GET", "/timeout", 200, "Configured to timeout."),
        ("GET", "/recover", 200, "Recovered."),
        ("GET", "/health", 200, "I'm healthy"),
        ("GET", "/else", 404, "404 page not found\n"),
    ] {
        assert_eq!(get(&server, method, path).await, (status, text.to_owned()), "{method} {path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_count_requests_by_outcome() {
    let server = start(ERA_D, Limits::default()).await;
    exchange(server.address, &post(&json(&some_block()))).await;
    for text in ["nonsense", "[", "{}"] {
        exchange(server.address, &post(text.as_bytes())).await;
    }
    let (status, text) = get(&server, "GET", "/metrics").await;
    assert_eq!(status, 200);
    for line in [
        "evm_server_requests_total{outcome=\"ok\"} 1",
        "evm_server_requests_total{outcome=\"bad_replica\"} 3",
        "evm_server_requests_total{outcome=\"full\"} 0",
        "evm_server_request_seconds_count 4",
        "evm_server_execution_seconds_count 4",
        "evm_server_running 0",
        "evm_server_waiting 0",
        "evm_server_in_flight_bytes 0",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
}
