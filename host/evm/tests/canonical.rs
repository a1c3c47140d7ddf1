//! Canonical execution of real mainnet blocks, against their headers and against the producer's own receipts.

// Clippy takes what tests call for something else than a test.
#![allow(clippy::unwrap_used)]

use refiner_evm::{
    BasisPolicy, EmbeddedExecutor, ExecuteError, Execution, ExecutionPolicy, Rejected, ResultFormat, Unsupported,
};
use refiner_specimen::{
    DroppedPart, Layout, Specimen,
    check::{CheckName, Outcome},
};
use refiner_testblocks::shared;
use refiner_testkit::case;
use serde_json::Value;

/// The outcome of execution, for which no recorded receipts stand in.
fn execute(specimen: &Specimen) -> Result<Execution, ExecuteError> {
    let policy = ExecutionPolicy { basis: BasisPolicy::Execution, ..ExecutionPolicy::default() };
    EmbeddedExecutor::default().with_policy(policy).execute(specimen, ResultFormat::Canonical)
}

/// Every real block.
fn executable() -> Vec<(u64, Specimen)> {
    shared::specimens()
}

#[test]
fn real_blocks_agree_with_their_headers() {
    for (height, specimen) in executable() {
        let execution = execute(&specimen).unwrap_or_else(|error| panic!("{height}: {error}"));
        assert_eq!(execution.gas_used, specimen.block.header.gas_used, "{height}");
        execution.block_result(&specimen).unwrap_or_else(|error| panic!("{height}: {error}"));
        // The layout of the first, 0.36, drops the blob hashes of one transaction, the producer of the second its authorizations.
        let drops = [19_434_485, 22_433_670].contains(&height);
        for check in execution.all_checks() {
            let expected = match check.name {
                CheckName::RequestsHash if height < 22_431_084 => "notApplicable",
                CheckName::WithdrawalsRoot if height < 17_034_870 => "notApplicable",
                CheckName::TransactionsRoot | CheckName::Senders if drops => "notCheckable",
                _ => "passed",
            };
            let outcome = match check.outcome {
                Outcome::Passed => "passed",
                Outcome::NotApplicable(_) => "notApplicable",
                Outcome::NotCheckable(_) => "notCheckable",
                Outcome::Failed { .. } => "failed",
            };
            assert_eq!(outcome, expected, "{height}: {check}");
        }
        assert_eq!(execution.all_checks().count(), 18);
    }
}

#[test]
fn real_block_with_a_dropped_authorization_is_found_by_its_receipts() {
    let Some(specimen) = shared::specimen(22_433_670) else { return };
    let execution = execute(&specimen).unwrap();
    let [supplied] = execution.supplied[..] else { panic!("{:?}", execution.supplied) };
    assert_eq!((supplied.transaction, supplied.field), (46, DroppedPart::Authorizations));
    assert_eq!(execution.receipts[46].gas_used, 87_151);
    assert_eq!(execution.gas_used, specimen.block.header.gas_used);
}

#[test]
fn disagreement_of_a_rounded_block_is_no_fault_of_the_block_unless_its_own_receipts_contradict_it() {
    let case = |name| case::cases().unwrap().into_iter().find(|case| case.name == name).unwrap().specimen;
    let mut specimen = case("codec-0.2-whose-rounding-decides");
    let expected = Unsupported::RoundedNumbers { layout: Layout::V0_2 };
    assert_eq!(execute(&specimen).unwrap_err(), ExecuteError::Unsupported(expected));
    specimen.block.receipts[0].logs.clear();
    let error = execute(&specimen).unwrap_err();
    let ExecuteError::Rejected(Rejected::CheckFailed(check)) = error else { panic!("{error}") };
    assert_eq!(check.name, CheckName::RecordedReceipts);
}

#[test]
fn receipts_and_logs_equal_the_producers_own_file() {
    for (height, specimen) in executable() {
        let Some(file) = shared::read(&format!("1-{height}.receipts.json")) else { return };
        let producer: Value = serde_json::from_slice(&file).unwrap();
        let producer = producer["Receipts"].as_array().unwrap();
        let document: Value =
            serde_json::from_slice(&execute(&specimen).unwrap().block_result(&specimen).unwrap()).unwrap();
        let receipts = document["receipts"].as_array().unwrap();
        assert_eq!(receipts.len(), producer.len(), "{height}");
        for (index, (receipt, producer)) in receipts.iter().zip(producer).enumerate() {
            let at = format!("{height}, transaction {index}");
            let success = producer["PostStateOrStatus"] == "AQ==";
            assert_eq!(receipt["status"], if success { "0x1" } else { "0x0" }, "{at}");
            let gas = producer["CumulativeGasUsed"].as_u64().unwrap();
            assert_eq!(receipt["cumulativeGasUsed"], format!("{gas:#x}"), "{at}");
            let (logs, producers) = (receipt["logs"].as_array().unwrap(), producer["Logs"].as_array().unwrap());
            assert_eq!(logs.len(), producers.len(), "{at}");
            for (log, producer) in logs.iter().zip(producers) {
                assert_eq!(log["address"], producer["address"], "{at}");
                assert_eq!(log["topics"], producer["topics"], "{at}");
                assert_eq!(log["data"], shared::hex_of_base64(producer["data"].as_str().unwrap_or_default()), "{at}");
            }
        }
    }
}

#[test]
fn the_document_is_one_line_and_the_same_every_time() {
    for (height, specimen) in executable() {
        let executor = EmbeddedExecutor::default();
        let cold = executor.execute(&specimen, ResultFormat::Canonical).unwrap().block_result(&specimen).unwrap();
        let warm = executor.execute(&specimen, ResultFormat::Canonical).unwrap().block_result(&specimen).unwrap();
        assert!(cold == warm, "{height}: a warm code cache changes the bytes");
        assert!(!cold.contains(&b'\n') && !cold.contains(&b' '), "{height}");
    }
}

#[test]
fn transaction_hashes_are_the_chains_or_null() {
    for (height, specimen) in executable() {
        let document: Value =
            serde_json::from_slice(&execute(&specimen).unwrap().block_result(&specimen).unwrap()).unwrap();
        let unknown: Vec<_> = document["transactions"]
            .as_array()
            .unwrap()
            .iter()
            .enumerate()
            .filter(|(_, transaction)| transaction["hash"].is_null())
            .map(|(index, _)| index)
            .collect();
        let transactions = specimen.block.transactions.iter().enumerate();
        let lacking = transactions.filter(|(_, transaction)| transaction.dropped(specimen.layout).is_some());
        assert_eq!(unknown, lacking.map(|(index, _)| index).collect::<Vec<_>>(), "{height}");
    }
}

#[test]
fn values_that_no_check_covers_are_null_and_listed_and_no_others() {
    for (height, specimen) in executable() {
        let document: Value =
            serde_json::from_slice(&execute(&specimen).unwrap().block_result(&specimen).unwrap()).unwrap();
        let unproven: Vec<_> =
            document["unproven"].as_array().unwrap().iter().map(|pointer| pointer.as_str().unwrap()).collect();
        for pointer in &unproven {
            assert_eq!(document.pointer(pointer), Some(&Value::Null), "{height}: {pointer}");
        }
        let dropped =
            specimen.block.transactions.iter().filter(|transaction| transaction.dropped(specimen.layout).is_some());
        assert_eq!(unproven.iter().filter(|pointer| pointer.ends_with("/value")).count(), dropped.count(), "{height}");
        assert_eq!(unproven.is_empty(), ![19_434_485, 22_433_670].contains(&height), "{height}");
    }
}

#[test]
fn documents_have_the_keys_the_schema_gives_and_no_others() {
    let schema: Value =
        serde_json::from_str(include_str!("../../../schemas/block-result/canonical.schema.json")).unwrap();
    for (height, specimen) in executable() {
        let document: Value =
            serde_json::from_slice(&execute(&specimen).unwrap().block_result(&specimen).unwrap()).unwrap();
        conforms(&schema, &schema, &document, &height.to_string());
    }
}

/// Checks what the schema of the canonical document uses: references, keys, items, alternatives and constants.
fn conforms(root: &Value, schema: &Value, value: &Value, at: &str) {
    if let Some(reference) = schema["$ref"].as_str() {
        return conforms(root, root.pointer(reference.trim_start_matches('#')).unwrap(), value, at);
    }
    if let Some(alternatives) = schema["oneOf"].as_array() {
        let null = alternatives.iter().any(|alternative| alternative["type"] == "null");
        if !(null && value.is_null()) {
            conforms(root, &alternatives[0], value, at);
        }
        return;
    }
    if let Some(constant) = schema.get("const") {
        assert_eq!(value, constant, "{at}");
    }
    if let Some(known) = schema["enum"].as_array() {
        assert!(known.contains(value), "{at}: {value}");
    }
    match schema["type"].as_str() {
        Some("object") => {
            let (object, properties) = (value.as_object().unwrap(), schema["properties"].as_object().unwrap());
            for key in schema["required"].as_array().unwrap() {
                assert!(object.contains_key(key.as_str().unwrap()), "{at} has no {key}");
            }
            for (key, value) in object {
                let schema = properties.get(key).unwrap_or_else(|| panic!("{at} has {key}, which the schema has not"));
                conforms(root, schema, value, &format!("{at}.{key}"));
            }
        }
        Some("array") => {
            for (index, item) in value.as_array().unwrap_or_else(|| panic!("{at}: {value}")).iter().enumerate() {
                conforms(root, &schema["items"], item, &format!("{at}[{index}]"));
            }
        }
        Some("string") => {
            let text = value.as_str().unwrap_or_else(|| panic!("{at}: {value}"));
            assert!(matches(schema["pattern"].as_str().unwrap(), text), "{at}: {text}");
        }
        _ => {}
    }
}

/// The patterns of the schema: `^0x[0-9a-f]{n}$`, whole bytes, and quantities without leading zeros.
fn matches(pattern: &str, text: &str) -> bool {
    if pattern.starts_with("^/") {
        let at = text.split('/').nth(2).and_then(|index| index.parse::<usize>().ok());
        return at.is_some() && (text.starts_with("/transactions/") || text.starts_with("/receipts/"));
    }
    let Some(digits) = text.strip_prefix("0x") else { return false };
    let hex = digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    let length = match pattern {
        "^0x(0|[1-9a-f][0-9a-f]*)$" => digits == "0" || (!digits.is_empty() && !digits.starts_with('0')),
        "^0x([0-9a-f]{2})*$" => digits.len() % 2 == 0,
        fixed => fixed == format!("^0x[0-9a-f]{{{}}}$", digits.len()),
    };
    hex && length
}
