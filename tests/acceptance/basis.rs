//! Specimens of a producer that exports no state, as users meet them: what stands in, what does not, and what it is called.

use std::{fs, path::PathBuf};

use refiner_specimen::{Specimen, StateReads, decode, encode};
use refiner_testkit::producer;
use serde_json::Value;
use tempfile::TempDir;

use crate::program::{Ended, refiner, samples_directory, text};

/// The words for a block whose producer exported no state.
const NO_STATE: &str = "the producer exported no state: 0 accounts read for";

/// A directory with one specimen and the configuration of its chain.
struct Given {
    _directory: TempDir,
    specimen: PathBuf,
    config: PathBuf,
}

impl Given {
    /// A shape of the kit, changed.
    fn of(name: &str, change: impl FnOnce(&mut Specimen)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let [specimen, config] = ["specimen.avro", "chain.json"].map(|name| directory.path().join(name));
        fs::write(&config, producer::config().to_string()).unwrap();
        let shape = producer::shapes().unwrap().into_iter().find(|shape| shape.name == name).unwrap();
        let mut changed = shape.specimen;
        change(&mut changed);
        fs::write(&specimen, encode(&changed, changed.layout).unwrap()).unwrap();
        Self { _directory: directory, specimen, config }
    }

    /// No state, and receipts.
    fn with_receipts() -> Self {
        Self::of("main-cancun", |_| {})
    }

    /// No state and no receipts.
    fn bare() -> Self {
        Self::of("main-cancun", |specimen| specimen.block.receipts.clear())
    }

    /// A command over the specimen.
    fn run(&self, command: &[&str], more: &[&str]) -> Ended {
        refiner(&[command, &[text(&self.specimen), "--chain-config", text(&self.config)], more].concat())
    }

    fn replay(&self, rule: &str, more: &[&str], code: i32) -> Value {
        self.run(&["replay"], &[&["--rule", rule, "--json"], more].concat()).expect(code).json_lines().remove(0)
    }
}

#[test]
fn report_states_the_basis_and_the_reason_that_the_block_was_not_executed() {
    let given = Given::with_receipts();
    for way in [&[][..], &["--isolate"]] {
        let line = given.replay("block-result", way, 0);
        assert_eq!((&line["basis"], &line["stateExported"]), (&"receipts".into(), &false.into()), "{line}");
        assert!(line["basisReason"].as_str().unwrap().contains(NO_STATE), "{line}");
        assert!(line["reasonClass"].is_null() && line["basisPolicy"].is_null(), "{line}");
        let execution = &line["checks"]["execution"];
        assert_eq!(execution["outcome"], "notApplicable", "{line}");
    }
    let line = given.run(&["rule", "run", "block-result"], &["--json"]).expect(0).json_lines().remove(0);
    assert_eq!(line["basis"], "receipts", "{line}");
    assert!(line["basisReason"].as_str().unwrap().contains(NO_STATE), "{line}");
}

#[test]
fn people_read_where_receipts_stood_in_and_why() {
    let given = Given::with_receipts();
    let table = given.run(&["replay"], &[]).expect(0).text();
    assert!(table.contains("from receipts") && table.contains("1 of them from receipts"), "{table}");
    let shown = given.run(&["rule", "run", "block-result"], &[]).expect(0).text();
    assert!(shown.contains(&format!("basis     receipts: unsupported: {NO_STATE}")), "{shown}");
    let executed = Given::of("fix-bpo1-p256", |_| {}).run(&["replay"], &[]).expect(0).text();
    assert!(!executed.contains("receipts"), "{executed}");
}

#[test]
fn forced_basis_is_another_identity_and_stands_in_the_report() {
    let given = Given::of("fix-bpo1-p256", |_| {});
    let [auto, execution, receipts] =
        ["auto", "execution", "receipts"].map(|basis| given.replay("block-result", &["--basis", basis], 0));
    let of = |key: &str| [&auto, &execution, &receipts].map(|line| line[key].clone());
    assert_eq!(of("basis"), ["execution", "execution", "receipts"].map(Value::from));
    assert_eq!(of("basisPolicy"), [Value::Null, "execution".into(), "receipts".into()]);
    assert!(receipts["basisReason"].is_null(), "{receipts}");
    let [one, other, third] = of("ruleIdentity");
    assert!(one != other && other != third && one != third);
    let bytes = |line: &Value| line["artifacts"][0]["sha256"].clone();
    assert_eq!(bytes(&auto), bytes(&execution), "equal where both execute");
    let refused = Given::with_receipts().replay("block-result", &["--basis", "execution"], 3);
    assert!(refused["message"].as_str().unwrap().contains(NO_STATE), "{refused}");
}

#[test]
fn specimen_without_state_and_receipts_is_a_class_of_its_own_everywhere() {
    let given = Given::bare();
    for way in [&[][..], &["--isolate"]] {
        let line = given.replay("block-result", way, 3);
        assert_eq!((&line["verdict"], &line["reasonClass"]), (&"unsupported".into(), &"noState".into()), "{line}");
        let message = line["message"].as_str().unwrap();
        assert!(message.contains(NO_STATE) && message.contains("carries no receipts"), "{line}");
    }
    let totals = given.run(&["replay"], &[]).expect(3).text();
    assert!(totals.contains("1 of them because the producer exported no state"), "{totals}");

    let inspected = refiner(&["specimen", "inspect", text(&given.specimen)]).expect(0).text();
    assert!(inspected.contains(NO_STATE), "{inspected}");
    let inspected = refiner(&["specimen", "inspect", "--json", text(&given.specimen)]).expect(0).json_lines();
    assert_eq!(inspected[0]["stateExported"], false);
    let checked = given.run(&["specimen", "check"], &["--execute", "--json"]).expect(3).json_lines();
    assert_eq!((&checked[0]["reasonClass"], &checked[0]["stateExported"]), (&"noState".into(), &false.into()));
    let whole = Given::of("fix-bpo1-p256", |_| {});
    let inspected = refiner(&["specimen", "inspect", "--json", text(&whole.specimen)]).expect(0).json_lines();
    assert_eq!(inspected[0]["stateExported"], true);
}

#[test]
fn check_prints_why_receipts_stood_in_for_the_execution() {
    let given = Given::with_receipts();
    let checked = given.run(&["specimen", "check"], &["--execute"]).expect(0).text();
    let line = checked.lines().find(|line| line.trim_start().starts_with("execution ")).unwrap();
    assert!(line.contains(" - ") && line.contains(NO_STATE), "{line}");
    let line = given.run(&["specimen", "check"], &["--execute", "--json"]).expect(0).json_lines().remove(0);
    assert_eq!(line["basis"], "receipts");
    assert!(line["basisReason"].as_str().unwrap().contains(NO_STATE), "{line}");
}

#[test]
fn document_of_an_era_takes_state_unless_the_setting_permits_one_without() {
    // Without blobs: the blob gas of what is not executed would not be the header's.
    let mut sample = decode(&fs::read(samples_directory().join("1-15600000.avro")).unwrap()).unwrap();
    sample.block.state = StateReads::default();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("specimen.avro");
    fs::write(&path, encode(&sample, sample.layout).unwrap()).unwrap();
    let replay = |more: &[&str], code| {
        let era = ["replay", text(&path), "--format", "evm-server@c", "--json"];
        refiner(&[&era[..], more].concat()).expect(code).json_lines().remove(0)
    };
    for way in [&[][..], &["--isolate"]] {
        let refused = replay(way, 3);
        assert_eq!((&refused["verdict"], &refused["reasonClass"]), (&"unsupported".into(), &"noState".into()));
        let permitted = replay(&[&["--stateless-eras"], way].concat(), 0);
        assert_eq!((&permitted["verdict"], &permitted["statelessEras"]), (&"produced".into(), &true.into()));
        assert_ne!(refused["ruleIdentity"], permitted["ruleIdentity"]);
    }
    let help = refiner(&["replay", "--help"]).expect(0).text().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(help.contains("no receipts, as if no transaction of the block had been valid"), "{help}");
}

#[test]
fn rule_that_reads_state_is_unsupported_by_the_function_and_one_that_does_not_has_rows() {
    let given = Given::with_receipts();
    for way in [&[][..], &["--isolate"]] {
        let refused = given.replay("state-access", way, 3);
        assert_eq!((&refused["verdict"], &refused["reasonClass"]), (&"unsupported".into(), &"noState".into()));
        assert!(refused["message"].as_str().unwrap().contains(&format!("storage-reads: {NO_STATE}")), "{refused}");
        for rule in ["token-transfers", "transaction-summary"] {
            assert_eq!(given.replay(rule, way, 0)["verdict"], "produced", "{rule}");
        }
    }
    let refused = given.run(&["rule", "run", "state-access"], &["--json"]).expect(3).json_lines().remove(0);
    assert!(refused["message"].as_str().unwrap().contains("storage-reads: "), "{refused}");
}
