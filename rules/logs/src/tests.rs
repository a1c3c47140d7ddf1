//! The rule on fixtures.

use refiner_sdk::{
    Address, B256, Log, Receipt,
    fixture::{ExecutedBlock, Fixture},
};

use super::*;

fn block() -> ExecutedBlock {
    let log = |log_index, topics| Log {
        log_index,
        address: Address::from_hex("00000000000000000000000000000000000000cc"),
        topics,
        data: vec![1, 0xff],
        ..Log::default()
    };
    let logs = vec![log(0, vec![B256::ZERO]), log(1, Vec::new())];
    ExecutedBlock { receipts: vec![Receipt::default()], logs, ..ExecutedBlock::default() }
}

#[test]
fn each_log_is_a_row_and_topics_that_it_lacks_are_null() {
    let run = Fixture::new().recorded(block()).run_with_evm(Logs::refine);
    let zero = B256::ZERO;
    let row = |index: u32, topic0: &str| {
        format!(
            "{{\"chain_id\":1,\"block_number\":0,\"block_hash\":\"{zero}\",\"block_time\":0,\"transaction_index\":0,\
             \"transaction_hash\":\"{zero}\",\"log_index\":{index},\"address\":\"0x00000000000000000000000000000000000000cc\",\
             \"topic0\":{topic0},\"topic1\":null,\"topic2\":null,\"topic3\":null,\"data\":\"0x01ff\"}}\n"
        )
    };
    assert_eq!(run.artifacts[0].text(), row(0, &format!("\"{zero}\"")) + &row(1, "null"));
    assert_eq!(run.result, Ok(Summary::records(2_u32)));
}

#[test]
fn rows_are_the_same_from_recorded_receipts_and_from_an_execution() {
    let recorded = Fixture::new().recorded(block()).run_with_evm(Logs::refine);
    let executed = Fixture::new().executed("canonical", Ok(block())).run_with_evm(Logs::refine);
    assert_eq!(recorded, executed);
}
