//! The official tests' format, by tests of our own, through the block-result rule.

use std::{fs, path::PathBuf};

use refiner_conformance::{Report, Settings, make, run};
use serde_json::Value;

fn conformance(tests: PathBuf) -> Report {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_refiner"));
    run(&Settings { tests, fork: None, program }, |_| ()).unwrap()
}

#[test]
fn valid_blocks_of_every_fork_are_produced_and_invalid_ones_are_not() {
    let report = conformance(make::fixtures());
    assert!(report.passed(), "{report}");
    assert!(report.disagreements().is_empty(), "{report}");
    for fork in
        ["Frontier", "Byzantium", "London", "Paris", "Prague", "BPO1", "HomesteadToDaoAt2", "ShanghaiToCancunAtTime15k"]
    {
        assert_eq!(report.tally(fork).produced, 2, "{fork}\n{report}");
    }
    let total = report.total();
    assert_eq!((total.not_produced, total.not_carried, total.wrongly_produced), (0, 0, 0), "{report}");
    // Twelve that their own bytes refute, five that only parent or state show, two that are no block.
    assert_eq!((total.refused, total.hidden, total.unwritten), (12, 5, 2), "{report}");
}

#[test]
fn valid_block_that_a_test_calls_invalid_fails_the_run() {
    let mut tests: Value = serde_json::from_slice(&fs::read(make::fixtures().join("valid.json")).unwrap()).unwrap();
    let mut test = tests["blocks_of_Paris"].take();
    test["blocks"].as_array_mut().unwrap().truncate(1);
    test["blocks"][0]["expectException"] = "BlockException.GAS_USED_OVERFLOW".into();
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("one.json"), serde_json::json!({ "one": test }).to_string()).unwrap();
    let report = conformance(directory.path().to_owned());
    assert!(!report.passed());
    assert_eq!(report.tally("Paris").wrongly_produced, 1, "{report}");
    assert_eq!(report.failures()[0].class.as_deref(), Some("BlockException.GAS_USED_OVERFLOW"));
}

#[test]
fn block_whose_pre_state_is_another_is_not_produced() {
    let mut tests: Value = serde_json::from_slice(&fs::read(make::fixtures().join("valid.json")).unwrap()).unwrap();
    let mut test = tests["blocks_of_Prague"].take();
    // The probe's slot 2 is flipped by each call, so that another value before the first changes the gas.
    test["pre"]["0x00000000000000000000000000000000000c0de1"]["storage"]["0x2"] = "0x1".into();
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("one.json"), serde_json::json!({ "one": test }).to_string()).unwrap();
    let report = conformance(directory.path().to_owned());
    assert_eq!(report.tally("Prague").not_produced, 2, "{report}");
    assert_eq!(report.disagreements().len(), 2, "{report}");
}
