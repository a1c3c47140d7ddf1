//! JSON in and out: what is kept, and what is refused where.

use refiner_specimen::{DecodeError, Expected, FieldError, JsonError, Layout, encode, from_json, to_json};
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
    check("the segment", |json| json["surplus"] = json!(1), Expected::Object);
    check("the segment", |json| drop(json.as_object_mut().unwrap().remove("elements")), Expected::Object);
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
