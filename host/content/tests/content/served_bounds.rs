//! Clients that would keep others waiting, or make the server hold more than it states.

use std::{
    fs,
    time::{Duration, Instant},
};

use refiner_content::{LeastRate, content_id, serve::ServeLimits};
use reqwest::{Client, multipart};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    Outcome, PATIENT, SHORT, bytes,
    served::{Served, file, limits, posted, served},
};

/// A request that states so many bytes of a form and sends the first ones.
async fn begin_upload(served: &Served, stated: usize, sent: &[u8]) -> TcpStream {
    let address = served.url.trim_start_matches("http://");
    let mut connection = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /upload HTTP/1.1\r\nHost: {address}\r\nContent-Length: {stated}\r\nContent-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\n"
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    connection.write_all(sent).await.unwrap();
    connection
}

async fn status(mut connection: TcpStream) -> String {
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(PATIENT, connection.read_to_end(&mut answer)).await.unwrap();
    String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned()
}

async fn upload(served: &Served, content: &[u8]) -> (u16, String) {
    posted(format!("{}/upload", served.url), multipart::Form::new().part("a", file(content))).await
}

#[tokio::test]
async fn stalled_uploads_keep_neither_downloads_nor_uploads_waiting() -> Outcome {
    let served = served(limits()).await;
    assert_eq!(upload(&served, b"hello").await.0, 200);
    let mut stalled = Vec::new();
    for _ in 0..50 {
        stalled.push(begin_upload(&served, 1_000_000, b"some").await);
    }
    let begun = Instant::now();
    let got = reqwest::get(format!("{}/get?cid={}", served.url, content_id(b"hello"))).await?;
    assert_eq!((got.status().as_u16(), got.text().await?), (200, "hello".into()));
    assert_eq!(upload(&served, b"other").await.0, 200);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    Ok(())
}

#[tokio::test]
async fn uploads_that_fill_the_memory_leave_downloads_their_half() -> Outcome {
    let limits = ServeLimits { in_flight_bytes: 2 << 20, wait: SHORT, ..limits() };
    let served = served(limits).await;
    assert_eq!(upload(&served, b"hello").await.0, 200);
    let half = vec![0; (1 << 20) - 2_000];
    let full = begin_upload(&served, 1 << 20, &half).await;
    tokio::time::sleep(SHORT).await;
    let refused = Client::new()
        .post(format!("{}/upload", served.url))
        .multipart(multipart::Form::new().part("a", file(&bytes(100_000))))
        .send()
        .await?;
    assert_eq!((refused.status().as_u16(), refused.headers()["retry-after"].to_str()?), (503, "5"));
    let got = reqwest::get(format!("{}/get?cid={}", served.url, content_id(b"hello"))).await?;
    assert_eq!(got.text().await?, "hello");
    drop(full);
    // What it held is free again.
    let begun = Instant::now();
    while upload(&served, &bytes(100_000)).await.0 != 200 {
        assert!(begun.elapsed() < PATIENT);
    }
    Ok(())
}

#[tokio::test]
async fn an_upload_that_stops_coming_or_comes_in_drops_is_cut_off() {
    let served = served(ServeLimits { idle: SHORT, ..limits() }).await;
    let stopped = begin_upload(&served, 1_000, b"some").await;
    assert_eq!(status(stopped).await, "HTTP/1.1 408 Request Timeout");

    let least_rate = LeastRate { bytes_per_second: 1_000, window: Duration::from_millis(500) };
    let served = crate::served::served(ServeLimits { least_rate, ..limits() }).await;
    let mut dripping = begin_upload(&served, 1_000_000, b"some").await;
    let begun = Instant::now();
    let mut answer = [0; 12];
    while dripping.try_read(&mut answer).is_err() {
        assert!(begun.elapsed() < PATIENT);
        let _ = dripping.write_all(b".").await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(&answer, b"HTTP/1.1 408");
}

#[tokio::test]
async fn a_client_that_sends_far_too_much_reads_the_refusal() {
    let served = served(limits()).await;
    let (status, body) = upload(&served, &bytes(3 << 20)).await;
    assert_eq!((status, body.as_str()), (413, "{\"error\": \"more than 1048576 bytes\"}"));
}

#[tokio::test]
async fn slow_readers_hold_no_more_than_the_stated_memory() -> Outcome {
    const CONTENT: usize = 16 << 20;
    const IN_FLIGHT: usize = 64 << 20;
    let mut limits = ServeLimits { upload_bytes: 32 << 20, in_flight_bytes: IN_FLIGHT, ..limits() };
    limits.wait = Duration::from_secs(1);
    limits.listener.write = Duration::from_secs(2);
    let served = served(limits).await;
    let content = bytes(CONTENT);
    assert_eq!(upload(&served, &content).await.0, 200);
    let before = resident_bytes();
    let address = served.url.trim_start_matches("http://").to_owned();
    let request = format!("GET /get?cid={} HTTP/1.1\r\nHost: {address}\r\n\r\n", content_id(&content));
    let mut slow = Vec::new();
    for _ in 0..30 {
        let mut connection = TcpStream::connect(&address).await?;
        connection.write_all(request.as_bytes()).await?;
        slow.push(connection);
    }
    let mut most = 0;
    for _ in 0..30 {
        most = most.max(resident_bytes().saturating_sub(before));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // Beside what is stated, each connection reads and writes ahead.
    assert!(most < IN_FLIGHT + (30 << 18), "{most} bytes");
    assert!(most > CONTENT, "{most} bytes: nothing was held");
    // They are given up, and a client that takes its answer has it.
    let begun = Instant::now();
    loop {
        let got = reqwest::get(format!("{}/get?cid={}", served.url, content_id(&content))).await?;
        if got.status() == 200 {
            assert!(got.bytes().await? == content);
            return Ok(());
        }
        assert!(got.status() == 503 && begun.elapsed() < PATIENT, "{}", got.status());
    }
}

#[tokio::test]
async fn work_that_takes_too_long_is_ended() {
    let served = served(ServeLimits { work: Duration::from_millis(1), ..limits() }).await;
    let form = multipart::Form::new().part("a", file(&bytes(900_000)));
    let (status, body) = posted(format!("{}/api/v1/cid", served.url), form).await;
    assert_eq!((status, body.as_str()), (503, "{\"error\": \"the work took more than 0 s\"}"));
}

#[tokio::test]
async fn a_page_in_a_browser_can_not_upload() -> Outcome {
    let served = served(limits()).await;
    for (name, value) in
        [("origin", "https://example.org"), ("sec-fetch-site", "cross-site"), ("host", "rebound.example.org")]
    {
        let request = Client::new()
            .post(format!("{}/upload", served.url))
            .header(name, value)
            .multipart(multipart::Form::new().part("a", file(b"hello")));
        assert_eq!(request.send().await?.status(), 403, "{name}");
    }
    let got = reqwest::get(format!("{}/get?cid={}", served.url, content_id(b"hello"))).await?;
    assert_eq!(got.status(), 404);
    Ok(())
}

/// Memory of this process that is in use, files that are mapped excepted.
fn resident_bytes() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim_end_matches("kB").trim().parse::<usize>().unwrap() << 10
}
