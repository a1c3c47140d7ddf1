//! The contents of results that rest on receipts.

use alloy_primitives::{B256, Bytes};
use refiner_evm::{BasisPolicy, ExecutionPolicy, ResultFormat, SenderPolicy};
use refiner_specimen::check::CheckName;
use refiner_testkit::{
    producer::{Shape, shapes},
    rpc,
};
use revm::bytecode::opcode as op;
use serde_json::Value;

use refiner_testblocks::devnet::{CALLER, CONTRACT, mainnet::*, old_call};

use crate::{document, outcome, result, shape};

#[test]
fn requests_hash_is_proven_by_deposits_alone_and_not_checkable_beside_other_requests() {
    for (name, expected) in [
        ("main-prague-empty", "requestsHash passed"),
        ("main-prague-deposit", "requestsHash passed"),
        ("main-prague-requests", "requestsHash not checkable"),
        ("main-cancun", "requestsHash not applicable"),
    ] {
        let specimen = shape(name).specimen;
        for basis in [BasisPolicy::Auto, BasisPolicy::Receipts] {
            let found = outcome(&result(basis, &specimen), CheckName::RequestsHash);
            assert!(found.starts_with(expected), "{name}: {found}");
        }
    }
}

#[test]
fn checks_of_a_result_that_rests_on_receipts_tell_what_was_not_done() {
    let execution = result(BasisPolicy::Receipts, &shape("main-osaka").specimen);
    let of = |expected: &str| {
        let names = execution.checks.iter().map(ToString::to_string).filter(|text| text.contains(expected));
        names.map(|text| text.split(' ').next().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(of("not applicable"), ["stateRows", "codeHashes", "execution", "producerReceipts"]);
    assert!(of("failed").is_empty());
    for name in [CheckName::RecordedReceipts, CheckName::GasUsed, CheckName::LogsBloom, CheckName::ReceiptsRoot] {
        assert!(outcome(&execution, name).ends_with("passed"), "{name}");
    }
    assert_eq!(document(BasisPolicy::Receipts, &shape("main-osaka").specimen)["checks"]["execution"], "notApplicable");
    assert_eq!(document(BasisPolicy::Auto, &shape("fix-bpo1-p256").specimen)["checks"]["execution"], "passed");
}

#[test]
fn transaction_without_its_authorizations_has_no_hash_and_no_field_but_its_type() {
    let document = document(BasisPolicy::Auto, &shape("main-osaka-delegations").specimen);
    assert_eq!(document["basis"], "receipts");
    let unproven: Vec<_> = document["unproven"].as_array().unwrap().iter().map(|at| at.as_str().unwrap()).collect();
    for (index, transaction) in document["transactions"].as_array().unwrap().iter().enumerate() {
        let receipt = &document["receipts"][index];
        let dropped = transaction["type"] == "0x4";
        let mut hashes = vec![format!("/transactions/{index}/hash"), format!("/receipts/{index}/transactionHash")];
        let logs = receipt["logs"].as_array().unwrap().len();
        hashes.extend((0..logs).map(|log| format!("/receipts/{index}/logs/{log}/transactionHash")));
        for at in hashes {
            assert_eq!(document.pointer(&at).unwrap().is_null(), dropped, "{at}");
            assert_eq!(unproven.contains(&at.as_str()), dropped, "{at}");
        }
        // What the receipt proves is there all the same.
        for field in ["status", "gasUsed", "cumulativeGasUsed", "logsBloom", "type"] {
            assert!(receipt[field].is_string(), "{index}: {field}");
        }
    }
}

/// Differences of a document from what a node gives of its block.
fn differences(shape: &Shape, document: &Value) -> Vec<String> {
    let node = rpc::block_and_receipts(&shape.block);
    let unproven = document["unproven"].as_array().unwrap();
    let mut differences = Vec::new();
    for list in ["transactions", "receipts"] {
        let expected = if list == "receipts" { &node["receipts"] } else { &node["block"]["transactions"] };
        let (expected, found) = (expected.as_array().unwrap(), document[list].as_array().unwrap());
        assert_eq!(expected.len(), found.len(), "{}", shape.name);
        for (index, (expected, found)) in expected.iter().zip(found).enumerate() {
            for (key, value) in expected.as_object().unwrap() {
                let at = format!("/{list}/{index}/{key}");
                let repeats_block = list == "transactions" && ["blockHash", "blockNumber"].contains(&key.as_str());
                let unknown = found[key].is_null() && unproven.contains(&at.as_str().into());
                // Logs lack a hash where their transaction does.
                let logs = key == "logs" && found["transactionHash"].is_null();
                if !(repeats_block || unknown || logs || found[key] == *value) {
                    differences.push(format!("{}{at}: {} instead of {value}", shape.name, found[key]));
                }
            }
        }
    }
    differences
}

#[test]
fn every_shape_of_the_producer_has_the_nodes_own_transactions_and_receipts_on_its_receipts() {
    for shape in shapes().unwrap() {
        if shape.name.contains("2^53") {
            continue;
        }
        for basis in [BasisPolicy::Auto, BasisPolicy::Receipts] {
            let document = document(basis, &shape.specimen);
            let by_receipts = basis == BasisPolicy::Receipts || shape.name.starts_with("main");
            assert!(!by_receipts || document["basis"] == "receipts", "{}", shape.name);
            assert_eq!(differences(&shape, &document), Vec::<String>::new());
        }
    }
}

#[test]
fn shapes_are_executed_where_nothing_is_left_out() {
    for shape in shapes().unwrap() {
        let executes = shape.name.starts_with("fix")
            || ["t220-set-and-call", "t220-requests-all-three", "t220-size-of-a-delegated-account"]
                .contains(&shape.name);
        if shape.name.contains("2^53") {
            continue;
        }
        let found = result(BasisPolicy::Auto, &shape.specimen).basis.as_str();
        assert_eq!(found, if executes { "execution" } else { "receipts" }, "{}", shape.name);
    }
}

#[test]
fn receipts_before_byzantium_prove_state_roots_and_no_status() {
    let roots = [B256::repeat_byte(0x51), B256::repeat_byte(0x52)];
    let block = mainnet(BYZANTIUM - 1).contract(&logging(&[op::NUMBER]));
    let mut small = old_call(CALLER);
    // A payment, and a call that burns all it has.
    small.gas = 21_000;
    let block = block.transaction(old_call(CONTRACT)).transaction(small).settled().with_producer_receipts();
    let block = block.with(|block| {
        for (receipt, root) in block.receipts.iter_mut().zip(roots) {
            receipt.post_state_or_status = Bytes::copy_from_slice(&root[..]);
        }
    });
    let (executor, specimen) = block.settled().ready();
    // No transaction of the small chains is signed.
    let policy = |basis| ExecutionPolicy { basis, senders: SenderPolicy::Stated, ..ExecutionPolicy::default() };
    let mut documents = Vec::new();
    let mut executor = executor;
    for basis in [BasisPolicy::Execution, BasisPolicy::Receipts] {
        executor = executor.with_policy(policy(basis));
        let execution = executor.execute(&specimen, ResultFormat::Canonical).unwrap();
        assert_eq!([0, 1].map(|index| execution.receipts[index].post_state), roots.map(Some), "{basis}");
        assert!(execution.receipts[0].success, "{basis}");
        documents.push(serde_json::from_slice::<Value>(&execution.block_result(&specimen).unwrap()).unwrap());
    }
    assert_eq!(documents[0]["receipts"], documents[1]["receipts"]);
    assert_eq!(documents[1]["receipts"][1]["root"], roots[1].to_string());
    assert!(documents[1]["receipts"][0].get("status").is_none());
}
