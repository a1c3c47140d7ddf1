//! The gallery's rules by the commands of their pages.
//!
//! The rule in Go depends on go-ethereum. Where no module proxy is reached a double in `tests/twins/go/go-ethereum` takes its place; with
//! `REFINER_GO_MODULES=1` the real package is fetched and the same is compared.

use std::{collections::BTreeMap, env, fs, path::Path};

use refiner_testkit::real;
use serde_json::Value;

use crate::{
    languages::{has_go, paste},
    program::{refiner, samples_directory, text},
};

/// Rows of an output by block and log.
fn rows(directory: &Path, output: &str) -> BTreeMap<(u64, u64), Value> {
    let files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| text(path).ends_with(output));
    let lines = files.flat_map(|path| {
        let rows = fs::read_to_string(path).unwrap();
        rows.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect::<Vec<_>>()
    });
    let place = |row: &Value| (row["blockNumber"].as_u64().unwrap(), row["logIndex"].as_u64().unwrap());
    lines.map(|row| (place(&row), row)).collect()
}

#[test]
fn rule_with_abi_of_go_ethereum_has_the_transfers_of_the_built_in_rule() {
    if !has_go() {
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let module = if env::var_os("REFINER_GO_MODULES").is_some() {
        "go mod tidy".to_owned()
    } else {
        let double = root.join("tests/twins/go/go-ethereum");
        format!("go mod edit -replace github.com/ethereum/go-ethereum='{}'", double.display())
    };
    let directory = tempfile::tempdir().unwrap();
    let lines = format!(
        "cp -r '{root}/guest-sdk/gallery/named-events' . && cd named-events\n\
         go mod edit -replace refiner.internal/sdk='{root}/guest-sdk/go'\n\
         {module}\n\
         go test .\n\
         refiner rule build\n\
         refiner rule check named-events.wasm",
        root = root.display()
    );
    let shown = paste(&lines, directory.path());
    assert!(shown.contains("ok  \trefiner.internal/gallery/named-events"), "{shown}");

    let (rule, out) = (directory.path().join("named-events/named-events.wasm"), directory.path().join("out"));
    let inputs: Vec<_> = [Some(samples_directory()), real::directory()].into_iter().flatten().collect();
    let chain = samples_directory().join("devnet-1337.json");
    let mut arguments =
        vec!["replay", "--rule", text(&rule), "--rule", "token-transfers", "--chain-config", text(&chain)];
    arguments.extend(["--out", text(&out)]);
    arguments.extend(inputs.iter().map(|input| text(input)));
    refiner(&arguments).expect(0);

    let (named, expected) = (rows(&out, "named-events.ndjson"), rows(&out, "token-transfers.ndjson"));
    let single = |row: &&Value| row["standard"] == "ERC-20" || row["standard"] == "ERC-721";
    let mut compared = 0;
    for transfer in expected.values().filter(single) {
        let place = (transfer["blockNumber"].as_u64().unwrap(), transfer["logIndex"].as_u64().unwrap());
        let row = named.get(&place).unwrap_or_else(|| panic!("no row of {transfer}"));
        assert_eq!((&row["contract"], &row["event"]), (&transfer["token"], &Value::from("Transfer")));
        let arguments: Value = serde_json::from_str(row["arguments"].as_str().unwrap()).unwrap();
        assert_eq!((&arguments["from"], &arguments["to"]), (&transfer["from"], &transfer["to"]), "{row}");
        match transfer["standard"].as_str() {
            Some("ERC-20") => assert_eq!(arguments["value"], transfer["amount"], "{row}"),
            _ => assert_eq!(arguments["tokenId"], transfer["tokenId"], "{row}"),
        }
        compared += 1;
    }
    assert!(compared > 0 && named.len() >= compared, "{compared} of {}", named.len());
}
