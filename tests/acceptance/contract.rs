//! Components that were built for version 1.0 of the contract, kept as bytes: they run on with the same outcome.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Map, Value, json};

use crate::program::{refiner, samples_directory, text};

/// The rules of that time.
const RULES: [&str; 4] = ["block-result", "state-access", "token-transfers", "transaction-summary"];

fn kept() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/contract/1.0.0")
}

/// Verdict, identity, fuel and artifacts of a run, as the program of that time reported them.
fn outcome(line: &Value) -> Value {
    let artifacts = line["artifacts"].as_array().unwrap().iter();
    // It wrote hashes without `0x`.
    let sha256 = |artifact: &Value| artifact["sha256"].as_str().unwrap().trim_start_matches("0x").into();
    let artifacts: Map<String, Value> =
        artifacts.map(|artifact| (artifact["name"].as_str().unwrap().to_owned(), sha256(artifact))).collect();
    let specimen = Path::new(line["specimen"].as_str().unwrap()).file_name().unwrap().to_str().unwrap();
    json!({
        "specimen": specimen, "rule": line["rule"], "identity": line["ruleIdentity"], "verdict": line["verdict"],
        "fuel": line["usage"]["fuel"]["used"], "artifacts": artifacts,
    })
}

fn outcomes(more: &[&str]) -> Vec<Value> {
    let components: Vec<_> = RULES.iter().map(|rule| kept().join(format!("{rule}.wasm"))).collect();
    let (samples, devnet) = (samples_directory(), samples_directory().join("devnet-1337.json"));
    let mut arguments = vec!["replay", text(&samples), "--chain-config", text(&devnet), "--json"];
    for component in &components {
        arguments.extend(["--rule", text(component)]);
    }
    arguments.extend(more);
    let lines = refiner(&arguments).expect(0).json_lines();
    let mut outcomes: Vec<_> = lines.iter().filter(|line| line["rule"].is_string()).map(outcome).collect();
    outcomes.sort_by_key(|outcome| [outcome["rule"].to_string(), outcome["specimen"].to_string()]);
    outcomes
}

#[test]
fn components_of_contract_1_0_run_on_with_the_same_identity_fuel_and_output_wherever_they_run() {
    let expected: Vec<Value> = serde_json::from_slice(&fs::read(kept().join("expected.json")).unwrap()).unwrap();
    assert_eq!(expected.len(), 32);
    assert_eq!(outcomes(&[]), expected);
    assert_eq!(outcomes(&["--isolate"]), expected);
}
