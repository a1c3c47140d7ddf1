//! `token-transfers` over the most rows that a block can pay for: batches whose two arrays share their words.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test that cannot go on fails")]

use std::{fs, sync::Arc};

use alloy_primitives::{Address, B256, Bytes, U256, b256};
use refiner_evm::{ExecutedLog, Execution};
use refiner_rule_model::{Grants, Limit, Run, Verdict};
use refiner_sandbox::AdmittedRule;
use refiner_testruns::{Answers, RunInput, input, receipt, sandbox, workspace};

/// keccak256 of `TransferBatch(address,address,address,uint256[],uint256[])`.
const TRANSFER_BATCH: B256 = b256!("4a39dc06d4c0dbc64b70af90fd698a233a518aa5d07e595d983b8c0526c8f7fb");
/// Gas of the largest block, and of a byte of a log's data.
const BLOCK_GAS: u64 = 60_000_000;
const DATA_BYTE_GAS: u64 = 8;
/// Rows for which its fuel lasts at least, when their numbers are the widest: a hundred times as many as a busy block has.
const ROWS: u64 = 45_000;
/// Words of the data of one log: far fewer than its memory costs gas for.
const WORDS: usize = 4_000;

/// A batch whose arrays both begin at one place, and each of whose words is the widest number.
fn batch() -> ExecutedLog {
    let words = [U256::from(64), U256::from(64), U256::from(WORDS)].into_iter();
    let data: Vec<_> = words.chain([U256::MAX; WORDS]).flat_map(|word| word.to_be_bytes::<32>()).collect();
    let account = B256::left_padding_from(&[0xee; 20]);
    ExecutedLog {
        address: Address::repeat_byte(0xee),
        topics: vec![TRANSFER_BATCH, account, account, account],
        data: data.into(),
    }
}

fn run(rule: &AdmittedRule, logs: usize) -> Run {
    let receipts = vec![receipt(0, vec![batch(); logs])];
    let execution = Execution::with_document(BLOCK_GAS, receipts, Vec::new(), Bytes::new());
    rule.run(RunInput { executor: Arc::new(Answers(Ok(execution))), raw: Bytes::new(), ..input(rule) }).unwrap()
}

#[test]
fn fuel_of_token_transfers_lasts_for_many_times_the_rows_of_a_real_block_and_its_output_for_all_that_a_block_can_pay_for()
 {
    let Ok(component) = fs::read(workspace().join("target/rules/token-transfers.wasm")) else {
        println!("skipped: no target/rules/token-transfers.wasm, which cargo xtask rules builds");
        return;
    };
    let sandbox = sandbox();
    let rule = sandbox.admit(&component, None, &Grants::all()).unwrap();
    let rows_of_a_block = BLOCK_GAS / DATA_BYTE_GAS / 32;
    let [one, two] = [1, 2].map(|logs| {
        let run = run(&rule, logs);
        let Verdict::Produced { records, .. } = run.verdict else { panic!("{}", run.verdict) };
        assert_eq!(records, (logs * WORDS) as u64);
        run.usage
    });
    for limit in [Limit::Fuel, Limit::OutputBytes, Limit::MemoryBytes, Limit::Calls, Limit::CopiedBytes] {
        let more = two.used.get(limit) - one.used.get(limit);
        let rows = if limit == Limit::Fuel { ROWS } else { rows_of_a_block };
        let needed = two.used.get(limit) + more * (rows / WORDS as u64 - 1);
        let granted = one.granted.get(limit);
        println!("{limit}: {} a row, {needed} of {granted} for {rows}", more / WORDS as u64);
        assert!(needed <= granted, "{limit}: {needed} needed for {rows} rows, {granted} granted");
    }
}
