//! Calls to the host.

use alloy_primitives::{B256, Bytes, keccak256};
use refiner_specimen::{CodeRead, Specimen};

use super::{Case, case};

/// Items of each list.
const ITEMS: usize = 1_000;
/// Bytes of the contract code.
const CODE_BYTES: usize = 24_576;

/// The small specimen with long lists.
pub fn specimen() -> Specimen {
    let mut specimen = refiner_testruns::specimen();
    let block = &mut specimen.block;
    block.transactions = vec![block.transactions[0].clone(); ITEMS];
    block.senders = vec![block.senders[0]; ITEMS];
    block.state.storage = vec![block.state.storage[0].clone(); ITEMS];
    block.state.accounts = vec![block.state.accounts[0].clone(); ITEMS];
    block.state.codes = vec![CodeRead { hash: code_hash(), code: code() }].into();
    specimen
}

fn code() -> Bytes {
    vec![0x5b; CODE_BYTES].into()
}

fn code_hash() -> B256 {
    keccak256(code())
}

/// A specimen's method: its name, its parameters beside the handle, and a call.
fn of_specimen(name: &str, params: &str, arguments: &str, result: &str) -> Case {
    let fields = format!(
        "(import \"refiner:rule/specimen\" \"[method]block-specimen.{name}\" (func $call (param i32 {params}){result}))"
    );
    // What the host hands out lies in the same place again and again.
    let reset = "(global.set $top (i32.const 4096))";
    let unit = format!("{reset} (call $call (local.get 0) {arguments})");
    let label = if arguments.is_empty() { name.to_owned() } else { format!("{name}, {arguments}") };
    case("specimen", label, "", unit).with_fields(fields).times(8).covering(&[])
}

fn log_and_output(cases: &mut Vec<Case>) {
    let log = "(import \"refiner:rule/log\" \"write\" (func $log (param i32 i32 i32)))";
    for len in [0, 1, 60_000] {
        let unit = format!("(call $log (i32.const 1) (i32.const 2048) (i32.const {len}))");
        cases.push(case("log", format!("log.write of {len} bytes"), "", unit).with_fields(log).times(8).covering(&[]));
    }
    let params = "(import \"refiner:rule/params\" \"get\" (func $get (param i32 i32 i32)))";
    let unit = "(global.set $top (i32.const 4096)) (call $get (i32.const 2048) (i32.const 8) (i32.const 512))";
    cases.push(case("params", "params.get", "", unit).with_fields(params).times(8).covering(&[]));
}

pub fn cases() -> Vec<Case> {
    let page = "i32 i32 i32";
    let mut cases = vec![
        of_specimen("identity", "i32", "(i32.const 512)", ""),
        of_specimen("header", "i32", "(i32.const 512)", ""),
        of_specimen("counts", "i32", "(i32.const 512)", ""),
        of_specimen("logs-bloom", "i32", "(i32.const 512)", ""),
        of_specimen("specimen-hash", "i32", "(i32.const 512)", ""),
        of_specimen("transactions", page, "(i32.const 0) (i32.const 1000) (i32.const 512)", ""),
        of_specimen("withdrawals", page, "(i32.const 0) (i32.const 1000) (i32.const 512)", ""),
        of_specimen("storage-reads", page, "(i32.const 0) (i32.const 1000) (i32.const 512)", ""),
        of_specimen("account-reads", page, "(i32.const 0) (i32.const 1000) (i32.const 512)", ""),
        of_specimen("input", "i32 i32 i32 i32", "(i32.const 0) (i32.const 0) (i32.const 1000) (i32.const 512)", ""),
        of_specimen(
            "access-list",
            "i32 i32 i32 i32",
            "(i32.const 0) (i32.const 0) (i32.const 1000) (i32.const 512)",
            "",
        ),
        of_specimen("raw", "i64 i32 i32", "(i64.const 0) (i32.const 0) (i32.const 512)", ""),
        of_specimen("raw", "i64 i32 i32", "(i64.const 0) (i32.const 65536) (i32.const 512)", ""),
        of_specimen(
            "code",
            "i64 i64 i64 i64 i32",
            "(i64.const 1) (i64.const 2) (i64.const 3) (i64.const 4) (i32.const 512)",
            "",
        ),
    ];
    let words: Vec<_> =
        code_hash().chunks(8).map(|word| format!("(i64.const 0x{})", alloy_primitives::hex::encode(word))).collect();
    let found = of_specimen("code", "i64 i64 i64 i64 i32", &format!("{} (i32.const 512)", words.join(" ")), "");
    cases.push(Case { name: format!("code of {CODE_BYTES} bytes"), ..found });
    // Every case imports it for its rounds.
    let unit =
        "(global.set $top (i32.const 4096)) (call $rounds (local.get 0) (i32.const 0) (i32.const 1) (i32.const 512))";
    cases.push(case("specimen", "block-hash-reads", "", unit).times(8).covering(&[]));
    let execute = "(import \"refiner:rule/evm\" \"execute\" (func $execute (param i32 i32 i32 i32)))";
    for len in [1, 60_000] {
        let unit = format!(
            "(global.set $top (i32.const 4096)) (call $execute (local.get 0) (i32.const 2048) (i32.const {len}) (i32.const 512))"
        );
        let name = format!("execute in an unknown format of {len} bytes");
        cases.push(case("evm", name, "", unit).with_fields(execute).times(8).covering(&[]));
    }
    log_and_output(&mut cases);
    cases
}
