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
        ("[]", format!("{replica}: json: cannot unmarshal array into Go value of type t8ntool.BlockReplica")),
        ("", format!("{replica}: EOF")),
        ("{\"Header\"", format!("{replica}: unexpected EOF")),
        ("{\"a\":1 \"b\"", format!("{replica}: invalid character '\\\"' after object key:value pair")),
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
async fn where_the_network_panicked_json_has_the_reason_and_the_next_request_is_answered() {
    let server = start(ERA_D, Limits::default()).await;
    let file = some_block();
    let with = |field: &str, value: Value| {
        let mut block: Value = serde_json::from_slice(&json(&file)).unwrap();
        block[field] = value;
        block.to_string().into_bytes()
    };
    for (json, expected) in [
        (b"{}".to_vec(), "the block replica has no Header"),
        (b"null".to_vec(), "the block replica has no Header"),
        (with("State", Value::Null), "the block replica has no State"),
        (with("Senders", Value::Null), "senders"),
    ] {
        let reason = reason(&ask(&server, &post(&json)).await);
        assert!(reason.ends_with(expected), "{reason}");
    }
    let cut = request("multipart/form-data; boundary=b", b"--b\r\na: b\r\n");
    assert_eq!(reason(&ask(&server, &cut).await), "the form is cut off: it ends without its closing boundary");
    let cut = request("multipart/form-data; boundary=b", b"--b\r\n\r\n{}");
    assert_eq!(reason(&ask(&server, &cut).await), "unexpected EOF");
    assert_eq!(exchange(server.address, &post(&json(&file))).await.unwrap().status, 200);
}

/// The reason in a refusal's body.
fn reason(answer: &Answer) -> String {
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(body.as_object().unwrap().len(), 1, "{body}");
    body["error"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_known_in_any_case_and_some_may_be_missing() {
    let server = start(ERA_D, Limits::default()).await;
    let file = some_block();
    let expected = crate::server::result(&file, ERA_D).unwrap();
    let block: Value = serde_json::from_slice(&json(&file)).unwrap();
    for change in [str::to_uppercase, str::to_lowercase] {
        let answer = exchange(server.address, &post(in_case(&block, change).to_string().as_bytes())).await.unwrap();
        assert!(answer.status == 200 && answer.body == expected, "{}", String::from_utf8_lossy(&answer.body[..99]));
    }
    let mut without = block;
    without.as_object_mut().unwrap().retain(|key, _| key != "NetworkId" && key != "Hash");
    without["extra"] = "unknown".into();
    let answer = exchange(server.address, &post(without.to_string().as_bytes())).await.unwrap();
    assert!(answer.status == 200 && answer.body == expected, "{}", String::from_utf8_lossy(&answer.body[..99]));
    without["Transactions"] = Value::Null;
    without["Senders"] = Value::Null;
    without["Header"]["blobGasUsed"] = 0.into();
    let mut empty = without.clone();
    for rows in ["AccountRead", "StorageRead", "CodeRead", "BlockhashRead"] {
        without["State"][rows] = Value::Array(Vec::new());
        empty["State"].as_object_mut().unwrap().remove(rows);
    }
    let expected = exchange(server.address, &post(without.to_string().as_bytes())).await.unwrap();
    let answer = exchange(server.address, &post(empty.to_string().as_bytes())).await.unwrap();
    assert!(answer.status == 200 && answer.body == expected.body, "{}", answer.text());
}

/// The same value with its keys in another case.
fn in_case(value: &Value, change: fn(&str) -> String) -> Value {
    match value {
        Value::Object(object) => object.iter().map(|(key, value)| (change(key), in_case(value, change))).collect(),
        Value::Array(items) => items.iter().map(|item| in_case(item, change)).collect(),
        other => other.clone(),
    }
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
        ("Type", 7.into(), "ERROR(10): error unmarshalling replica file: Type: invalid type"),
        ("NetworkId", 987_654_321.into(), "ERROR(3): unsupported: no rules are known for chain 987654321"),
    ] {
        let mut block: Value = serde_json::from_slice(&json(&some_block())).unwrap();
        block[field] = value;
        let answer = ask(&server, &post(block.to_string().as_bytes())).await;
        assert!(answer.text().contains(expected), "{}", answer.text());
    }
}
