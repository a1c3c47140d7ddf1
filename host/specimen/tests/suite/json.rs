//! JSON in and out: what is kept, and what is refused where.

use refiner_specimen::{DecodeError, Expected, FieldError, JsonError, Layout, encode, from_json, read_json, to_json};
use serde_json::{Value, json};

use crate::random;

/// A specimen with a transaction, as JSON.
fn sample() -> Value {
    let some = |seed| random::specimen(Layout::V0_38, seed);
    let specimen = (0..).map(some).find(|specimen| !specimen.block.transactions.is_empty()).unwrap();
    to_json(&encode(&specimen, Layout::V0_38).unwrap()).unwrap()
}

#[test]
fn keys_come_in_the_order_of_the_schema() {
    let json = sample();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&json), ["replicaEvent", "startBlock", "endBlock", "elements", "codecVersion"]);
    let data = &json["replicaEvent"][0]["data"];
    assert_eq!(keys(&data["State"]), ["AccountRead", "StorageRead", "CodeRead", "BlockhashRead"]);
    assert_eq!(keys(&data["Header"])[..3], ["parentHash", "sha3Uncles", "miner"]);
}

#[test]
fn json_that_does_not_follow_the_schema_is_refused_with_its_place() {
    check("startBlock", |json| json["startBlock"] = json!("1"), Expected::Long);
    check("startBlock", |json| json["startBlock"] = json!(1.5), Expected::Long);
    check("codecVersion", |json| json["codecVersion"] = Value::Null, Expected::Double);
    check("replicaEvent", |json| json["replicaEvent"] = json!({}), Expected::Array);
    check("replicaEvent[0]", |json| json["replicaEvent"][0] = json!([]), Expected::Object);
    check("NetworkId", |json| data(json)["NetworkId"] = json!(1_u64 << 63), Expected::Long);
    check("TotalDifficulty", |json| data(json)["TotalDifficulty"] = json!(5), Expected::Text);
    check("Transactions[0].gas", |json| data(json)["Transactions"][0]["gas"] = json!(true), Expected::Long);
    check("Header.blobGasUsed", |json| data(json)["Header"]["blobGasUsed"] = json!("0x1"), Expected::Long);
    check("Header.logsBloom[3]", |json| data(json)["Header"]["logsBloom"][3] = Value::Null, Expected::Int);
    check("uncles[0]", |json| data(json)["uncles"] = json!([7]), Expected::Object);
}

#[test]
fn field_that_is_unknown_or_missing_is_named_with_the_layout() {
    let remove = |json: &mut Value, name: &str| drop(json.as_object_mut().unwrap().remove(name));
    let text = |change: &dyn Fn(&mut Value)| {
        let mut json = sample();
        change(&mut json);
        from_json(&json, Layout::V0_38).unwrap_err().to_string()
    };
    let surplus = text(&|json| json["sur\u{202e}plus"] = json!(1));
    assert_eq!(surplus, "the segment: layout 0.38 has no field 'sur\\u{202e}plus' here");
    let missing = text(&|json| remove(json, "elements"));
    assert_eq!(missing, "the segment: the field 'elements' of layout 0.38 is missing");
    let unknown = text(&|json| data(json)["Header"]["gasUsd"] = json!(1));
    assert_eq!(unknown, "Header: layout 0.38 has no field 'gasUsd' here");
    let missing = text(&|json| remove(&mut data(json)["Transactions"][0], "gas"));
    assert_eq!(missing, "Transactions[0]: the field 'gas' of layout 0.38 is missing");
}

#[test]
fn json_text_with_a_key_twice_or_a_byte_order_mark_is_refused_with_what_it_is() {
    let json = sample();
    assert_eq!(read_json(json.to_string().as_bytes()).unwrap(), json);
    let scalars = r#"{"a": [null, true, -1, 18446744073709551615, 1.5, "\u00e9"], "b": {"a": {}}}"#;
    assert_eq!(read_json(scalars.as_bytes()).unwrap(), serde_json::from_str::<Value>(scalars).unwrap());
    for (text, expected) in [
        (&b"[{\"a\": 1, \"a\": 1}]"[..], "the key 'a' is there twice at line 1 column 13"),
        (b"{\"\x61\": 1, \"b\": {}, \"\\u0061\": 2}", "the key 'a' is there twice"),
        (b"\xef\xbb\xbf{}", "the text begins with a byte order mark (U+FEFF); write it without one"),
        (b"{", "EOF while parsing an object"),
    ] {
        let error = read_json(text).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}

#[track_caller]
fn check(place: &str, change: impl Fn(&mut Value), due: Expected) {
    let mut json = sample();
    change(&mut json);
    match from_json(&json, Layout::V0_38) {
        Err(JsonError::Mismatch { path, expected }) => assert_eq!((path.to_string().as_str(), expected), (place, due)),
        other => panic!("{place}: {other:?}"),
    }
}

#[test]
fn json_of_no_specimen_is_refused_for_what_it_means() {
    let mut json = sample();
    data(&mut json)["Hash"] = json!("0x12");
    let Err(JsonError::Decode(DecodeError::Malformed(misfit))) = from_json(&json, Layout::V0_38) else {
        panic!("a hash of one byte is accepted")
    };
    assert_eq!((misfit.path.to_string().as_str(), misfit.layout), ("Hash", Layout::V0_38));
    assert_eq!(misfit.wrong, FieldError::WrongLength { expected: 66, found: 4 });
}

#[test]
fn field_that_may_be_null_may_be_left_out() {
    let mut json = sample();
    data(&mut json)["Header"]["requestsHash"] = Value::Null;
    let with_null = from_json(&json, Layout::V0_38).unwrap();
    data(&mut json)["Header"].as_object_mut().unwrap().remove("requestsHash");
    assert_eq!(from_json(&json, Layout::V0_38).unwrap(), with_null);
}

fn data(json: &mut Value) -> &mut Value {
    &mut json["replicaEvent"][0]["data"]
}
