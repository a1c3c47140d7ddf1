//! Rules that execute blocks under other conditions: their results are marked wherever they are told of, and the daemon refuses them.

use std::{fs, path::Path};

use serde_json::Value;

use crate::{
    component,
    program::{refiner, samples_directory, text},
};

/// The contract that the first transaction of the sample calls, in words of the contract between host and rules.
fn called(sample: &Path) -> (String, String) {
    let specimen = refiner_specimen::decode(&fs::read(sample).unwrap()).unwrap();
    let block = &specimen.block;
    let has_code =
        |address| block.state.accounts.iter().any(|read| read.address == address && !is_empty(read.code_hash));
    let called = block.transactions.iter().filter_map(|transaction| transaction.to).find(|to| has_code(*to)).unwrap();
    let word = |from: usize, to: usize| alloy_primitives::hex::encode(&called[from..to]);
    (
        format!("0x{called:x}"),
        format!("(i64.const 0x{}) (i64.const 0x{}) (i32.const 0x{})", word(0, 8), word(8, 16), word(16, 20)),
    )
}

fn is_empty(hash: alloy_primitives::B256) -> bool {
    hash == alloy_primitives::KECCAK256_EMPTY || hash.is_zero()
}

/// A rule that sets this code, executes, and ends with words of its own where there is no execution.
fn rule(directory: &Path, name: &str, address: &str, code: &str) -> String {
    let fields = format!(
        r#"(import "refiner:rule/what-if" "[constructor]overrides" (func $new (result i32)))
(import "refiner:rule/what-if" "[method]overrides.code" (func $code (param i32 i64 i64 i32 i32 i32)))
(import "refiner:rule/what-if" "execute" (func $execute (param i32 i32 i32)))
(import "refiner:rule/evm" "execute" (func $canonical (param i32 i32 i32 i32)))
(func (export "refiner:rule/rule#refine") (param i32) (result i32)
  (local $overrides i32)
  (local.set $overrides (call $new))
  (call $code (local.get $overrides) {address} (i32.const 256) (i32.const 4))
  (call $execute (local.get 0) (local.get $overrides) (i32.const 512))
  (if (i32.load8_u (i32.const 512)) (then
    (return (call $err (local.get 0) (i32.const 0) (i32.const 264) (i32.const 12)))))
  (call $ok (local.get 0) (i64.const 7)))
(data (i32.const 256) "{code}")
(data (i32.const 264) "my own words")"#
    );
    let path = directory.join(name).with_extension("wasm");
    fs::write(&path, component::component(&fields)).unwrap();
    text(&path).to_owned()
}

/// SLOAD of slot 5, STOP.
const READS_A_SLOT: &str = "\\60\\05\\54\\00";
/// STOP.
const STOPS: &str = "\\00\\00\\00\\00";

#[test]
fn block_that_leaves_the_specimen_under_an_override_ends_in_a_verdict_that_names_where() {
    let directory = tempfile::tempdir().unwrap();
    let sample = samples_directory().join("1-17100000.avro");
    let (called, address) = called(&sample);
    let leaves = rule(directory.path(), "leaves", &address, READS_A_SLOT);
    for isolate in [&[][..], &["--isolate"]] {
        let ended = refiner(&[&["replay", text(&sample), "--rule", &leaves, "--json"], isolate].concat()).expect(3);
        let line: Value = serde_json::from_str(ended.text().trim()).unwrap();
        let slot = format!("{:0>64}", "5");
        let message = line["message"].as_str().unwrap();
        assert!(message.contains("left the specimen: transaction "), "{message}");
        assert!(message.ends_with(&format!(" reads slot 0x{slot} of {called}")), "{message}");
        assert_eq!((&line["verdict"], &line["hypothetical"]), (&"unsupported".into(), &true.into()), "{line}");
    }
}

#[test]
fn hypothetical_results_are_marked_in_reports_and_in_the_manifest_of_a_data_set_and_others_are_not() {
    let directory = tempfile::tempdir().unwrap();
    let sample = samples_directory().join("1-17100000.avro");
    let (_, address) = called(&sample);
    let stops = rule(directory.path(), "stops", &address, STOPS);
    let out = directory.path().join("out");
    let arguments = ["replay", text(&sample), "--rule", &stops, "--rule", "logs", "--out", text(&out), "--json"];
    let lines = refiner(&arguments).expect(0).json_lines();
    let mark = |rule: &str| lines.iter().find(|line| line["rule"] == rule).unwrap()["hypothetical"].clone();
    assert_eq!((mark("case"), mark("logs")), (true.into(), Value::Null));
    let manifest: Value = serde_json::from_slice(&fs::read(out.join("_manifest.json")).unwrap()).unwrap();
    let rules = manifest["terms"]["rules"].as_array().unwrap();
    let mark = |name: &str| rules.iter().find(|rule| rule["name"] == name).unwrap()["hypothetical"].clone();
    assert_eq!((mark("case"), mark("logs")), (true.into(), Value::Null));
    // Everything that is in the manifest can be computed again.
    refiner(&["verify", text(&out.join("_manifest.json")), text(&sample), "--rule", &stops, "--rule", "logs"])
        .expect(0);

    for command in [vec!["rule", "info", &stops, "--json"], vec!["rule", "run", &stops, text(&sample), "--json"]] {
        let shown = refiner(&command).expect(0).text();
        let shown: Value = serde_json::from_str(shown.trim()).unwrap();
        assert_eq!(shown["hypothetical"], true, "{command:?}: {shown}");
    }
    let plan = refiner(&["replay", text(&sample), "--rule", &stops, "--dry-run"]).expect(0).text();
    assert!(plan.lines().any(|line| line.starts_with("rule") && line.ends_with(", hypothetical")), "{plan}");
}

#[test]
fn daemon_refuses_a_rule_whose_results_are_hypothetical_before_it_looks_at_a_chain() {
    let directory = tempfile::tempdir().unwrap();
    let stops = rule(directory.path(), "stops", "(i64.const 1) (i64.const 2) (i32.const 3)", STOPS);
    let data = directory.path().join("data");
    let network = ["--network", "moonbeam", "--rpc", "http://127.0.0.1:9", "--prove", "none", "--data", text(&data)];
    let refused = refiner(&[&["run", "--rule", &stops], &network[..]].concat()).expect(6).stderr;
    assert!(refused.contains("case executes blocks under other conditions than their own"), "{refused}");
    assert!(refused.contains("nothing of it may be pinned or proved"), "{refused}");
    assert!(refused.contains("run it by `refiner replay`"), "{refused}");
}
