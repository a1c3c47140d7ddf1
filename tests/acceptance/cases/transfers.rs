//! Transfer events in odd shapes, through the rule that lists transfers.

use std::fs;

use refiner_testkit::case::transfers::{Meaning, case, emitter, shapes};
use serde_json::{Value, json};

use super::WAYS;
use crate::program::{Ended, refiner, text};

fn replay(options: &[&str], out: &std::path::Path) -> Ended {
    let directory = tempfile::tempdir().unwrap();
    super::write(&case().unwrap(), directory.path());
    let arguments = ["replay", text(directory.path()), "--json", "--rule", "token-transfers", "--out", text(out)];
    refiner(&[&arguments, options].concat()).expect(0)
}

/// The meaning of the shapes, one row a transfer.
fn expected() -> Vec<Value> {
    let rows = |(position, shape): (usize, refiner_testkit::case::transfers::Shape)| {
        let Meaning::Transfers(standard, moved) = shape.meaning else { return Vec::new() };
        let batch = shape.name.starts_with("TransferBatch");
        let row = |(index, (id, amount)): (usize, (Option<alloy_primitives::U256>, alloy_primitives::U256))| {
            json!({
                "logIndex": position,
                "batchIndex": batch.then_some(index),
                "standard": standard,
                "token": format!("{:#x}", emitter(shape.topics.len())),
                "tokenId": id.map(|id| id.to_string()),
                "amount": amount.to_string(),
            })
        };
        moved.into_iter().enumerate().map(row).collect()
    };
    shapes().into_iter().enumerate().flat_map(rows).collect()
}

#[test]
fn odd_transfer_events_are_rows_where_they_have_a_standards_shape() {
    for options in WAYS {
        let out = tempfile::tempdir().unwrap();
        let line = replay(options, out.path()).json_lines().remove(0);
        let file = fs::read_to_string(line["artifacts"][0]["file"].as_str().unwrap()).unwrap();
        let rows: Vec<Value> = file.lines().map(|row| serde_json::from_str(row).unwrap()).collect();
        let expected = expected();
        assert_eq!(rows.len(), expected.len(), "{file}");
        for (row, expected) in rows.iter().zip(expected) {
            for (key, value) in expected.as_object().unwrap() {
                assert_eq!(row[key], *value, "{key} of {row}");
            }
        }
    }
}

#[test]
fn skipped_event_is_logged_with_its_contract_and_its_index() {
    let out = tempfile::tempdir().unwrap();
    let line = replay(&[], out.path()).json_lines().remove(0);
    let log: Vec<_> = line["log"].as_array().unwrap().iter().map(|line| line["message"].as_str().unwrap()).collect();
    for (position, shape) in shapes().into_iter().enumerate() {
        let contract = format!("{:#x}", emitter(shape.topics.len()));
        let index = format!("log {position} ");
        let skipped = log.iter().any(|message| message.contains(&contract) && message.contains(&index));
        assert_eq!(skipped, shape.meaning == Meaning::Misshapen, "{}: {log:?}", shape.name);
    }
}
