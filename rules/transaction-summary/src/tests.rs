//! The rule on fixtures.

use std::collections::BTreeMap;

use refiner_sdk::{
    Address, B256, ExecuteError,
    fixture::{ExecutedBlock, Fixture, Run},
};

use super::*;

const SENDER: Address = Address::from_hex("00000000000000000000000000000000000000aa");
const CONTRACT: Address = Address::from_hex("00000000000000000000000000000000000000cc");

fn run(items: &[(Transaction, &[u8], Receipt)], change: impl FnOnce(Fixture) -> Fixture) -> Run {
    let receipts = (0..).zip(items).map(|(index, (_, _, receipt))| Receipt { transaction_index: index, ..*receipt });
    let block_result = br#"{"receipts":[{"blobGasPrice":"0x3"}]}"#.to_vec();
    let executed = ExecutedBlock { receipts: receipts.collect(), block_result, ..ExecutedBlock::default() };
    let fixture =
        items.iter().fold(Fixture::new(), |fixture, (transaction, input, _)| fixture.transaction(*transaction, input));
    change(fixture).executed("canonical", Ok(executed)).run_with_evm(TransactionSummary::refine)
}

/// The fields of each row, as JSON. The rule's rows hold no nested values and no text with a comma.
fn rows(run: &Run) -> Vec<BTreeMap<&str, &str>> {
    run.artifacts[0]
        .text()
        .lines()
        .map(|row| {
            let inside = row.strip_prefix('{').and_then(|row| row.strip_suffix('}')).expect("an object");
            let pairs = inside.split(',').map(|field| field.split_once(':').expect("a field"));
            pairs.map(|(name, value)| (name.trim_matches('"'), value)).collect()
        })
        .collect()
}

/// Runs one transaction and compares the fields that are named.
fn check(transaction: Transaction, input: &[u8], receipt: Receipt, expected: &[(&str, &str)]) {
    let run = run(&[(transaction, input, receipt)], |fixture| fixture);
    assert_eq!(run.result, Ok(Summary::records(1_u32)));
    let row = &rows(&run)[0];
    for (name, value) in expected {
        assert_eq!(row.get(name), Some(value), "{name} of {row:?}");
    }
}

#[test]
fn fields_of_transaction_and_receipt_stand_in_one_row() {
    let transaction = Transaction {
        tx_type: 2,
        hash: B256::from_words([0, 0, 0, 1]),
        sender: SENDER,
        to: Some(CONTRACT),
        nonce: u64::MAX,
        value: U256::MAX,
        gas_limit: 30_000,
        ..Transaction::default()
    };
    let receipt = Receipt { gas_used: 21_000, effective_gas_price: U256::from(7), log_count: 2, ..Receipt::default() };
    let expected = [
        ("transactionIndex", "0"),
        ("transactionHash", "\"0x0000000000000000000000000000000000000000000000000000000000000001\""),
        ("type", "2"),
        ("from", "\"0x00000000000000000000000000000000000000aa\""),
        ("to", "\"0x00000000000000000000000000000000000000cc\""),
        ("createdContract", "null"),
        ("nonce", "18446744073709551615"),
        ("value", "\"115792089237316195423570985008687907853269984665640564039457584007913129639935\""),
        ("success", "true"),
        ("gasLimit", "30000"),
        ("gasUsed", "21000"),
        ("effectiveGasPrice", "\"7\""),
        ("fee", "\"147000\""),
        ("blobCount", "0"),
        ("blobFee", "null"),
        ("selector", "\"0xa9059cbb\""),
        ("inputBytes", "6"),
        ("logs", "2"),
    ];
    check(transaction, &[0xa9, 0x05, 0x9c, 0xbb, 1, 2], receipt, &expected);
    let run = run(&[(transaction, b"", receipt)], |fixture| fixture);
    let block = ["chainId", "blockNumber", "blockHash", "timestamp"];
    assert_eq!(rows(&run)[0].len(), block.len() + expected.len(), "no other fields");
}

#[test]
fn creation_names_its_contract_unless_it_failed_and_has_no_selector() {
    let creation = Transaction { to: None, ..Transaction::default() };
    let created = Receipt { contract_address: Some(CONTRACT), ..Receipt::default() };
    let address = "\"0x00000000000000000000000000000000000000cc\"";
    check(
        creation,
        &[0x60; 40],
        created,
        &[
            ("to", "null"),
            ("createdContract", address),
            ("selector", "null"),
            ("inputBytes", "40"),
            ("success", "true"),
        ],
    );
    check(
        creation,
        &[0x60; 40],
        Receipt { success: false, ..created },
        &[("to", "null"), ("createdContract", "null"), ("success", "false")],
    );
}

#[test]
fn selector_is_there_when_there_are_four_bytes() {
    for (input, selector) in [
        (&b""[..], "null"),
        (&[1, 2, 3], "null"),
        (&[1, 2, 3, 4], "\"0x01020304\""),
        (&[0xff; 5_000], "\"0xffffffff\""),
    ] {
        let length = input.len().to_string();
        check(Transaction::default(), input, Receipt::default(), &[("selector", selector), ("inputBytes", &length)]);
    }
}

#[test]
fn failed_transaction_pays_its_fee() {
    let receipt = Receipt {
        success: false,
        gas_used: 50_000,
        effective_gas_price: U256::from(1_000_000_000),
        ..Receipt::default()
    };
    check(Transaction::default(), b"", receipt, &[("success", "false"), ("fee", "\"50000000000000\"")]);
}

#[test]
fn fee_beyond_a_word_is_exact_and_beyond_256_bits_refused() {
    let receipt = |price| Receipt { gas_used: u64::MAX, effective_gas_price: price, ..Receipt::default() };
    let most = U256::from_words([0, 0, u64::MAX, u64::MAX]);
    let fee = "\"6277101735386680763495507056286727952620534092958556749825\"";
    check(Transaction::default(), b"", receipt(most), &[("fee", fee)]);
    let run = run(&[(Transaction::default(), b"", receipt(U256::MAX))], |fixture| fixture);
    assert_eq!(run.result, Err(RuleError::Rejected("transaction 0 pays no possible fee".to_owned())));
}

#[test]
fn blobs_are_counted_and_paid_beside_the_fee() {
    let blob = |blob_hash_count| Transaction {
        tx_type: Transaction::BLOB,
        hash: B256::from_words([9; 4]),
        blob_hash_count,
        ..Transaction::default()
    };
    let check = |transactions: &[Transaction], blob_gas_used: Option<u64>, expected: &[(&str, &str)]| {
        let items: Vec<_> =
            transactions.iter().map(|transaction| (*transaction, &b""[..], Receipt::default())).collect();
        let run = run(&items, |fixture| fixture.header(|header| header.blob_gas_used = blob_gas_used));
        let seen: Vec<_> = rows(&run).iter().map(|row| (row["blobCount"], row["blobFee"])).collect();
        assert_eq!(seen, expected, "{blob_gas_used:?}");
    };
    check(&[blob(1)], Some(131_072), &[("1", "\"393216\"")]);
    check(&[blob(6), Transaction::default()], Some(786_432), &[("6", "\"2359296\""), ("0", "null")]);
    // The layout dropped the blob hashes: the block's blobs can only be those of its only blob transaction.
    check(&[Transaction::default(), blob(0)], Some(262_144), &[("0", "null"), ("2", "\"786432\"")]);
    check(&[blob(0), blob(0)], Some(262_144), &[("null", "null"), ("null", "null")]);
    check(&[blob(0)], None, &[("null", "null")]);
}

#[test]
fn blob_transaction_without_its_blob_hashes_has_no_hash() {
    let blob = Transaction { tx_type: Transaction::BLOB, ..Transaction::default() };
    check(blob, b"", Receipt::default(), &[("transactionHash", "null")]);
}

#[test]
fn rows_follow_the_block() {
    let items: Vec<_> = (0..5)
        .map(|nonce| {
            (
                Transaction { nonce, ..Transaction::default() },
                &b""[..],
                Receipt { gas_used: 10 * nonce, ..Receipt::default() },
            )
        })
        .collect();
    let run = run(&items, |fixture| fixture);
    let seen: Vec<_> =
        rows(&run).iter().map(|row| [row["transactionIndex"], row["nonce"], row["gasUsed"]].join(" ")).collect();
    assert_eq!(seen, ["0 0 0", "1 1 10", "2 2 20", "3 3 30", "4 4 40"]);
}

#[test]
fn block_that_is_not_executed_gives_no_artifact_and_keeps_the_blame() {
    let error = ExecuteError::Unsupported("the reason".to_owned());
    let run = Fixture::new().executed("canonical", Err(error)).run_with_evm(TransactionSummary::refine);
    assert_eq!((run.result, run.artifacts), (Err(RuleError::Unsupported("the reason".to_owned())), Vec::new()));
}

#[test]
fn artifact_is_that_of_the_manifest() {
    let manifest = include_str!("../rule.toml");
    let run = run(&[], |fixture| fixture);
    let artifact = &run.artifacts[0];
    let schema = artifact.schema.as_deref().expect("a schema");
    let output =
        format!("name = \"{}\"\nmedia-type = \"{}\"\nschema = \"{schema}\"", artifact.name, artifact.media_type);
    assert!(manifest.contains(&output), "{output}");
}

#[test]
fn row_of_a_transaction_that_lost_a_part_is_marked_unproven_and_no_other() {
    let marked = |tx_type: u8| {
        let transaction = Transaction { tx_type, hash: B256::from_words([0, 0, 0, 1]), ..Transaction::default() };
        let run = run(&[(transaction, b"", Receipt { tx_type, ..Receipt::default() })], |fixture| fixture);
        let row = &rows(&run)[0];
        (row.get("unproven").map(|value| (*value).to_owned()), row["transactionHash"] == "null")
    };
    // The fixture's checks do not have the root of the transactions.
    assert_eq!(marked(Transaction::SET_CODE), (Some("true".to_owned()), true));
    assert_eq!(marked(2), (None, false));
}
