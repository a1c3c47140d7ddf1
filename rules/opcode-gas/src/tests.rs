//! The rule on fixtures.

use refiner_sdk::{
    Receipt,
    fixture::{ExecutedBlock, Fixture, Run},
};

use super::*;

fn fixture() -> Fixture {
    let item = |code_address, what, gas| GasItem { code_address, what, times: 1, gas };
    let code = Some(Address::ZERO);
    let block = ExecutedBlock {
        receipts: vec![Receipt::default(), Receipt::default()],
        gas: vec![
            vec![item(code, 0x54, 2_100)],
            vec![item(None, 256, 21_000), item(None, 260, -4_800), item(code, 0x54, 2_100)],
            vec![item(None, 256, 21_000), item(code, 0x54, 100)],
            Vec::new(),
        ],
        ..ExecutedBlock::default()
    };
    Fixture::new().executed("canonical", Ok(block))
}

/// The rows from the transaction's index on.
fn rows(run: &Run) -> Vec<String> {
    let ends = run.artifacts[0].text().lines().filter_map(|row| row.split_once("\"transaction_index\":"));
    ends.map(|(_, end)| end.replace(['"', '}'], "")).collect()
}

#[test]
fn each_transaction_has_a_row_for_each_item_in_the_order_of_code_and_opcode() {
    let run = fixture().run_with_evm(OpcodeGas::refine);
    let code = Address::ZERO;
    let expected = [
        "0,code_address:null,opcode:null,item:intrinsic,executions:1,gas:21000".to_owned(),
        "0,code_address:null,opcode:null,item:refund,executions:1,gas:-4800".to_owned(),
        format!("0,code_address:{code},opcode:84,item:SLOAD,executions:1,gas:2100"),
        "1,code_address:null,opcode:null,item:intrinsic,executions:1,gas:21000".to_owned(),
        format!("1,code_address:{code},opcode:84,item:SLOAD,executions:1,gas:100"),
    ];
    assert_eq!(rows(&run), expected);
    assert_eq!(run.result, Ok(Summary::records(5_u32)));
}

#[test]
fn block_as_a_whole_adds_up_its_transactions_and_no_system_call() {
    let run = fixture().param("per", "block").run_with_evm(OpcodeGas::refine);
    let code = Address::ZERO;
    let expected = [
        "null,code_address:null,opcode:null,item:intrinsic,executions:2,gas:42000".to_owned(),
        "null,code_address:null,opcode:null,item:refund,executions:1,gas:-4800".to_owned(),
        format!("null,code_address:{code},opcode:84,item:SLOAD,executions:2,gas:2200"),
    ];
    assert_eq!(rows(&run), expected);
}

#[test]
fn system_calls_have_rows_where_they_are_asked_for() {
    let run = fixture().param("system", "true").run_with_evm(OpcodeGas::refine);
    assert_eq!(rows(&run).len(), 6);
    assert!(rows(&run)[0].starts_with("null,code_address:0x"), "{:?}", rows(&run)[0]);
}

#[test]
fn block_as_a_whole_has_the_system_calls_in_its_sums_where_they_are_asked_for() {
    let run = fixture().param("per", "block").param("system", "true").run_with_evm(OpcodeGas::refine);
    let code = Address::ZERO;
    let expected = [
        "null,code_address:null,opcode:null,item:intrinsic,executions:2,gas:42000".to_owned(),
        "null,code_address:null,opcode:null,item:refund,executions:1,gas:-4800".to_owned(),
        format!("null,code_address:{code},opcode:84,item:SLOAD,executions:3,gas:4300"),
    ];
    assert_eq!(rows(&run), expected);
}

#[test]
fn other_words_are_refused_with_what_is_expected() {
    for (name, words) in [("per", "expected transaction or block"), ("system", "expected true or false")] {
        let run = fixture().param(name, "all").run_with_evm(OpcodeGas::refine);
        assert!(
            matches!(&run.result, Err(RuleError::Unsupported(reason)) if reason.contains(words)),
            "{:?}",
            run.result
        );
    }
}
