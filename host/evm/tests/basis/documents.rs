//! A result on receipts states what one on execution does.

use refiner_evm::{Basis, BasisPolicy};
use refiner_specimen::Specimen;
use refiner_testblocks::shared;
use refiner_testkit::{case, make_samples, producer};
use serde_json::Value;

use crate::{execute, result, shape, with};

/// Every block of the kit and every real one.
fn blocks() -> Vec<(String, Specimen)> {
    let samples = make_samples().unwrap().into_iter().map(|sample| (sample.name(), sample.specimen));
    let cases = case::cases().unwrap().into_iter().map(|case| (case.name.to_owned(), case.specimen));
    let shapes = producer::shapes().unwrap().into_iter().map(|shape| (shape.name.to_owned(), shape.specimen));
    let real = shared::specimens().into_iter().map(|(height, specimen)| (height.to_string(), specimen));
    samples.chain(cases).chain(shapes).chain(real).collect()
}

/// The document but for what tells its basis.
fn without_basis(document: &[u8], basis: &str) -> Value {
    let mut document: Value = serde_json::from_slice(document).unwrap();
    assert_eq!(document["basis"], basis);
    let object = document.as_object_mut().unwrap();
    for key in ["basis", "checks", "supplied"] {
        assert!(object.remove(key).is_some(), "{key}");
    }
    document
}

#[test]
fn every_block_that_executes_has_the_same_document_on_its_receipts() {
    let mut compared = 0;
    for (name, specimen) in blocks() {
        let Ok(executed) = execute(BasisPolicy::Execution, &specimen) else { continue };
        if specimen.block.receipts.is_empty() && !specimen.block.transactions.is_empty() {
            continue;
        }
        let Ok(document) = executed.block_result(&specimen) else { continue };
        let recorded = result(BasisPolicy::Receipts, &specimen);
        assert_eq!(recorded.receipts, executed.receipts, "{name}");
        assert_eq!(recorded.gas_used, executed.gas_used, "{name}");
        let other = recorded.block_result(&specimen).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(recorded.unproven(), executed.unproven(), "{name}");
        // No byte differs but in these.
        assert!(without_basis(&document, "execution") == without_basis(&other, "receipts"), "{name}");
        compared += 1;
    }
    assert!(compared >= 20, "only {compared} blocks were compared");
}

#[test]
fn every_real_block_has_a_result_on_its_receipts_with_the_headers_gas_and_bloom() {
    for (height, specimen) in shared::specimens() {
        let execution = result(BasisPolicy::Receipts, &specimen);
        assert_eq!(execution.basis, Basis::Receipts { instead_of: None }, "{height}");
        assert_eq!(execution.gas_used, specimen.block.header.gas_used, "{height}");
        let document: Value = serde_json::from_slice(&execution.block_result(&specimen).unwrap()).unwrap();
        let logs =
            document["receipts"].as_array().unwrap().iter().flat_map(|receipt| receipt["logs"].as_array().unwrap());
        let indices: Vec<_> = logs.map(|log| log["logIndex"].as_str().unwrap().to_owned()).collect();
        let expected: Vec<_> = (0..indices.len()).map(|index| format!("{index:#x}")).collect();
        assert_eq!(indices, expected, "{height}");
    }
}

#[test]
fn no_row_of_state_is_looked_at_where_receipts_are_asked_for() {
    let honest = shape("fix-osaka-delegations").specimen;
    let expected = result(BasisPolicy::Receipts, &honest).block_result(&honest).unwrap();
    let senseless = with(honest.clone(), |specimen| {
        let state = &mut specimen.block.state;
        state.accounts.extend(state.accounts.clone());
        state.storage.extend(state.storage.clone());
        state.codes = Default::default();
    });
    let stateless = with(honest, |specimen| specimen.block.state = Default::default());
    for specimen in [senseless, stateless] {
        assert!(result(BasisPolicy::Receipts, &specimen).block_result(&specimen).unwrap() == expected);
    }
}
