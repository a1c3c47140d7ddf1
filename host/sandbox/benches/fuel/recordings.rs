//! Calls to the host about receipts, calls and state (version 1.1 of the contract).

use std::sync::{Arc, LazyLock};

use alloy_primitives::{Address, B256, Bytes, U256};
use refiner_evm::{
    Access, AccountChange, AccountValue, ExecuteError, Execution, Executor, Frame, Frames, GasItem, RecordingTerms,
    Recordings, ResultFormat, SlotChange, StateStep, Steps, Unavailable,
};
use refiner_specimen::{
    Specimen,
    check::{Check, CheckName},
};
use refiner_testruns::frame;

use super::{Case, case, execution::long_execution};

/// Items of each list of the second step.
const ITEMS: usize = 1_000;
/// Bytes of each payload of its calls.
const PAYLOAD_BYTES: usize = 64;
/// Pieces of code that it deployed: what creations of the gas of a whole block can be.
const CODES: u64 = 30_000;
/// Bytes of the first of them.
const CODE_BYTES: usize = 24_576;
/// Steps, so that the longest case comes to no end of them: the calls that its fuel pays for.
const STEPS: usize = 400_000;

/// Gives every execution with the same recordings.
pub struct Recorded;

static EXECUTION: LazyLock<Execution> = LazyLock::new(|| {
    let mut execution = long_execution();
    execution.checks = vec![Check::passed(CheckName::ReceiptsRoot); 20];
    execution.with_recordings(Some(recordings()))
});

impl Executor for Recorded {
    fn checks(&self, _: &Specimen) -> Vec<Check> {
        Vec::new()
    }

    fn senders(&self, _: &Specimen) -> Check {
        Check::passed(CheckName::Senders)
    }

    fn execute(
        &self,
        _: &Specimen,
        _: &Bytes,
        _: ResultFormat,
    ) -> Result<Result<Execution, ExecuteError>, Unavailable> {
        let mut execution = EXECUTION.clone();
        execution.recordings = None;
        Ok(Ok(execution))
    }

    fn record(
        &self,
        _: &Specimen,
        _: &Bytes,
        _: RecordingTerms,
    ) -> Result<Result<Execution, ExecuteError>, Unavailable> {
        Ok(Ok(EXECUTION.clone()))
    }
}

/// Every list of the second step is long; the others have nothing.
fn recordings() -> Recordings {
    let mut frames = vec![Vec::new(); STEPS];
    let payload = Bytes::from(vec![0xab; PAYLOAD_BYTES]);
    let call = Frame { input: payload.clone(), output: payload, error: Some("execution reverted"), ..frame(None) };
    frames[1] = vec![call; ITEMS];
    let mut state = vec![StateStep::default(); STEPS];
    state[1] = long_step();
    let frames = Frames { payload_max: u32::MAX, steps: Steps::whole(frames) };
    let mut gas = vec![Vec::new(); STEPS];
    gas[1] = vec![GasItem { code_address: Some(Address::repeat_byte(1)), what: 0x54, times: 2, gas: 200 }; ITEMS];
    Recordings { frames: Some(frames), state: Some(Steps::whole(state)), gas: Some(Steps::whole(gas)) }
}

/// A hash that begins with this number, so that hashes differ where they do in a block.
fn word(number: u64) -> B256 {
    B256::from(U256::from(number) << 240)
}

fn long_step() -> StateStep {
    let value = |nonce: u64| AccountValue { balance: U256::from(nonce), nonce, code_hash: word(nonce) };
    let address = Address::repeat_byte(1);
    let change = AccountChange { address, before: value(1), after: value(2) };
    let slot = SlotChange { address, slot: word(3), before: word(4), after: word(5) };
    let access = Access { address, slot: Some(word(6)), changed: true };
    let codes = (0..CODES).map(|number| (word(number), Bytes::from_static(&[0x60, 0x00])));
    let mut codes: Vec<_> = codes.collect();
    codes[0].1 = vec![0x5b; CODE_BYTES].into();
    StateStep { accounts: vec![change; ITEMS], slots: vec![slot; ITEMS], accesses: vec![access; ITEMS], codes }
}

/// An execution in this format is made once before the loop.
fn executed(format: &str) -> (String, String) {
    let fields = format!(
        r#"(import "refiner:rule/evm" "execute" (func $execute (param i32 i32 i32 i32)))
        (data (i32.const 256) "{format}")
"#
    );
    let before = format!(
        "(local $execution i32) (local $handle i32)
         (call $execute (local.get 0) (i32.const 256) (i32.const {}) (i32.const 512))
         (local.set $execution (i32.load (i32.const 516)))",
        format.len()
    );
    (fields, before)
}

/// A method of a recording of which `steps` were entered.
fn of_recording(interface: &str, name: &str, steps: u32, method: (&str, &str, &str, &str)) -> Case {
    let (resource, open, argument) = match interface {
        "traces" => ("frames", "(param i32 i32 i32)", "(i32.const -1)"),
        "gas-profile" => ("profile", "(param i32 i32)", ""),
        _ => ("changes", "(param i32 i32)", ""),
    };
    let (fields, before) = executed("canonical");
    let (function, params, result, arguments) = method;
    let function = format!("[method]{resource}.{function}");
    let next = format!("[method]{resource}.next");
    let enter = if function == next { "$call" } else { "$next" };
    let next = if function == next {
        String::new()
    } else {
        format!("(import \"refiner:rule/{interface}\" \"{next}\" (func $next (param i32 i32)))")
    };
    let fields = format!(
        "(import \"refiner:rule/{interface}\" \"open\" (func $open {open}))
         (import \"refiner:rule/{interface}\" \"{function}\" (func $call (param i32 {params}) {result}))
         {next}
         {fields}"
    );
    let before = format!(
        "(local $step i32) {before}
         (call $open (local.get $execution) {argument} (i32.const 512))
         (local.set $handle (i32.load (i32.const 516)))
         (loop $enter
           (call {enter} (local.get $handle) (i32.const 512))
           (local.set $step (i32.add (local.get $step) (i32.const 1)))
           (br_if $enter (i32.lt_u (local.get $step) (i32.const {steps}))))"
    );
    let call = format!("(call $call (local.get $handle) {arguments})");
    let call = if result.is_empty() { call } else { format!("(drop {call})") };
    let unit = format!("(global.set $top (i32.const 4096)) {call}");
    case("recordings", format!("{interface}: {name}"), &before, unit).with_fields(fields).times(8).covering(&[])
}

/// `open` of an execution that has no recording, which costs no execution.
fn refused_open(interface: &str) -> Case {
    let (open, argument) = match interface {
        "traces" => ("(param i32 i32 i32)", "(i32.const -1)"),
        _ => ("(param i32 i32)", ""),
    };
    let (fields, before) = executed("evm-server@e");
    let fields = format!("(import \"refiner:rule/{interface}\" \"open\" (func $open {open}))\n{fields}");
    let unit =
        format!("(global.set $top (i32.const 4096)) (call $open (local.get $execution) {argument} (i32.const 512))");
    case("recordings", format!("{interface}: open without a recording"), &before, unit)
        .with_fields(fields)
        .times(8)
        .covering(&[])
}

/// The manifest asks for what the text names, and receipts bring the types of this along.
const WITH_EVM: &str = ";; \"refiner:rule/evm\"\n";

/// A method of the receipts.
fn of_receipts(name: &str, params: &str, arguments: &str, result: &str) -> Case {
    let fields = format!(
        r#"(import "refiner:rule/receipts" "open" (func $open (param i32 i32)))
        (import "refiner:rule/receipts" "[method]block-receipts.{name}" (func $call (param i32 {params}) {result}))
{WITH_EVM}"#
    );
    let before = "(local $handle i32) (call $open (local.get 0) (i32.const 512))
      (local.set $handle (i32.load (i32.const 516)))";
    let call = format!("(call $call (local.get $handle) {arguments})");
    let call = if result.is_empty() { call } else { format!("(drop {call})") };
    let unit = format!("(global.set $top (i32.const 4096)) {call}");
    case("receipts", format!("receipts: {name} {arguments}"), before, unit).with_fields(fields).times(8).covering(&[])
}

fn receipts(cases: &mut Vec<Case>) {
    let page = "i32 i32 i32";
    let all = "(i32.const 0) (i32.const 1000) (i32.const 512)";
    let fields = format!(
        r#"(import "refiner:rule/receipts" "open" (func $open (param i32 i32)))
        (import "refiner:rule/receipts" "[resource-drop]block-receipts" (func $gone (param i32)))
{WITH_EVM}"#
    );
    let again = "(call $open (local.get 0) (i32.const 512)) (call $gone (i32.load (i32.const 516)))";
    cases.push(case("receipts", "receipts: open again and drop", "", again).with_fields(fields).times(8).covering(&[]));
    cases.extend([
        of_receipts("source", "", "", "(result i32)"),
        of_receipts("receipt-count", "", "", "(result i32)"),
        of_receipts("log-count", "", "", "(result i32)"),
        of_receipts("checks", "i32", "(i32.const 512)", ""),
        of_receipts("receipts", page, all, ""),
        of_receipts("logs", page, all, ""),
        of_receipts("logs", page, "(i32.const 999) (i32.const 1) (i32.const 512)", ""),
    ]);
}

/// Overrides that are set. The block is executed as it is before them, for a rule that asks for these asks for executions too.
fn what_if() -> Vec<Case> {
    const INTERFACE: &str = "refiner:rule/what-if";
    let (executed, before) = executed("canonical");
    let setting = |name: &str, params: &str, arguments: &str| {
        let fields = format!(
            "(import \"{INTERFACE}\" \"[constructor]overrides\" (func $new (result i32)))
             (import \"{INTERFACE}\" \"[method]overrides.{name}\" (func $call (param i32 {params})))
             {executed}"
        );
        let before = format!("{before} (local.set $handle (call $new))");
        let unit = format!("(global.set $top (i32.const 4096)) (call $call (local.get $handle) {arguments})");
        case("what-if", format!("what-if: {name} {arguments}"), &before, unit)
            .with_fields(fields)
            .times(8)
            .covering(&[])
    };
    let address = "(i64.const 1) (i64.const 2) (i32.const 3)";
    let word = "(i64.const 4) (i64.const 5) (i64.const 6) (i64.const 7)";
    let place = "i64 i64 i32";
    let text = "(i32.const 256) (i32.const 5)";
    let fields = format!(
        "(import \"{INTERFACE}\" \"[constructor]overrides\" (func $new (result i32)))
         (import \"{INTERFACE}\" \"[resource-drop]overrides\" (func $gone (param i32)))
         {executed}"
    );
    let new = case("what-if", "what-if: new and drop".to_owned(), &before, "(call $gone (call $new))".to_owned());
    let excluded = format!(
        "(import \"{INTERFACE}\" \"excluded\" (func $call (param i32 i32 i32 i32)))
         {executed}"
    );
    let unit = "(global.set $top (i32.const 4096))
      (call $call (local.get $execution) (i32.const 0) (i32.const 1000) (i32.const 512))";
    vec![
        new.with_fields(fields).times(8).covering(&[]),
        setting("balance", &format!("{place} i64 i64 i64 i64"), &format!("{address} {word}")),
        setting("nonce", &format!("{place} i64"), &format!("{address} (i64.const 8)")),
        setting("code", &format!("{place} i32 i32"), &format!("{address} (i32.const 256) (i32.const 64)")),
        setting("code", &format!("{place} i32 i32"), &format!("{address} (i32.const 256) (i32.const 24576)")),
        setting("slot", &format!("{place} i64 i64 i64 i64 i64 i64 i64 i64"), &format!("{address} {word} {word}")),
        setting("complete", place, address),
        setting("fork", "i32 i32", text),
        setting("base-fee", "i64", "(i64.const 9)"),
        setting("gas-limit", "i64", "(i64.const 9)"),
        setting("transactions", "i32 i32", "(i32.const 256) (i32.const 1000)"),
        case("what-if", "what-if: excluded of none".to_owned(), &before, unit.to_owned())
            .with_fields(excluded)
            .times(8)
            .covering(&[]),
    ]
}

pub fn cases() -> Vec<Case> {
    let page = "i32 i32 i32";
    let all = "(i32.const 0) (i32.const 1000) (i32.const 512)";
    let one = "(i32.const 999) (i32.const 1) (i32.const 512)";
    let none = "(i32.const 0) (i32.const 0) (i32.const 512)";
    let unknown = "(i64.const -1) (i64.const 2) (i64.const 3) (i64.const 4) (i32.const 512)";
    let first = "(i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0) (i32.const 512)";
    let last = (CODES - 1) << 48;
    let last = format!("(i64.const {last}) (i64.const 0) (i64.const 0) (i64.const 0) (i32.const 512)");
    let code = "i64 i64 i64 i64 i32";
    let mut cases = vec![refused_open("traces"), refused_open("state-changes"), refused_open("gas-profile")];
    receipts(&mut cases);
    cases.extend([
        of_recording("traces", "next", 1, ("next", "i32", "", "(i32.const 512)")),
        of_recording("traces", "count", 2, ("count", "", "(result i32)", "")),
        of_recording("traces", "page of all", 2, ("page", page, "", all)),
        of_recording("traces", "page of one", 2, ("page", page, "", one)),
        of_recording("traces", "page of none", 2, ("page", page, "", none)),
        of_recording("state-changes", "next", 1, ("next", "i32", "", "(i32.const 512)")),
        of_recording("state-changes", "code that is nowhere", 2, ("code", code, "", unknown)),
        of_recording(
            "state-changes",
            "code that is nowhere, after a thousand steps",
            1_000,
            ("code", code, "", unknown),
        ),
        of_recording("state-changes", "code of 24,576 bytes", 2, ("code", code, "", first)),
        of_recording("state-changes", "code of 2 bytes", 2, ("code", code, "", &last)),
    ]);
    cases.extend([
        of_recording("gas-profile", "next", 1, ("next", "i32", "", "(i32.const 512)")),
        of_recording("gas-profile", "page of all", 2, ("page", page, "", all)),
        of_recording("gas-profile", "page of one", 2, ("page", page, "", one)),
        of_recording("gas-profile", "page of none", 2, ("page", page, "", none)),
    ]);
    cases.extend(what_if());
    for list in ["accounts", "slots", "accesses"] {
        for (what, arguments) in [("all", all), ("one", one), ("none", none)] {
            let name = format!("{list}, {what}");
            cases.push(of_recording("state-changes", &name, 2, (list, page, "", arguments)));
        }
    }
    cases
}

/// The executor of every case.
pub fn executor() -> Arc<dyn Executor> {
    Arc::new(Recorded)
}
