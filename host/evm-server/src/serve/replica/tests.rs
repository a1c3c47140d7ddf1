#![allow(clippy::unwrap_used)]

use refiner_specimen::{data_json, decode};
use refiner_testkit::best_available;
use serde_json::{Value, json};

use super::*;

/// A specimen's `data` object, as the network's refiner makes it.
fn some_block() -> Value {
    data_json(&best_available().unwrap()[0].bytes).unwrap()
}

fn read(json: &[u8]) -> Result<Specimen, ReplicaError> {
    super::read(&Bytes::copy_from_slice(json))
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
fn json_of_every_specimen_takes_the_fastest_way() {
    let files = best_available().unwrap().into_iter().chain(refiner_testkit::samples().unwrap());
    for file in files {
        let json = data_json(&file.bytes).unwrap().to_string();
        let outcome = Replica::deserialize(&mut Plain::new(json.as_bytes()));
        assert!(outcome.is_ok(), "{}: {:?}", file.path.display(), outcome.err());
    }
}

/// A sample that has something of everything and is read in a moment.
fn small_block() -> String {
    let samples = refiner_testkit::samples().unwrap();
    let smallest = samples.iter().min_by_key(|file| file.bytes.len()).unwrap();
    data_json(&smallest.bytes).unwrap().to_string()
}

#[test]
fn spaces_and_line_breaks_take_the_fastest_way_too() {
    let block: Value = serde_json::from_str(&small_block()).unwrap();
    let spaced = serde_json::to_string_pretty(&block).unwrap().replace('\n', "\r\n\t");
    assert!(Replica::deserialize(&mut Plain::new(spaced.as_bytes())).is_ok());
    assert_eq!(read(spaced.as_bytes()), read(block.to_string().as_bytes()));
}

#[test]
fn text_that_is_escaped_means_what_it_means_without() {
    let block = some_block().to_string();
    // The key is one that takes base64, which may hold a solidus; Go's writer escapes none, others do.
    let escaped = block.replace('/', "\\/");
    assert_ne!(escaped, block);
    assert!(Replica::deserialize(&mut Plain::new(escaped.as_bytes())).is_err());
    assert_eq!(read(escaped.as_bytes()).unwrap(), read(block.as_bytes()).unwrap());
}

#[test]
fn bytecode_that_is_not_base64_is_refused_though_nothing_runs_it() {
    let mut block = some_block();
    *block.pointer_mut("/State/CodeRead/0/Code").unwrap() = json!("AAA*");
    let refused = refusal(block.to_string().as_bytes());
    assert!(refused.starts_with("State.CodeRead[0].Code: ") && refused.contains("base64 with padding"), "{refused}");
}

#[test]
fn the_fastest_way_takes_nothing_that_the_others_refuse_or_take_otherwise() {
    const PIECES: [&str; 24] = [
        "null",
        "true",
        "0",
        "00",
        "1.5",
        "1e3",
        "-1",
        "18446744073709551616",
        "\"\"",
        "\"0x\"",
        "\"0X1\"",
        "\"0x0x\"",
        "\\\"",
        "\\u0030",
        "\t",
        "\u{1}",
        ",",
        ":",
        "[",
        "]",
        "{",
        "}",
        "{}",
        "[]",
    ];
    let block = small_block().into_bytes();
    // SplitMix64: the same numbers on every machine.
    let mut state = 22_u64;
    let mut below = |end: usize| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ mixed >> 31) % end as u64).unwrap()
    };
    let mut taken = 0;
    for _ in 0..20_000 {
        let mut json = block.clone();
        let at = below(json.len());
        let end = (at + below(12)).min(json.len());
        match below(4) {
            0 => drop(json.splice(at..end, PIECES[below(PIECES.len())].bytes())),
            1 => json[at] = u8::try_from(below(256)).unwrap(),
            2 => drop(json.drain(at..end)),
            _ => {
                // Instead of the value behind a colon.
                let Some(from) = json[at..].iter().position(|byte| *byte == b':').map(|to| at + to + 1) else {
                    continue;
                };
                let to = json[from..].iter().position(|byte| b",}]".contains(byte)).map_or(json.len(), |to| from + to);
                drop(json.splice(from..to, PIECES[below(PIECES.len())].bytes()));
            }
        }
        let source = Bytes::from(json);
        let Ok(fast) = Replica::deserialize(&mut Plain::new(&source)) else { continue };
        taken += 1;
        let slow = Replica::deserialize(&mut Deserializer::from_slice(&source));
        let slow = slow.unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&source)));
        assert_eq!(specimen(fast, &source), specimen(slow, &source), "{}", String::from_utf8_lossy(&source));
    }
    assert!(taken > 1_000, "{taken} were taken");
}
