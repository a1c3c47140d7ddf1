//! Inputs of the kinds that once had a wrong answer, with the right one: in process, in a worker, and from `evm serve`.

mod answers;
mod bounds;
mod escaped;
mod found;
mod node;
mod producer;
mod rules;
mod served;
mod transfers;

use std::{fs, path::Path};

use alloy_primitives::keccak256;
use refiner_testkit::{
    Contract,
    case::{Case, cases},
    real,
};
use serde_json::Value;

use crate::program::{refiner, text};
use answers::{ANSWERS, Answer};

/// The ways in which `replay` runs a built-in rule.
const WAYS: [&[&str]; 2] = [&[], &["--isolate"]];

/// Runs `block-result` over a case and gives the line that was reported.
fn replay(case: &Case, options: &[&str]) -> Value {
    let directory = tempfile::tempdir().unwrap();
    write(case, directory.path());
    lines(directory.path(), options).remove(0)
}

/// Runs `block-result` over every specimen of a directory, in order of their names.
fn lines(directory: &Path, options: &[&str]) -> Vec<Value> {
    let ended = refiner(&[&["replay", text(directory), "--json", "--rule", "block-result"], options].concat());
    assert!([0, 3].contains(&ended.code), "{}\n{}", ended.text(), ended.stderr);
    ended.json_lines()
}

fn write(case: &Case, directory: &Path) {
    fs::write(directory.join(format!("{}.avro", case.name)), &case.bytes).unwrap();
}

/// Complains about a line that is not as the answer demands.
fn complaint(answer: &Answer, line: &Value) -> Option<String> {
    let message = line["message"].as_str().unwrap_or_default();
    let lacking: Vec<_> = answer.words.iter().filter(|word| !message.contains(**word)).collect();
    let right = line["verdict"] == answer.verdict && lacking.is_empty();
    let failure = line["failure"].as_str().unwrap_or_default();
    (!right).then(|| {
        let Answer { name, verdict, .. } = answer;
        format!("{name}: {} instead of {verdict}, without {lacking:?}: {message}{failure}", line["verdict"])
    })
}

#[test]
fn every_case_has_its_right_verdict_in_process_and_isolated() {
    let directory = tempfile::tempdir().unwrap();
    let cases = cases().unwrap();
    for case in &cases {
        write(case, directory.path());
    }
    let mut answers: Vec<_> = ANSWERS.iter().collect();
    answers.sort_by_key(|answer| format!("{}.avro", answer.name));
    for options in WAYS {
        let lines = lines(directory.path(), options);
        assert_eq!(lines.len(), cases.len());
        let named = |(answer, line): (&&Answer, &Value)| {
            assert!(line["specimen"].as_str().unwrap().ends_with(&format!("/{}.avro", answer.name)), "{line}");
            complaint(answer, line)
        };
        assert_eq!(answers.len(), lines.len(), "a case without an answer, or the reverse");
        let complaints: Vec<_> = answers.iter().zip(&lines).filter_map(named).collect();
        assert!(complaints.is_empty(), "{options:?}:\n{}", complaints.join("\n"));
    }
}

#[test]
fn missing_code_is_named_by_its_hash_and_account() {
    for (name, missing) in [
        ("size-of-missing-code-without-receipts", Contract::Statue),
        ("call-of-missing-code-without-receipts", Contract::Herald),
    ] {
        let case = cases().unwrap().into_iter().find(|case| case.name == name).unwrap();
        let line = replay(&case, &[]);
        for word in [keccak256(missing.code()).to_string(), missing.address().to_string()] {
            assert!(line["message"].as_str().unwrap().contains(&word), "{line}");
        }
    }
}

/// Rules that give numbers which the codec 0.2 rounds, and rules that give none.
const ROUNDED: [&str; 4] = ["transaction-summary", "state-access", "state-diffs", "traces"];
const EXACT: [&str; 2] = ["logs", "access-sets"];

#[test]
fn rounded_number_is_given_to_no_rule() {
    let case = cases().unwrap().into_iter().find(|case| case.name == "codec-0.2").unwrap();
    let directory = tempfile::tempdir().unwrap();
    write(&case, directory.path());
    let real = real::cases("real").unwrap().unwrap_or_default();
    let real = real.into_iter().find(|file| file.name() == "1-15127614").map(|file| file.path);
    for specimen in [directory.path().join("codec-0.2.avro")].into_iter().chain(real) {
        let rules = ROUNDED.iter().chain(&EXACT).flat_map(|rule| ["--rule", rule]);
        let arguments: Vec<_> = ["replay", text(&specimen), "--json"].into_iter().chain(rules).collect();
        for line in refiner(&arguments).expect(3).json_lines() {
            let is_exact = EXACT.iter().any(|rule| line["rule"] == *rule);
            let message = line["message"].as_str().unwrap_or_default();
            let right = match is_exact {
                true => line["verdict"] == "produced",
                false => line["verdict"] == "unsupported" && message.contains("0.2 rounds numbers of 2^53 and more"),
            };
            assert!(right, "{line}");
        }
    }
}
