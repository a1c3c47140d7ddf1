//! Tests of the limits that clients meet.

use std::time::Duration;

use refiner_evm_server::serve::Limits;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    client::{Answer, exchange, nameless, post},
    hostile,
    server::{ERA_D, Server, json, result, some_block, start},
};

/// A client that sends a part of its request and keeps the rest.
pub struct Half {
    stream: TcpStream,
    rest: Vec<u8>,
}

impl Half {
    pub async fn sent(server: &Server, request: &[u8]) -> Self {
        let (now, rest) = request.split_at(request.len() / 2);
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(now).await.unwrap();
        Self { stream, rest: rest.to_vec() }
    }

    pub async fn finish(mut self) -> Answer {
        self.stream.write_all(&self.rest).await.unwrap();
        self.answer().await
    }

    async fn answer(mut self) -> Answer {
        let mut answer = Vec::new();
        self.stream.read_to_end(&mut answer).await.unwrap();
        Answer::parse(&answer).unwrap()
    }
}

/// Waits until a gauge of the server has this value.
pub async fn until(server: &Server, gauge: &str, holds: impl Fn(u64) -> bool) {
    let request = b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    loop {
        let answer = exchange(server.address, request).await.unwrap();
        let value = answer.text().lines().find_map(|line| line.strip_prefix(gauge)?.trim().parse().ok());
        if value.is_some_and(&holds) {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_at_the_limit_is_read_and_one_above_is_413() {
    let file = some_block();
    let json = json(&file);
    let body_bytes = nameless(&json).len();
    for (body_bytes, status) in [(body_bytes, 200), (body_bytes - 1, 413)] {
        let server = start(ERA_D, Limits { body_bytes, ..Limits::default() }).await;
        let answer = exchange(server.address, &post(&json)).await.unwrap();
        assert_eq!(answer.status, status, "{}", answer.head);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_without_a_stated_length_is_measured_as_it_comes() {
    let form = nameless(&json(&some_block()));
    let head = "POST /process HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\
                content-type: multipart/form-data; boundary=b0undary\r\n\r\n";
    let chunk = format!("{:x}\r\n", form.len());
    let request = [head.as_bytes(), chunk.as_bytes(), &form, b"\r\n0\r\n\r\n"].concat();
    for (body_bytes, status) in [(form.len(), 200), (form.len() - 1, 413)] {
        let server = start(ERA_D, Limits { body_bytes, ..Limits::default() }).await;
        assert_eq!(exchange(server.address, &request).await.unwrap().status, status);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_stops_in_the_middle_is_given_up() {
    let limits = Limits { idle: Duration::from_millis(100), ..Limits::default() };
    let server = start(ERA_D, limits).await;
    let request = post(&json(&some_block()));
    let answer = Half::sent(&server, &request).await.answer().await;
    assert_eq!((answer.status, answer.text()), (408, "{\"error\": \"the body did not come in time\"}"));
    // In the middle of the head there is no request to answer.
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(&request[..20]).await.unwrap();
    let mut nothing = Vec::new();
    stream.read_to_end(&mut nothing).await.unwrap();
    assert_eq!(String::from_utf8(nothing).unwrap().lines().next().unwrap_or_default(), "");
    until(&server, "evm_server_in_flight_bytes", |bytes| bytes == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_sends_byte_by_byte_is_given_up_too() {
    let limits = Limits { body_time: Duration::from_millis(300), ..Limits::default() };
    let server = start(ERA_D, limits).await;
    let mut half = Half::sent(&server, &post(&json(&some_block()))).await;
    while half.rest.len() > 1 {
        let byte = half.rest.remove(0);
        // It is too late when the server has closed.
        if half.stream.write_all(&[byte]).await.is_err() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        if half.stream.try_read(&mut [0; 12]).is_ok() {
            return;
        }
    }
    panic!("the server read it all");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_take_its_answer_holds_nothing_for_long() {
    let limits = Limits { idle: Duration::from_millis(200), ..Limits::default() };
    let server = start(ERA_D, limits).await;
    let file = some_block();
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    // Answers of more than the system keeps for a connection.
    for _ in 0..20 {
        if stream.write_all(&post(&json(&file))).await.is_err() {
            break;
        }
    }
    until(&server, "evm_server_requests_total{outcome=\"ok\"}", |count| count > 0).await;
    until(&server, "evm_server_in_flight_bytes", |bytes| bytes == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_that_uses_more_gas_than_the_bound_is_ended() {
    let server = start(ERA_D, Limits { block_gas: 1_000_000, ..Limits::default() }).await;
    let answer = exchange(server.address, &post(&json(&some_block()))).await.unwrap();
    assert_eq!(answer.status, 500);
    let text = answer.text();
    assert!(text.starts_with("{\"error\": \"error on EBE: ERROR(3): unsupported: execution too large: "), "{text}");
    assert!(text.ends_with("and at most 1000000 are executed\"}"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gas_limit_of_a_header_is_no_work_and_is_not_bounded() {
    let server = start(ERA_D, Limits::default()).await;
    let mut block: serde_json::Value = serde_json::from_slice(&json(&some_block())).unwrap();
    for gas_limit in [1_000_000_001, 2_147_483_647, 1_u64 << 62] {
        block["Header"]["gasLimit"] = gas_limit.into();
        let answer = exchange(server.address, &post(block.to_string().as_bytes())).await.unwrap();
        assert_eq!(answer.status, 200, "{gas_limit}: {}", answer.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_execution_that_takes_more_processor_time_than_it_may_is_503_and_no_verdict() {
    let server = start(ERA_D, Limits { processor_time: Duration::from_millis(150), ..Limits::default() }).await;
    let answer = exchange(server.address, &post(&hostile::endless())).await.unwrap();
    assert_eq!(answer.status, 503, "{}", answer.text());
    let text = answer.text();
    assert!(text.starts_with("{\"error\": \"error on EBE: execution was interrupted after "), "{text}");
    assert_eq!(exchange(server.address, &post(&json(&some_block()))).await.unwrap().status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_execution_whose_client_has_gone_is_ended() {
    let server = start(ERA_D, Limits::default()).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(&post(&hostile::endless())).await.unwrap();
    until(&server, "evm_server_executions", |executions| executions == 1).await;
    drop(stream);
    // Far less than the block takes.
    let ended = until(&server, "evm_server_executions", |executions| executions == 0);
    tokio::time::timeout(Duration::from_secs(3), ended).await.unwrap();
    until(&server, "evm_server_in_flight_bytes", |bytes| bytes == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn twice_as_many_hostile_requests_as_processors_do_not_keep_an_honest_one_waiting() {
    let limits = Limits::default();
    let server = start(ERA_D, limits).await;
    let hostile = post(&hostile::endless());
    let mut streams = Vec::new();
    for _ in 0..2 * limits.running {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(&hostile).await.unwrap();
        streams.push(stream);
    }
    until(&server, "evm_server_executions", |executions| executions == 2 * limits.running as u64).await;
    let file = some_block();
    for _ in 0..3 {
        let begun = std::time::Instant::now();
        let answer = exchange(server.address, &post(&json(&file))).await.unwrap();
        assert!(answer.status == 200 && Some(answer.body) == result(&file, ERA_D), "{}", answer.head);
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    }
    // The hostile ones are under way still.
    until(&server, "evm_server_executions", |executions| executions == 2 * limits.running as u64).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_in_when_the_server_is_told_to_stop_is_answered() {
    let file = some_block();
    let request = post(&json(&file));
    let server = start(ERA_D, Limits::default()).await;
    let half = Half::sent(&server, &request).await;
    until(&server, "evm_server_in_flight_bytes", |bytes| bytes > 0).await;
    server.stop.cancel();
    let answer = half.finish().await;
    assert!(answer.status == 200 && Some(answer.body) == result(&file, ERA_D), "{}", answer.head);
    let Server { address, task, .. } = server;
    task.await.unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}
