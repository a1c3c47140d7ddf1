#![allow(clippy::unwrap_used)]

use refiner_specimen::{data_json, decode};
use refiner_testkit::best_available;
use serde_json::{Value, json};

use super::*;

/// A specimen's `data` object, as the network's refiner makes it.
fn some_block() -> Value {
    data_json(&best_available().unwrap()[0].bytes).unwrap()
}

fn refusal(json: &[u8]) -> String {
    read(json).unwrap_err().to_string()
}

#[test]
fn every_specimen_survives_the_way_through_json() {
    for file in best_available().unwrap() {
        let mut decoded = decode(&file.bytes).unwrap();
        let read = read(data_json(&file.bytes).unwrap().to_string().as_bytes()).unwrap();
        if decoded.block.uncles.is_none() {
            // JSON of the older layouts has a list there, of the newer ones null; both are no uncles.
            decoded.block.uncles.clone_from(&read.block.uncles);
        }
        assert_eq!(read.block, decoded.block, "{}", file.path.display());
        assert_eq!(read.layout, decoded.layout, "{}", file.path.display());
    }
}

#[test]
fn keys_come_in_any_order_and_unknown_ones_are_ignored() {
    let block = some_block();
    let expected = read(block.to_string().as_bytes()).unwrap();
    let fields: serde_json::Map<String, Value> = block.as_object().unwrap().clone().into_iter().rev().collect();
    let mut other = Value::Object(fields);
    other["nobody"] = json!({ "knows": [1.5e3, null, "\u{e9}\n"] });
    other["Header"]["unheardOf"] = json!([[[]]]);
    assert_eq!(read(other.to_string().as_bytes()).unwrap(), expected);
}

#[test]
fn only_the_first_value_is_read() {
    let block = some_block().to_string();
    assert_eq!(read(format!(" \n{block}]]not json").as_bytes()), read(block.as_bytes()));
}

#[test]
fn errors_name_the_field() {
    let with = |pointer: &str, value: Value| {
        let mut block = some_block();
        *block.pointer_mut(pointer).unwrap() = value;
        refusal(block.to_string().as_bytes())
    };
    for (pointer, value, path, expected) in [
        ("/Header/gasLimit", json!("much"), "Header.gasLimit: ", "expected u64"),
        ("/Header/parentHash", json!("0x12"), "Header.parentHash: ", "expected 0x and 64 hex digits"),
        ("/Header/number", json!("0x+1"), "Header.number: ", "expected 0x and a number of at most 64 bits in hex"),
        ("/Header/logsBloom", json!([1, 2]), "Header.logsBloom: ", "expected a list of 256 numbers below 256"),
        ("/Transactions/1/value", json!(7), "Transactions[1].value: ", "expected 0x and a number of at most 256 bits"),
        ("/Transactions/0/input", json!("!"), "Transactions[0].input: ", "expected base64 with padding"),
        ("/State/AccountRead/0/Nonce", json!(-1), "State.AccountRead[0].Nonce: ", "expected u64"),
    ] {
        let refused = with(pointer, value);
        assert!(refused.starts_with(path) && refused.contains(expected), "{refused}");
    }
}

#[test]
fn lists_of_small_texts_and_large_values_are_bounded() {
    let with = |sidecars: usize, blobs: usize| {
        let mut block = some_block();
        let sidecar = json!({ "Blobs": vec!["0x"; blobs], "Commitments": null, "Proofs": [] });
        block["BlobTxSidecars"] = vec![sidecar; sidecars].into();
        read(block.to_string().as_bytes())
    };
    assert!(with(128, 1).is_ok() && with(1, 1_024).is_ok());
    let refused = with(129, 1).unwrap_err().to_string();
    assert!(refused.contains("BlobTxSidecars") && refused.contains("at most 128 items"), "{refused}");
    let refused = with(1, 1_025).unwrap_err().to_string();
    assert!(refused.contains("Blobs") && refused.contains("at most 1024 items"), "{refused}");
}

#[test]
fn what_the_go_server_panicked_at_is_named() {
    assert_eq!(refusal(b"{}"), "the block replica has no Header");
    assert_eq!(refusal(b"null"), "the block replica has no Header");
    for field in ["Header", "State"] {
        let mut block = some_block();
        block[field] = Value::Null;
        assert_eq!(refusal(block.to_string().as_bytes()), format!("the block replica has no {field}"));
        block.as_object_mut().unwrap().remove(field);
        assert_eq!(refusal(block.to_string().as_bytes()), format!("the block replica has no {field}"));
    }
}

/// Each in the words of Go 1.22.
#[test]
fn faults_of_syntax_have_the_words_of_go() {
    for (text, expected) in [
        ("invalid content", "invalid character 'i' looking for beginning of value"),
        ("", "EOF"),
        (" \r\n\t", "EOF"),
        ("{", "unexpected EOF"),
        (r#"{"Header": {"number""#, "unexpected EOF"),
        ("[1,", "unexpected EOF"),
        ("-", "unexpected EOF"),
        ("{]", "invalid character ']' looking for beginning of object key string"),
        (r#"{"a":1,}"#, "invalid character '}' looking for beginning of object key string"),
        (r#"{"a" 1}"#, "invalid character '1' after object key"),
        (r#"{"a":1 "b":2}"#, r#"invalid character '"' after object key:value pair"#),
        ("{'a':1}", r"invalid character '\'' looking for beginning of object key string"),
        ("[1 2]", "invalid character '2' after array element"),
        ("[01]", "invalid character '1' after array element"),
        ("[1}", "invalid character '}' after array element"),
        ("[,]", "invalid character ',' looking for beginning of value"),
        ("\"a\nb\"", r"invalid character '\n' in string literal"),
        ("\"a\u{1}\"", r"invalid character '\x01' in string literal"),
        (r#""\x""#, "invalid character 'x' in string escape code"),
        (r#""\u00g0""#, r"invalid character 'g' in \u hexadecimal character escape"),
        ("-a", "invalid character 'a' in numeric literal"),
        ("[1.]", "invalid character ']' after decimal point in numeric literal"),
        ("[1e]", "invalid character ']' in exponent of numeric literal"),
        ("trye", "invalid character 'y' in literal true (expecting 'u')"),
        ("nil", "invalid character 'i' in literal null (expecting 'u')"),
        ("\u{feff}{}", "invalid character 'ï' looking for beginning of value"),
        ("\\", r"invalid character '\\' looking for beginning of value"),
        ("\u{7f}", r"invalid character '\x7f' looking for beginning of value"),
        ("[]", "json: cannot unmarshal array into Go value of type t8ntool.BlockReplica"),
        ("[{}] x", "json: cannot unmarshal array into Go value of type t8ntool.BlockReplica"),
        (r#""text""#, "json: cannot unmarshal string into Go value of type t8ntool.BlockReplica"),
        ("-1.5e-7", "json: cannot unmarshal number into Go value of type t8ntool.BlockReplica"),
        ("true", "json: cannot unmarshal bool into Go value of type t8ntool.BlockReplica"),
    ] {
        assert_eq!(refusal(text.as_bytes()), expected, "{text:?}");
    }
    assert_eq!(refusal(b"\x80"), r"invalid character '\u0080' looking for beginning of value");
    assert_eq!(refusal("[".repeat(10_001).as_bytes()), "exceeded max depth");
    assert_eq!(refusal("[".repeat(10_000).as_bytes()), "unexpected EOF");
}

#[test]
fn json_of_every_specimen_takes_the_fast_way() {
    let files = best_available().unwrap().into_iter().chain(refiner_testkit::samples().unwrap());
    for file in files {
        let json = data_json(&file.bytes).unwrap().to_string();
        let outcome = Replica::deserialize(&mut Deserializer::from_slice(json.as_bytes()));
        assert!(outcome.is_ok(), "{}: {:?}", file.path.display(), outcome.err());
    }
}
