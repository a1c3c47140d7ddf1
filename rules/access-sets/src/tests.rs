//! The rule on fixtures.

use refiner_sdk::{
    Access, Address, B256, Receipt,
    fixture::{ChangedState, ExecutedBlock, Fixture},
};

use super::*;

#[test]
fn each_place_that_a_step_looked_up_is_a_row() {
    let access = |slot, changed| Access { address: Address::ZERO, slot, changed };
    let step = |accesses| ChangedState { accesses, ..ChangedState::default() };
    let block = ExecutedBlock {
        receipts: vec![Receipt::default()],
        changes: vec![
            step(vec![access(None, false)]),
            step(vec![access(None, true), access(Some(B256::ZERO), false)]),
            step(Vec::new()),
        ],
        ..ExecutedBlock::default()
    };
    let run = Fixture::new().executed("canonical", Ok(block)).run_with_evm(AccessSets::refine);
    let text = run.artifacts[0].text();
    let ends: Vec<&str> =
        text.lines().filter_map(|row| row.split_once("\"block_access_index\":")).map(|(_, end)| end).collect();
    let (address, slot) = (Address::ZERO, B256::ZERO);
    let row = |place: &str, slot: &str, changed: bool| {
        format!("{place},\"address\":\"{address}\",\"slot\":{slot},\"changed\":{changed}}}")
    };
    let expected = [
        row("0,\"transaction_index\":null", "null", false),
        row("1,\"transaction_index\":0", "null", true),
        row("1,\"transaction_index\":0", &format!("\"{slot}\""), false),
    ];
    assert_eq!(ends, expected);
    assert_eq!(run.result, Ok(Summary::records(3_u32)));
}
