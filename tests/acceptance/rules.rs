//! The built-in rules that write rows: goldens over the samples, rows against their schemas, and over the real blocks what
//! an independent record of them has.

mod recorded;
mod schema;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use alloy_primitives::U256;
use refiner_testkit::real;
use serde_json::Value;

use crate::program::{Ended, refiner, samples_directory, text};
use recorded::{Fields, Recorded};
use schema::Schema;

/// Names of the rules.
const RULES: [&str; 8] = [
    "access-sets",
    "logs",
    "opcode-gas",
    "state-access",
    "state-diffs",
    "token-transfers",
    "traces",
    "transaction-summary",
];

/// Each rule's artifacts and what describes their rows, as `schemas/<schema>.schema.json`.
const ARTIFACTS: [(&str, &str, &str); 12] = [
    ("access-sets", "access-sets.ndjson", "access-sets/v1"),
    ("logs", "logs.ndjson", "logs/v1"),
    ("opcode-gas", "opcode-gas.ndjson", "opcode-gas/v1"),
    ("state-diffs", "balance-diffs.ndjson", "state-diffs/balance-diffs.v1"),
    ("state-diffs", "code-diffs.ndjson", "state-diffs/code-diffs.v1"),
    ("state-diffs", "nonce-diffs.ndjson", "state-diffs/nonce-diffs.v1"),
    ("state-diffs", "storage-diffs.ndjson", "state-diffs/storage-diffs.v1"),
    ("traces", "traces.ndjson", "traces/v1"),
    ("state-access", "accounts.ndjson", "state-access/accounts.v1"),
    ("state-access", "storage-slots.ndjson", "state-access/storage-slots.v1"),
    ("token-transfers", "token-transfers.ndjson", "token-transfers/v1"),
    ("transaction-summary", "transaction-summary.ndjson", "transaction-summary/v1"),
];

/// The real blocks; one lacks its authorizations, which are found.
const EXECUTABLE: usize = 8;

/// Most fuel that a rule may spend on any of the real blocks, in parts of its grant.
const FUEL_PART: u64 = 10;
/// The same of `opcode-gas`, which has as many rows as transactions run opcodes of contracts.
const FUEL_PART_OF_OPCODES: u64 = 9;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Runs the rules over `specimens` and writes what they produce to `out`.
fn replay(specimens: &Path, out: &Path, exit: i32) -> Ended {
    let devnet = samples_directory().join("devnet-1337.json");
    let mut arguments = vec!["replay", text(specimens), "--chain-config", text(&devnet), "--json", "--out", text(out)];
    arguments.extend(RULES.iter().flat_map(|rule| ["--rule", *rule]));
    refiner(&arguments).expect(exit)
}

fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let named =
        entries.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "ndjson"));
    named.map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap())).collect()
}

fn goldens() -> BTreeMap<String, Vec<u8>> {
    RULES.iter().flat_map(|rule| files(&root().join("rules").join(rule).join("goldens"))).collect()
}

fn rows(file: &[u8]) -> Vec<Value> {
    let text = str::from_utf8(file).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The rules' rows for the real blocks, and the report.
fn real_outputs() -> Option<(BTreeMap<String, Vec<u8>>, Ended)> {
    let directory = real::directory()?;
    let out = tempfile::tempdir().unwrap();
    let ended = replay(&directory, out.path(), 0);
    Some((files(out.path()), ended))
}

/// The real blocks that can be executed, each with the rows of one artifact.
fn real_rows(rule: &str, artifact: &str) -> Option<Vec<(Recorded, Vec<Value>)>> {
    let (files, _) = real_outputs()?;
    let rows_of =
        |recorded: &Recorded| files.get(&format!("1-{}.{rule}.{artifact}", recorded.height)).map(|file| rows(file));
    let blocks = Recorded::all(&real::directory()?).into_iter();
    let blocks: Vec<_> = blocks.filter_map(|recorded| rows_of(&recorded).map(|rows| (recorded, rows))).collect();
    assert!(blocks.len() >= EXECUTABLE, "{rule} produced for {} blocks", blocks.len());
    Some(blocks)
}

/// Compares the fields that are expected of each row.
#[track_caller]
fn compare(rows: &[Value], expected: &[Fields], what: &str) {
    assert_eq!(rows.len(), expected.len(), "{what}");
    for (position, (row, expected)) in rows.iter().zip(expected).enumerate() {
        for (key, value) in expected {
            assert_eq!(&row[key], value, "{key} of row {position}, {what}");
        }
    }
}

#[test]
fn rules_over_the_samples_give_the_goldens() {
    let out = tempfile::tempdir().unwrap();
    // One sample has more authorizations than are searched for, so that three rules have no rows of it.
    replay(&samples_directory(), out.path(), 3);
    let (written, goldens) = (files(out.path()), goldens());
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&written), names(&goldens), "rules/README.md says how goldens are made anew");
    for (name, bytes) in &written {
        let (seen, golden) = (String::from_utf8_lossy(bytes), String::from_utf8_lossy(&goldens[name]));
        for (line, (seen, golden)) in seen.lines().zip(golden.lines()).enumerate() {
            assert_eq!(seen, golden, "{name}, line {}; rules/README.md says how goldens are made anew", line + 1);
        }
        assert_eq!(seen.len(), golden.len(), "{name}");
    }
}

#[test]
fn every_row_is_as_its_schema_says() {
    let mut files = goldens();
    files.extend(real_outputs().into_iter().flat_map(|(files, _)| files));
    for (_, artifact, path) in ARTIFACTS {
        let schema = Schema::read(&root().join("schemas").join(format!("{path}.schema.json")));
        let mut checked = 0;
        for (name, file) in files.iter().filter(|(name, _)| name.ends_with(&format!(".{artifact}"))) {
            for row in rows(file) {
                schema.check(&row).unwrap_or_else(|wrong| panic!("{name}: {wrong} in {row}"));
                checked += 1;
            }
        }
        assert!(checked > 20, "only {checked} rows of {artifact}");
    }
}

#[test]
fn schemas_refuse_what_is_nearly_a_row() {
    let golden = |rule: &str, file: &str| rows(&goldens()[&format!("1-15600000.{rule}.{file}")]).remove(0);
    let change = |row: &Value, key: &str, value: Value| {
        let mut changed = row.clone();
        changed[key] = value;
        changed
    };
    for (rule, artifact, path) in ARTIFACTS {
        let schema = Schema::read(&root().join("schemas").join(format!("{path}.schema.json")));
        let row = golden(rule, artifact);
        assert_eq!(schema.check(&row), Ok(()));
        let object = row.as_object().unwrap();
        for key in object.keys() {
            let without =
                object.iter().filter(|(other, _)| *other != key).map(|(key, value)| (key.clone(), value.clone()));
            assert!(schema.check(&Value::Object(without.collect())).is_err(), "{path} without {key}");
            // What a contract gives as its reason may be any text.
            assert!(
                key == "revert_reason" || schema.check(&change(&row, key, Value::from("0xZZ"))).is_err(),
                "{path}: {key} is no text like this"
            );
            // The refund of a transaction is the one number below zero.
            assert!(
                key == "gas" || schema.check(&change(&row, key, Value::from(-1))).is_err(),
                "{path}: {key} is not negative"
            );
        }
        assert!(schema.check(&change(&row, "more", Value::Null)).is_err(), "{path} with another key");
        let hash = if object.contains_key("blockHash") { "blockHash" } else { "block_hash" };
        assert!(schema.check(&change(&row, hash, Value::from(format!("0x{}", "A".repeat(64))))).is_err());
    }
}

#[test]
fn rules_spend_a_small_part_of_their_fuel_on_a_real_block() {
    let Some((_, ended)) = real_outputs() else { return };
    for line in ended.json_lines().iter().filter(|line| line["verdict"] == "produced") {
        let fuel = |key: &str| line["usage"]["fuel"][key].as_u64().unwrap();
        let part = if line["rule"] == "opcode-gas" { FUEL_PART_OF_OPCODES } else { FUEL_PART };
        assert!(fuel("used") * part < fuel("granted"), "{} over {}: {}", line["rule"], line["height"], line["usage"]);
    }
}

#[test]
fn transfers_of_the_real_blocks_are_those_of_the_producers_receipts() {
    let Some(blocks) = real_rows("token-transfers", "token-transfers.ndjson") else { return };
    let mut standards = BTreeMap::<String, usize>::new();
    for (recorded, rows) in blocks {
        compare(&rows, &recorded.transfers(), &recorded.height.to_string());
        for row in rows {
            *standards.entry(row["standard"].to_string()).or_default() += 1;
        }
    }
    assert_eq!(standards.len(), 3, "the blocks show every standard: {standards:?}");
}

#[test]
fn summaries_of_the_real_blocks_agree_with_the_producers_receipts_and_transactions() {
    let Some(blocks) = real_rows("transaction-summary", "transaction-summary.ndjson") else { return };
    let mut paid_for_blobs = 0;
    for (recorded, rows) in blocks {
        let height = recorded.height;
        compare(&rows, &recorded.transactions(), &height.to_string());
        let blob_gas: Option<u64> = rows.iter().map(|row| row["blobCount"].as_u64().map(|blobs| blobs << 17)).sum();
        assert!(blob_gas.is_none_or(|gas| gas == recorded.blob_gas_used()), "{height}: {blob_gas:?}");
        for row in rows.iter().filter(|row| !row["blobFee"].is_null()) {
            let fee = U256::from(row["blobCount"].as_u64().unwrap() << 17) * recorded.cancun_blob_price();
            assert_eq!(row["blobFee"], fee.to_string(), "{height}");
            paid_for_blobs += 1;
        }
    }
    assert!(paid_for_blobs > 0);
}

#[test]
fn state_that_the_real_blocks_read_is_what_their_specimens_list() {
    let Some(accounts) = real_rows("state-access", "accounts.ndjson") else { return };
    let Some(slots) = real_rows("state-access", "storage-slots.ndjson") else { return };
    for ((recorded, accounts), (_, slots)) in accounts.iter().zip(&slots) {
        let [expected_accounts, expected_slots] = recorded.state();
        compare(accounts, &expected_accounts, &format!("accounts of {}", recorded.height));
        compare(slots, &expected_slots, &format!("slots of {}", recorded.height));
    }
}
