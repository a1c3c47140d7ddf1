//! The rules `traces`, `state-diffs` and `access-sets` against a node's own tracers, over blocks of transactions of every kind.

mod block;
mod comparison;
mod contracts;

use std::collections::BTreeSet;

use refiner_testchain::Anvil;
use serde_json::{Value, json};

use crate::program::{refiner, text};
use contracts::Contracts;

/// Id of the chain.
const CHAIN_ID: u64 = 1_338;
/// Transactions that a hard fork's blocks have together at the least.
const TRANSACTIONS: usize = 200;
/// Blocks of a hard fork.
const BLOCKS: usize = 2;

/// The chain's schedule up to a hard fork.
fn chain_config(fork: &str) -> Value {
    let mut config = json!({"chainId": CHAIN_ID, "terminalTotalDifficulty": 0, "shanghaiTime": 0});
    if fork == "cancun" {
        config["cancunTime"] = json!(0);
    }
    config
}

async fn compare(fork: &str) {
    let arguments =
        ["--chain-id", &CHAIN_ID.to_string(), "--hardfork", fork, "--gas-limit", "100000000", "--order", "fifo"];
    let Some(anvil) = Anvil::start_or_skip(&arguments).unwrap() else { return };
    let contracts = Contracts::deploy(&anvil).await;
    anvil.rpc("evm_setAutomine", json!([false])).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("chain.json");
    std::fs::write(&config, chain_config(fork).to_string()).unwrap();
    let (mut transactions, mut kinds) = (0, BTreeSet::new());
    for number in 0..BLOCKS {
        contracts.send_all(&anvil, number).await;
        anvil.rpc("evm_mine", json!([])).await.unwrap();
        let block = anvil.rpc("eth_getBlockByNumber", json!(["latest", true])).await.unwrap();
        let hash = block["hash"].clone();
        let trace = |tracer: &str, config: Value| {
            anvil.rpc("debug_traceBlockByHash", json!([hash, {"tracer": tracer, "tracerConfig": config}]))
        };
        let calls = trace("callTracer", json!({})).await.unwrap();
        let before = trace("prestateTracer", json!({})).await.unwrap();
        let changes = trace("prestateTracer", json!({"diffMode": true})).await.unwrap();
        let specimen = block::specimen(&anvil, &block, &before, &changes, CHAIN_ID).await;
        let path = directory.path().join(format!("{number}.avro"));
        std::fs::write(&path, refiner_specimen::encode(&specimen, specimen.layout).unwrap()).unwrap();
        let out = directory.path().join(format!("out-{number}"));
        let mut arguments = vec!["replay", text(&path), "--chain-config", text(&config), "--out", text(&out)];
        for rule in ["traces", "state-diffs", "access-sets", "logs"] {
            arguments.extend(["--rule", rule]);
        }
        refiner(&arguments).expect(0);
        let prefix = format!("{CHAIN_ID}-{}", specimen.block.header.number);
        let rows =
            |rule: &str, artifact: &str| comparison::rows(&out.join(format!("{prefix}.{rule}.{artifact}.ndjson")));
        comparison::calls(&calls, &rows("traces", "traces"), &block, &mut kinds);
        comparison::changes(&changes, |artifact| rows("state-diffs", artifact));
        comparison::accesses(&before, &rows("access-sets", "access-sets"));
        comparison::logs(&anvil, &block, &rows("logs", "logs")).await;
        transactions += specimen.block.transactions.len();
    }
    assert!(transactions >= TRANSACTIONS, "{transactions} transactions");
    let expected = ["CALL", "CALLCODE", "CREATE", "CREATE2", "DELEGATECALL", "SELFDESTRUCT", "STATICCALL"];
    assert_eq!(kinds.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn calls_changes_accesses_and_logs_of_two_hundred_transactions_are_those_of_anvils_tracers_in_shanghai() {
    compare("shanghai").await;
}

#[tokio::test]
async fn calls_changes_accesses_and_logs_of_two_hundred_transactions_are_those_of_anvils_tracers_in_cancun() {
    compare("cancun").await;
}
