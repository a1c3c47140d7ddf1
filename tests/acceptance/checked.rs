//! Nothing comes of a specimen that contradicts itself, and the terms on which that is judged belong to a run's identity.

use std::{
    fs,
    path::{Path, PathBuf},
};

use refiner_specimen::Specimen;
use serde_json::Value;

use crate::{
    component::component,
    program::{command, refiner, samples, samples_directory, text},
};

/// Reads one page of transactions and is content. It executes nothing.
const READS_TRANSACTIONS: &str = r#"
(import "refiner:rule/specimen" "[method]block-specimen.transactions" (func $transactions (param i32 i32 i32 i32)))
(func (export "refiner:rule/rule#refine") (param i32) (result i32)
  (call $transactions (local.get 0) (i32.const 0) (i32.const 1) (i32.const 512))
  (call $ok (local.get 0) (i64.const 1)))"#;

/// A sample with one change, in a file of its own.
fn tampered(directory: &Path, sample: &str, change: impl FnOnce(&mut Specimen)) -> PathBuf {
    let mut specimen = refiner_specimen::decode(&fs::read(samples_directory().join(sample)).unwrap()).unwrap();
    change(&mut specimen);
    let path = directory.join(sample);
    fs::write(&path, refiner_specimen::encode(&specimen, specimen.layout).unwrap()).unwrap();
    path
}

/// The built rules as files, which are strangers' to the program and may be isolated.
fn rules() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/rules");
    ["block-result", "state-access", "token-transfers", "transaction-summary"]
        .map(|rule| directory.join(format!("{rule}.wasm")))
        .into()
}

/// The lines of a replay by every rule, without what differs from run to run.
fn replay(specimen: &Path, code: i32, more: &[&str]) -> Vec<Value> {
    let rules = rules();
    let mut arguments = vec!["replay", text(specimen), "--json"];
    for rule in &rules {
        arguments.extend(["--rule", text(rule)]);
    }
    arguments.extend(more);
    let mut lines = refiner(&arguments).expect(code).json_lines();
    for line in &mut lines {
        line.as_object_mut().unwrap().remove("elapsedMs");
    }
    lines
}

#[test]
fn tampered_specimen_is_rejected_by_every_rule_in_every_format_wherever_it_runs() {
    let directory = tempfile::tempdir().unwrap();
    let withdrawal = tampered(directory.path(), "1-17100000.avro", |specimen| {
        specimen.block.withdrawals.as_mut().unwrap()[0].amount = 32_000_000_000_000;
    });
    for format in ["canonical", "evm-server@d"] {
        let here = replay(&withdrawal, 3, &["--format", format]);
        for line in &here {
            assert_eq!(line["verdict"], "rejected", "{line}");
            let message = line["message"].as_str().unwrap();
            assert!(message.contains("the block contradicts itself: withdrawalsRoot failed: stated 0x"), "{message}");
        }
        // A rule that executes no block never began.
        assert_eq!(here[1]["rule"], "state-access");
        assert_eq!(here[1]["usage"]["fuel"]["used"], 0);
        assert_eq!(here[1]["checks"]["withdrawalsRoot"]["outcome"], "failed");
        assert_eq!(here, replay(&withdrawal, 3, &["--format", format, "--isolate"]), "{format}");
    }
}

#[test]
fn wrong_sender_rejects_the_run_of_a_rule_that_reads_transactions_unless_senders_are_taken_as_stated() {
    let directory = tempfile::tempdir().unwrap();
    let swapped = tampered(directory.path(), "1-17100000.avro", |specimen| {
        let other = alloy_primitives::Address::repeat_byte(0x11);
        specimen.block.senders[0] = other;
        specimen.block.transactions[0].from = Some(other);
    });
    let rule = directory.path().join("reads.wasm");
    fs::write(&rule, component(READS_TRANSACTIONS)).unwrap();
    for isolate in [&[][..], &["--isolate"]] {
        let base = ["replay", text(&swapped), "--json", "--rule", text(&rule), "--rule", "state-access"];
        let lines = refiner(&[&base[..], isolate].concat()).expect(3).json_lines();
        assert_eq!((&lines[0]["verdict"], &lines[1]["verdict"]), (&"rejected".into(), &"produced".into()));
        let message = lines[0]["message"].as_str().unwrap();
        assert!(message.contains("the block contradicts itself: senders failed"), "{message}");
        assert!(lines[0].get("senders").is_none() && lines[1]["checks"].get("senders").is_none(), "{lines:?}");

        let stated = refiner(&[&base[..], isolate, &["--senders", "stated"]].concat()).expect(0).json_lines();
        assert_eq!((&stated[0]["verdict"], &stated[0]["senders"]), (&"produced".into(), &"stated".into()));
        assert_ne!(stated[0]["ruleIdentity"], lines[0]["ruleIdentity"]);
    }
    refiner(&["specimen", "check", text(&swapped)]).expect(3);
    refiner(&["specimen", "check", text(&swapped), "--senders", "stated"]).expect(0);
}

/// A block of the Cancun fork in a layout that drops the blob hashes: its root proves no hash of a transaction.
#[test]
fn transaction_that_is_not_its_sender_s_rejects_every_rule_that_gives_its_hash_where_no_root_proves_it() {
    let directory = tempfile::tempdir().unwrap();
    let forged = tampered(directory.path(), "1-19435000.avro", |specimen| {
        let transactions = &mut specimen.block.transactions;
        assert!(transactions.iter().any(|transaction| transaction.tx_type == 3));
        let signed = transactions.iter_mut().find(|transaction| transaction.tx_type != 3).unwrap();
        signed.input = [&signed.input[..], &[0]].concat().into();
    });
    let rules = ["logs", "token-transfers", "traces", "transaction-summary"].map(|rule| ["--rule", rule]).concat();
    for isolate in [&[][..], &["--isolate"]] {
        let lines =
            refiner(&[&["replay", text(&forged), "--json"], &rules[..], isolate].concat()).expect(3).json_lines();
        for line in &lines {
            let message = line["message"].as_str().unwrap();
            assert!(message.contains("the block contradicts itself: senders failed"), "{line}");
        }
        assert_eq!(lines.len(), 4);
    }
    let honest = samples_directory().join("1-19435000.avro");
    for line in refiner(&[&["replay", text(&honest), "--json"], &rules[..]].concat()).expect(0).json_lines() {
        // The signatures of blob transactions need what the layout dropped; the others were compared.
        assert_eq!(line["checks"]["senders"]["outcome"], "notCheckable", "{line}");
    }
}

#[test]
fn terms_are_part_of_the_identity_however_they_were_given() {
    let sample = text(&samples()[0]).to_owned();
    let line = |arguments: &[&str], environment: &[(&str, &str)]| {
        let base = ["replay", &sample, "--json"];
        let output = command(&[&base, arguments].concat()).envs(environment.iter().copied()).output().unwrap();
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let default = line(&[], &[]);
    let identity = |line: &Value| line["ruleIdentity"].clone();
    assert!(default.get("senders").is_none() && default.get("gasBound").is_none());
    for (arguments, environment) in [
        (&["--senders", "recovered", "--gas-bound", "1000000000"][..], &[][..]),
        (&[], &[("REFINER_SENDERS", "recovered"), ("REFINER_GAS_BOUND", "1000000000")]),
    ] {
        assert_eq!(identity(&line(arguments, environment)), identity(&default), "{arguments:?} {environment:?}");
    }
    let bounded = line(&["--gas-bound", "999999999"], &[]);
    assert_eq!(bounded["gasBound"], 999_999_999);
    assert_ne!(identity(&bounded), identity(&default));
    assert_eq!(identity(&bounded), identity(&line(&[], &[("REFINER_GAS_BOUND", "999999999")])));

    let info = |more: &[&str]| refiner(&[&["rule", "info", "block-result", "--json"], more].concat()).json_lines();
    let shown = info(&["--gas-bound", "999999999"]).remove(0);
    assert_eq!((&shown["gasBound"], shown.get("senders")), (&999_999_999.into(), None));
    assert_ne!(shown["ruleIdentity"], info(&[])[0]["ruleIdentity"]);
}

#[test]
fn block_beyond_the_bound_is_unsupported_in_process_and_in_a_worker_alike() {
    let sample = &samples_directory().join("1-15600000.avro");
    let block_result = text(&rules()[0]).to_owned();
    let run = |more: &[&str]| {
        let base = ["replay", text(sample), "--json", "--rule", &block_result, "--gas-bound", "1000"];
        let mut line = refiner(&[&base, more].concat()).expect(3).json_lines().remove(0);
        line.as_object_mut().unwrap().remove("elapsedMs");
        line
    };
    let here = run(&[]);
    assert_eq!(here["verdict"], "unsupported");
    assert!(here["message"].as_str().unwrap().contains("execution too large"), "{here}");
    assert_eq!(here, run(&["--isolate"]));
    let shown = refiner(&["rule", "run", "block-result", text(sample), "--gas-bound", "1000"]).expect(3).text();
    assert!(shown.contains("gasBound  1000") && shown.contains("execution too large"), "{shown}");
}

#[test]
fn run_of_a_rule_reports_the_checks_behind_its_output() {
    let sample = text(&samples()[0]).to_owned();
    let replayed =
        refiner(&["replay", &sample, "--json", "--rule", text(&rules()[0])]).expect(0).json_lines().remove(0);
    let run = refiner(&["rule", "run", text(&rules()[0]), &sample, "--json"]).expect(0).json_lines().remove(0);
    for line in [&replayed, &run] {
        for name in ["blockHash", "transactionsRoot", "gasUsed", "logsBloom", "receiptsRoot", "senders"] {
            assert_eq!(line["checks"][name]["outcome"], "passed", "{name}: {line}");
        }
        assert!(line["unproven"].is_array() && line["supplied"].is_array(), "{line}");
    }
    assert_eq!(replayed["checks"], run["checks"]);
}

#[test]
fn daemon_with_a_key_refuses_terms_that_leave_something_unchecked() {
    let key = "7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6";
    let node = ["run", "--network", "moonbeam", "--rpc", "http://127.0.0.1:9"];
    for (terms, environment, problem) in [
        (&["--senders", "stated"][..], None, "senders: stated is refused where results are proved"),
        (&["--gas-bound", "5"], None, "gas-bound: 5 is refused where results are proved"),
        (&[], Some(("REFINER_SENDERS", "stated")), "senders: stated is refused where results are proved"),
        (&[], Some(("REFINER_GAS_BOUND", "many")), "gas-bound: expected a number"),
    ] {
        let mut program = command(&[&node, terms].concat());
        let output = program.env("BLOCK_RESULT_OPERATOR_PRIVATE_KEY", key).envs(environment).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(problem), "{problem}: {stderr}");
    }
}
