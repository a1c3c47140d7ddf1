//! Rows of the rules against the answers of a node's tracers.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use alloy_primitives::{Bytes, U256, keccak256};
use refiner_testchain::Anvil;
use serde_json::{Value, json};

use super::block::{number, parsed};

pub fn rows(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The rows of each transaction.
fn by_transaction(rows: &[Value]) -> BTreeMap<u64, Vec<&Value>> {
    let mut by_transaction: BTreeMap<u64, Vec<&Value>> = BTreeMap::new();
    for row in rows {
        if let Some(index) = row["transaction_index"].as_u64() {
            by_transaction.entry(index).or_default().push(row);
        }
    }
    by_transaction
}

/// Frames in the order in which they begin.
fn flattened<'a>(frame: &'a Value, frames: &mut Vec<&'a Value>) {
    frames.push(frame);
    for inner in frame["calls"].as_array().into_iter().flatten() {
        flattened(inner, frames);
    }
}

/// Words of the node for a failure, where they are others than ours.
const ERRORS: [(&str, &str); 6] = [
    ("CreateCollision", "contract address collision"),
    ("StackUnderflow", "stack underflow"),
    ("CreateContractStartingWithEF", "invalid code: must not begin with 0xef"),
    ("InvalidFEOpcode", "invalid opcode"),
    ("invalid opcode: INVALID", "invalid opcode"),
    ("InvalidJump", "invalid jump destination"),
];

pub fn calls(traces: &Value, rows: &[Value], block: &Value, kinds: &mut BTreeSet<String>) {
    let rows = by_transaction(rows);
    let mut used = 0;
    for (index, traced) in (0..).zip(traces.as_array().unwrap()) {
        let mut frames = Vec::new();
        flattened(&traced["result"], &mut frames);
        let rows = &rows[&index];
        assert_eq!(rows.len(), frames.len(), "transaction {index}: {traced}");
        for (position, (row, frame)) in rows.iter().zip(frames).enumerate() {
            let at = format!("transaction {index}, frame {position}: {row} and {frame}");
            let kind = frame["type"].as_str().unwrap();
            kinds.insert(kind.to_owned());
            assert_eq!(row["call_type"], kind, "{at}");
            assert!(row["undone"].as_bool().unwrap() || row["error"].is_null(), "{at}");
            // To itself: the node names neither side, or others.
            if kind == "SELFDESTRUCT" && row["from_address"] == row["to_address"] {
                continue;
            }
            assert_eq!(row["from_address"], frame["from"], "{at}");
            assert_eq!(row["to_address"], frame["to"], "{at}");
            let value = |value: &Value| (!value.is_null()).then(|| parsed::<U256>(value).to_string());
            assert_eq!(row["value"].as_str().map(str::to_owned), value(&frame["value"]), "{at}");
            // The node gives the outermost frame the gas of all transactions up to its own.
            let so_far = if position == 0 { std::mem::replace(&mut used, number(&frame["gasUsed"])) } else { 0 };
            assert_eq!(row["gas_used"], number(&frame["gasUsed"]) - so_far, "{at}");
            // The node takes the intrinsic gas off the outermost frame's limit, as geth does not.
            let limit = if position == 0 {
                &block["transactions"][usize::try_from(index).unwrap()]["gas"]
            } else {
                &frame["gas"]
            };
            assert_eq!(row["gas_limit"], number(limit), "{at}");
            let payload = |value: &Value| if value.is_null() { json!("0x") } else { value.clone() };
            assert_eq!(row["input"], payload(&frame["input"]), "{at}");
            assert_eq!(row["output"], payload(&frame["output"]), "{at}");
            let error = frame["error"].as_str();
            let error =
                error.map(|error| ERRORS.iter().find(|(theirs, _)| *theirs == error).map_or(error, |(_, ours)| ours));
            assert_eq!(row["error"].as_str(), error, "{at}");
        }
    }
}

type Change = (String, String, String, String);

/// What differs between the two sides of the node's answer.
fn differences(result: &Value) -> BTreeSet<Change> {
    let zero_code = format!("{:#x}", keccak256([]));
    let hash = |code: &Value| match code.as_str() {
        None => zero_code.clone(),
        Some(_) => format!("{:#x}", keccak256(parsed::<Bytes>(code))),
    };
    let decimal = |value: &Value| match value {
        Value::Null => "0".to_owned(),
        Value::Number(number) => number.to_string(),
        text => parsed::<U256>(text).to_string(),
    };
    let (pre, post) = (result["pre"].as_object().unwrap(), result["post"].as_object().unwrap());
    let mut changes = BTreeSet::new();
    for address in pre.keys().chain(post.keys()).collect::<BTreeSet<_>>() {
        let (before, after) = (&result["pre"][address], &result["post"][address]);
        let gone = after.is_null();
        let mut add = |kind: &str, before: String, after: String| {
            if before != after {
                changes.insert((address.clone(), kind.to_owned(), before, after));
            }
        };
        for kind in ["balance", "nonce"] {
            if gone || !after[kind].is_null() {
                add(kind, decimal(&before[kind]), decimal(&after[kind]));
            }
        }
        if gone || !after["code"].is_null() {
            add("code", hash(&before["code"]), hash(&after["code"]));
        }
        let slots = |account: &Value| account["storage"].as_object().cloned().unwrap_or_default();
        let (before, after) = (slots(before), slots(after));
        let zero = json!(format!("0x{:064x}", 0));
        for slot in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
            let value =
                |side: &serde_json::Map<String, Value>| side.get(slot).unwrap_or(&zero).as_str().unwrap().to_owned();
            add(slot, value(&before), value(&after));
        }
    }
    changes
}

pub fn changes(answers: &Value, rows: impl Fn(&str) -> Vec<Value>) {
    let mut ours: BTreeMap<u64, BTreeSet<Change>> = BTreeMap::new();
    for (artifact, kind) in [
        ("balance-diffs", Some("balance")),
        ("nonce-diffs", Some("nonce")),
        ("code-diffs", Some("code")),
        ("storage-diffs", None),
    ] {
        for (index, rows) in by_transaction(&rows(artifact)) {
            for row in rows {
                let text = |name: &str| match &row[name] {
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                let kind = kind.map_or_else(|| text("slot"), str::to_owned);
                ours.entry(index).or_default().insert((text("address"), kind, text("from_value"), text("to_value")));
            }
        }
    }
    for (index, answer) in (0..).zip(answers.as_array().unwrap()) {
        let ours = ours.get(&index).cloned().unwrap_or_default();
        assert_eq!(ours, differences(&answer["result"]), "transaction {index}");
    }
}

/// Everything that the node's tracer read was looked up.
pub fn accesses(answers: &Value, rows: &[Value]) {
    let rows = by_transaction(rows);
    for (index, answer) in (0..).zip(answers.as_array().unwrap()) {
        let looked_up: BTreeSet<(&str, Option<&str>)> =
            rows[&index].iter().map(|row| (row["address"].as_str().unwrap(), row["slot"].as_str())).collect();
        for (address, account) in answer["result"].as_object().unwrap() {
            assert!(looked_up.contains(&(address, None)), "transaction {index}: {address}");
            for slot in account["storage"].as_object().into_iter().flatten().map(|(slot, _)| slot) {
                assert!(looked_up.contains(&(address, Some(slot))), "transaction {index}: {slot} of {address}");
            }
        }
    }
}

pub async fn logs(anvil: &Anvil, block: &Value, rows: &[Value]) {
    let logs = anvil.rpc("eth_getLogs", json!([{"blockHash": block["hash"]}])).await.unwrap();
    let logs = logs.as_array().unwrap();
    assert_eq!(rows.len(), logs.len());
    for (row, log) in rows.iter().zip(logs) {
        for name in ["address", "data"] {
            assert_eq!(row[name], log[name]);
        }
        assert_eq!(row["transaction_hash"], log["transactionHash"]);
        assert_eq!(row["log_index"], number(&log["logIndex"]));
        for position in 0..4 {
            assert_eq!(row[format!("topic{position}")], log["topics"][position]);
        }
    }
}
