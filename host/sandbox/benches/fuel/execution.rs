//! Calls to the host about an execution and about artifacts.

use alloy_primitives::{Address, B256, Bytes};
use refiner_evm::{ExecutedLog, Execution};
use refiner_testruns::receipt;

use super::{Case, case};

/// Receipts, each with a log of four topics.
const RECEIPTS: u32 = 1_000;
/// Bytes of the block result.
const RESULT_BYTES: usize = 1 << 20;

/// An execution with long lists and a long block result.
pub fn long_execution() -> Execution {
    let log = ExecutedLog {
        address: Address::repeat_byte(1),
        topics: vec![B256::repeat_byte(1); 4],
        data: Bytes::from_static(&[1; 64]),
    };
    let receipts = (0..RECEIPTS).map(|index| receipt(index, vec![log.clone()])).collect();
    Execution::with_document(42_000, receipts, Vec::new(), vec![b'x'; RESULT_BYTES].into())
}

/// A method of the execution, which is made once before the loop.
fn of_execution(name: &str, params: &str, arguments: &str, result: &str) -> Case {
    let fields = format!(
        r#"(import "refiner:rule/evm" "execute" (func $execute (param i32 i32 i32 i32)))
        (import "refiner:rule/evm" "[method]execution.{name}" (func $call (param i32 {params}){result}))
        (data (i32.const 256) "canonical")"#
    );
    let before = "(local $handle i32) (call $execute (local.get 0) (i32.const 256) (i32.const 9) (i32.const 512))
      (local.set $handle (i32.load (i32.const 516)))";
    let call = format!("(call $call (local.get $handle) {arguments})");
    let call = if result.is_empty() { call } else { format!("(drop {call})") };
    let unit = format!("(global.set $top (i32.const 4096)) {call}");
    case("evm", format!("{name} {arguments}"), before, unit).with_fields(fields).times(8).covering(&[])
}

fn output(len: usize) -> Case {
    let fields = "\n;; output: can text/plain
(import \"refiner:rule/output\" \"[constructor]artifact\" (func $artifact (param i32 i32 i32 i32 i32 i32 i32) (result i32)))
(import \"refiner:rule/output\" \"[method]artifact.write\" (func $write (param i32 i32 i32)))
(data (i32.const 256) \"cantext/plain\")";
    let before = "(local $handle i32)
      (local.set $handle (call $artifact (i32.const 256) (i32.const 3) (i32.const 259) (i32.const 10) (i32.const 0) (i32.const 0) (i32.const 0)))";
    let unit = format!("(call $write (local.get $handle) (i32.const 0) (i32.const {len}))");
    case("output", format!("write of {len} bytes"), before, unit).with_fields(fields).times(8).covering(&[])
}

pub fn cases() -> Vec<Case> {
    let page = "i32 i32 i32";
    let all = "(i32.const 0) (i32.const 1000) (i32.const 512)";
    vec![
        of_execution("gas-used", "", "", "(result i64)"),
        of_execution("receipt-count", "", "", "(result i32)"),
        of_execution("log-count", "", "", "(result i32)"),
        of_execution("checks", "i32", "(i32.const 512)", ""),
        of_execution("receipts", page, all, ""),
        of_execution("receipts", page, "(i32.const 0) (i32.const 0) (i32.const 512)", ""),
        of_execution("logs", page, all, ""),
        of_execution("logs", page, "(i32.const 999) (i32.const 1) (i32.const 512)", ""),
        of_execution("block-result-len", "", "", "(result i64)"),
        of_execution("block-result", "i64 i32 i32", "(i64.const 0) (i32.const 65536) (i32.const 512)", ""),
        output(0),
        output(100),
        output(1_000),
    ]
}
