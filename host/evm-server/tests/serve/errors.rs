//! Errors in the words of the network's evm-server, and the answers where it panicked.

use refiner_evm_server::serve::Limits;
use serde_json::Value;

use crate::{
    client::{Answer, exchange, post, request},
    server::{ERA_D, Server, json, some_block, start},
};

async fn ask(server: &Server, body: &[u8]) -> Answer {
    let answer = exchange(server.address, body).await.unwrap();
    assert_eq!(answer.status, 500);
    assert!(answer.head.contains("content-type: text/plain; charset=utf-8"), "{}", answer.head);
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn the_words_of_the_network_are_kept() {
    let server = start(ERA_D, Limits::default()).await;
    let replica = "ERROR(10): error unmarshalling replica file";
    for (json, expected) in [
        ("invalid content", format!("{replica}: invalid character 'i' looking for beginning of value")),
        ("[]", format!("{replica}: json: cannot unmarshal array into Go value of type types.BlockReplica")),
        ("", format!("{replica}: EOF")),
        ("{\"Header\"", format!("{replica}: unexpected EOF")),
        ("{\"a\":1 \"b\"", format!("{replica}: invalid character '\"' after object key:value pair")),
    ] {
        assert_eq!(ask(&server, &post(json.as_bytes())).await.text(), format!("{{\"error\": \"{expected}\"}}"));
    }
    for (content_type, expected) in [
        ("application/json", "request Content-Type isn't multipart/form-data"),
        ("multipart/form-data", "no multipart boundary param in Content-Type"),
    ] {
        let answer = ask(&server, &request(content_type, b"{}")).await;
        assert_eq!(answer.text(), format!("{{\"error\": \"{expected}\"}}"));
    }
    let answer = ask(&server, b"GET /process HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert_eq!(answer.text(), "{\"error\": \"request Content-Type isn't multipart/form-data\"}");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_network_panicked_a_line_says_why_and_the_next_request_is_answered() {
    let server = start(ERA_D, Limits::default()).await;
    let file = some_block();
    let with = |field: &str, value: Value| {
        let mut block: Value = serde_json::from_slice(&json(&file)).unwrap();
        block[field] = value;
        block.to_string().into_bytes()
    };
    for (json, expected) in [
        (b"{}".to_vec(), "the block replica has no Header\n"),
        (b"null".to_vec(), "the block replica has no Header\n"),
        (with("State", Value::Null), "the block replica has no State\n"),
        (with("Senders", Value::Null), "senders\n"),
    ] {
        let answer = ask(&server, &post(&json)).await;
        assert!(answer.text().ends_with(expected), "{}", answer.text());
    }
    let cut = request("multipart/form-data; boundary=b", b"--b\r\n\r\n{}");
    assert_eq!(ask(&server, &cut).await.text(), "unexpected EOF\n");
    assert_eq!(exchange(server.address, &post(&json(&file))).await.unwrap().status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_field_is_named_in_json() {
    let server = start(ERA_D, Limits::default()).await;
    let mut block: Value = serde_json::from_slice(&json(&some_block())).unwrap();
    block["Header"]["gasLimit"] = "much".into();
    let answer = ask(&server, &post(block.to_string().as_bytes())).await;
    let said: Value = serde_json::from_slice(&answer.body).unwrap();
    let expected =
        "ERROR(10): error unmarshalling replica file: Header.gasLimit: invalid type: string \"much\", expected u64";
    assert!(said["error"].as_str().unwrap().starts_with(expected), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_that_cannot_be_executed_is_an_error_on_ebe() {
    let server = start(ERA_D, Limits { block_gas: 1_000_000_000, ..Limits::default() }).await;
    for (field, value, expected) in [
        ("Hash", Value::Null, "the block replica has no Hash\n"),
        ("NetworkId", 987_654_321.into(), "ERROR(3): unsupported: no rules are known for chain 987654321"),
    ] {
        let mut block: Value = serde_json::from_slice(&json(&some_block())).unwrap();
        block[field] = value;
        let answer = ask(&server, &post(block.to_string().as_bytes())).await;
        assert!(answer.text().contains(expected), "{}", answer.text());
    }
}
