//! The rule on fixtures.

use refiner_sdk::{
    Address, B256, Receipt, U256,
    fixture::{ExecutedBlock, Fixture, Run},
};

use super::*;

/// `Error("no")`, as Solidity encodes it.
fn reverted() -> Vec<u8> {
    let mut output = vec![0x08, 0xc3, 0x79, 0xa0];
    output.extend(B256::from(U256::from(32)).to_bytes());
    output.extend(B256::from(U256::from(2)).to_bytes());
    output.extend(b"no");
    output.resize(4 + 3 * 32, 0);
    output
}

fn run(params: &[(&str, &str)]) -> Run {
    let input = vec![1, 2, 3, 4, 5];
    let outer = Frame { input_len: 5, input: input.clone(), gas_used: 21_000, ..Frame::default() };
    let inner = Frame {
        parent: Some(0),
        depth: 1,
        opcode: 0xf5,
        to: None,
        input_len: 5,
        input,
        output_len: 100,
        output: reverted(),
        error: Some("execution reverted".to_owned()),
        undone: true,
        ..Frame::default()
    };
    let block = ExecutedBlock {
        receipts: vec![Receipt::default()],
        frames: vec![vec![Frame::default()], vec![outer, inner], Vec::new()],
        ..ExecutedBlock::default()
    };
    let fixture = Fixture::new().executed("canonical", Ok(block));
    params.iter().fold(fixture, |fixture, (name, value)| fixture.param(name, value)).run_with_evm(Traces::refine)
}

fn field<'a>(row: &'a str, name: &str) -> &'a str {
    let (_, rest) = row.split_once(&format!("\"{name}\":")).expect("the field is there");
    rest.split([',', '}']).next().unwrap_or_default()
}

#[test]
fn each_call_of_a_transaction_is_a_row_and_a_revert_has_its_reason() {
    let run = run(&[]);
    let rows: Vec<&str> = run.artifacts[0].text().lines().collect();
    assert_eq!(rows.len(), 2);
    let of = |name| [field(rows[0], name), field(rows[1], name)];
    assert_eq!(of("call_type"), ["\"CALL\"", "\"CREATE2\""]);
    assert_eq!(of("parent_index"), ["null", "0"]);
    assert_eq!(of("selector"), ["\"0x01020304\"", "null"]);
    assert_eq!(of("input"), ["\"0x0102030405\"", "\"0x0102030405\""]);
    assert_eq!(of("revert_reason"), ["null", "\"no\""]);
    assert_eq!(of("to_address"), [format!("\"{}\"", Address::ZERO), "null".to_owned()]);
    assert_eq!(of("undone"), ["false", "true"]);
    assert_eq!(run.result, Ok(Summary::records(2_u32)));
}

#[test]
fn payload_and_system_calls_are_chosen_by_parameters() {
    let selector = run(&[("payload", "selector")]);
    let first = selector.artifacts[0].text().lines().next().unwrap_or_default();
    assert_eq!((field(first, "input"), field(first, "selector")), ("null", "\"0x01020304\""));
    let none = run(&[("payload", "none"), ("system", "true")]);
    let rows: Vec<&str> = none.artifacts[0].text().lines().collect();
    assert_eq!((rows.len(), field(rows[0], "transaction_index"), field(rows[1], "selector")), (3, "null", "null"));
    for (name, value) in [("payload", "some"), ("system", "yes")] {
        let reason = format!("{name} is {value:?}; expected ");
        assert!(
            matches!(run(&[(name, value)]).result, Err(RuleError::Unsupported(found)) if found.starts_with(&reason))
        );
    }
}
