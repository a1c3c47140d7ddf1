//! Block results, byte for byte.

use refiner_evm::{Era, ResultFormat};
use refiner_evm_server::serve::Limits;
use refiner_specimen::sha256;
use refiner_testkit::{best_available, real, samples};

use crate::{
    client::{curl, exchange, post},
    server::{ERA_D, json, result, start},
};

fn era(letter: char) -> ResultFormat {
    format!("evm-server@{}", letter.to_ascii_lowercase()).parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_four_published_results_are_answered_to_the_networks_refiner_and_to_curl() {
    let Some(specimens) = real::specimens().unwrap() else { return };
    let mut published = 0;
    for real in specimens {
        let Some(expected) = real.vector.evm_server else { continue };
        let server = start(era(expected.era), Limits::default()).await;
        let json = json(&real.file);
        let answer = exchange(server.address, &post(&json)).await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(sha256(&answer.body), expected.sha256, "{}", real.vector.file);
        assert!(answer.head.contains("content-type: text/plain; charset=utf-8"), "{}", answer.head);
        if let Some(answer) = curl(&server.url("/process"), &json).await {
            assert_eq!((answer.status, sha256(&answer.body)), (200, expected.sha256), "{}", real.vector.file);
        }
        published += 1;
    }
    assert_eq!(published, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_specimen_gets_the_bytes_of_the_embedded_executor() {
    for format in [ERA_D, ResultFormat::EvmServer(Era::B), ResultFormat::Canonical] {
        let server = start(format, Limits::default()).await;
        let mut answered = 0;
        for file in best_available().unwrap().into_iter().chain(samples().unwrap()) {
            let answer = exchange(server.address, &post(&json(&file))).await.unwrap();
            match result(&file, format) {
                Some(expected) => {
                    assert!(answer.status == 200 && answer.body == expected, "{} in {format}", file.path.display());
                    answered += 1;
                }
                None => assert_eq!(answer.status, 500, "{} in {format}: {}", file.path.display(), answer.text()),
            }
        }
        assert!(answered > 0, "{format}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn any_method_and_several_parts_make_one_block() {
    let file = crate::server::some_block();
    let json = json(&file);
    let expected = result(&file, ERA_D).unwrap();
    let server = start(ERA_D, Limits::default()).await;
    let (first, second) = json.split_at(json.len() / 2);
    let form = [b"--b\r\n\r\n", first, b"\r\n--b\r\na: b\r\n\r\n", second, b"{trailing\r\n--b--"].concat();
    let mut request = crate::client::request("multipart/form-data; boundary=b", &form);
    request.splice(..4, *b"PATCH");
    let answer = exchange(server.address, &request).await.unwrap();
    assert!(answer.status == 200 && answer.body == expected, "{}", answer.head);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_of_a_result_is_answered_as_a_file_server_answers_it() {
    let file = crate::server::some_block();
    let expected = result(&file, ERA_D).unwrap();
    let server = start(ERA_D, Limits::default()).await;
    let with = |range: &str| {
        let mut request = post(&json(&file));
        let at = "POST /process HTTP/1.1\r\n".len();
        request.splice(at..at, format!("range: {range}\r\n").into_bytes());
        request
    };
    let whole = exchange(server.address, &post(&json(&file))).await.unwrap();
    assert!(whole.head.contains("accept-ranges: bytes") && whole.head.contains("last-modified: "), "{}", whole.head);
    let part = exchange(server.address, &with("bytes=10-19")).await.unwrap();
    assert_eq!((part.status, &*part.body), (206, &expected[10..20]));
    assert!(part.head.contains(&format!("content-range: bytes 10-19/{}", expected.len())), "{}", part.head);
    let beyond = exchange(server.address, &with(&format!("bytes={}-", expected.len()))).await.unwrap();
    assert_eq!((beyond.status, beyond.text()), (416, "{\"error\": \"invalid range: failed to overlap\"}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blob_price_is_answered_at_once_and_one_beyond_256_bits_sells_no_gas() {
    const GAS: u64 = 200_000;
    let server = start(ERA_D, Limits::default()).await;
    for (excess_blob_gas, receipts) in [(393_216, 1), (400_000_000, 1), (1 << 32, 0), (1 << 62, 0), (1 << 63, 0)] {
        let begun = std::time::Instant::now();
        let block = crate::hostile::asks_for_the_blob_price(excess_blob_gas, GAS);
        let answer = exchange(server.address, &post(&block)).await.unwrap();
        assert_eq!(answer.status, 200, "{excess_blob_gas}: {}", answer.text());
        let result: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(result["Receipts"].as_array().unwrap().len(), receipts, "{excess_blob_gas}: {}", result["Receipts"]);
        assert!(begun.elapsed() < std::time::Duration::from_secs(2), "{excess_blob_gas}: {:?}", begun.elapsed());
    }
}
