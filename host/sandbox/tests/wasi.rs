//! Sealed WASI: what a rule sees of it, and how much room it has.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use alloy_primitives::B256;
use refiner_rule_model::{
    AdmissionError, COMPONENT_BYTES_WITH_WASI, Grants, Limit, Limits, LogLevel, SpecimenHash, Verdict,
};
use refiner_sandbox::AdmitFailure;
use refiner_testruns::{component, input, rule, run, sandbox};

/// Gives the first random word as its number of records.
const DICE: &str = r#"
(import "wasi:random/random@0.2.0" "get-random-u64" (func $dice (result i64)))
(func (export "refiner:rule/rule#refine") (param i32) (result i32)
  (call $ok (local.get 0) (call $dice)))"#;

/// Writes `one`, two ends of lines, and `two` in two pieces that no end follows.
const PRINT: &str = r#"
(import "wasi:cli/stdout@0.2.0" "get-stdout" (func $stdout (result i32)))
(import "wasi:io/streams@0.2.0" "[method]output-stream.blocking-write-and-flush" (func $write (param i32 i32 i32 i32)))
(data (i32.const 256) "one\r\n\ntwo")
(func (export "refiner:rule/rule#refine") (param i32) (result i32)
  (call $write (call $stdout) (i32.const 256) (i32.const 8) (i32.const 512))
  (call $write (call $stdout) (i32.const 264) (i32.const 1) (i32.const 512))
  (call $ok (local.get 0) (i64.const 0)))"#;

#[test]
fn dice_follow_from_the_specimen() {
    let sandbox = sandbox();
    let rule = rule(&sandbox, DICE);
    let thrown = |specimen_hash: u8| {
        let specimen_hash = SpecimenHash::from(B256::repeat_byte(specimen_hash));
        let run = rule.run(refiner_testruns::RunInput { specimen_hash, ..input(&rule) }).unwrap();
        let Verdict::Produced { records, .. } = run.verdict else { panic!("{}", run.verdict) };
        records
    };
    assert_eq!(thrown(1), thrown(1));
    assert_ne!(thrown(1), thrown(2));
    // sha256 of "refiner:wasi-random-1:", "secure", 32 bytes of 0x01 and eight of nought, its first eight bytes.
    assert_eq!(thrown(1), FIRST_WORD);
}

/// Worked out with another program's sha256.
const FIRST_WORD: u64 = 0xa4ea_c854_a9ff_a1ae;

#[test]
fn standard_output_becomes_log_lines_with_the_last_one_unfinished() {
    let sandbox = sandbox();
    let run = run(&rule(&sandbox, PRINT));
    let said: Vec<_> = run.log.iter().map(|line| (line.level, line.message.as_str())).collect();
    assert_eq!(said, [(LogLevel::Info, "one"), (LogLevel::Info, ""), (LogLevel::Info, "two")]);
    assert_eq!(run.usage.log_lines_lost, 0);
}

#[test]
fn standard_output_counts_against_the_limits_of_the_log() {
    let sandbox = sandbox();
    let rule = rule(&sandbox, PRINT);
    for (lines, lost) in [(3, 0), (2, 1), (0, 3)] {
        let mut input = input(&rule);
        input.limits = input.limits.with(Limit::LogLines, lines).unwrap();
        let run = rule.run(input).unwrap();
        assert_eq!((run.log.len() as u64, run.usage.log_lines_lost), (lines, lost));
        assert_eq!(run.verdict.kind(), "produced", "the log decides no verdict");
    }
}

/// The component with an unused section of such a length that the whole has `bytes`.
fn padded(mut component: Vec<u8>, bytes: u64) -> Vec<u8> {
    let bytes = usize::try_from(bytes).unwrap();
    // Its number, a length of five bytes, the length of an empty name.
    const HEADER_BYTES: usize = 1 + 5 + 1;
    let mut length = bytes - component.len() - HEADER_BYTES + 1;
    component.push(0);
    for byte in 0..5 {
        component.push(u8::try_from(length & 0x7f).unwrap() | if byte < 4 { 0x80 } else { 0 });
        length >>= 7;
    }
    component.resize(bytes, 0);
    component
}

#[test]
fn component_with_wasi_has_its_own_limit() {
    let sandbox = sandbox();
    let admit = |bytes| sandbox.admit(&padded(component(DICE), bytes), None, &Grants::all());
    assert!(admit(COMPONENT_BYTES_WITH_WASI).is_ok());
    let Err(AdmitFailure::Refused(refusal)) = admit(COMPONENT_BYTES_WITH_WASI + 1) else { panic!("it was admitted") };
    let expected = AdmissionError::TooLarge {
        found_bytes: COMPONENT_BYTES_WITH_WASI + 1,
        allowed_bytes: COMPONENT_BYTES_WITH_WASI,
    };
    assert_eq!(refusal, expected);
}

#[test]
fn component_with_wasi_is_no_larger_than_a_ceiling_that_the_operator_lowered() {
    let sandbox = sandbox();
    let rule = component(DICE);
    let found_bytes = rule.len() as u64;
    let admit = |allowed_bytes| {
        let limits = Limits::caps().with(Limit::ComponentBytes, allowed_bytes).unwrap();
        sandbox.admit(&rule, None, &Grants { limits, ..Grants::all() })
    };
    assert!(admit(found_bytes).is_ok());
    let Err(AdmitFailure::Refused(refusal)) = admit(found_bytes - 1) else { panic!("it was admitted") };
    assert_eq!(refusal, AdmissionError::TooLarge { found_bytes, allowed_bytes: found_bytes - 1 });
}

/// Waits for 1.5 s, compares both clocks with it, and gives the seconds of the wall clock as its number of records.
const WAIT: &str = r#"
(import "wasi:clocks/monotonic-clock@0.2.0" "now" (func $now (result i64)))
(import "wasi:clocks/wall-clock@0.2.0" "now" (func $wall (param i32)))
(import "wasi:clocks/monotonic-clock@0.2.0" "subscribe-duration" (func $after (param i64) (result i32)))
(import "wasi:io/poll@0.2.0" "[method]pollable.block" (func $block (param i32)))
(import "wasi:io/poll@0.2.0" "[method]pollable.ready" (func $ready (param i32) (result i32)))
(func (export "refiner:rule/rule#refine") (param i32) (result i32)
  (local $began i64) (local $wait i32)
  (local.set $began (call $now))
  (local.set $wait (call $after (i64.const 1500000000)))
  (if (call $ready (local.get $wait)) (then unreachable))
  (call $block (local.get $wait))
  (if (i32.eqz (call $ready (local.get $wait))) (then unreachable))
  (if (i64.ne (i64.sub (call $now) (local.get $began)) (i64.const 1500000000)) (then unreachable))
  (call $wall (i32.const 256))
  (if (i32.ne (i32.load offset=8 (i32.const 256)) (i32.const 500000000)) (then unreachable))
  (call $ok (local.get 0) (i64.load (i32.const 256))))"#;

#[test]
fn wait_ends_at_once_and_moves_both_clocks_by_its_length() {
    let sandbox = sandbox();
    let run = run(&rule(&sandbox, WAIT));
    let Verdict::Produced { records, .. } = run.verdict else { panic!("{}", run.verdict) };
    assert_eq!(records, refiner_testruns::specimen().block.header.timestamp + 1);
}

/// Gives the monotonic clock as its number of records.
const AT_THE_EPOCH: &str = r#"
(import "wasi:clocks/monotonic-clock@0.2.0" "now" (func $now (result i64)))
(func (export "refiner:rule/rule#refine") (param i32) (result i32)
  (call $ok (local.get 0) (call $now)))"#;

#[test]
fn monotonic_clock_of_a_block_at_the_epoch_is_not_0() {
    let sandbox = sandbox();
    let rule = rule(&sandbox, AT_THE_EPOCH);
    let mut specimen = refiner_testruns::specimen();
    specimen.block.header.timestamp = 0;
    let run = rule.run(refiner_testruns::RunInput { specimen: specimen.into(), ..input(&rule) }).unwrap();
    assert_eq!(run.verdict.to_string(), "produced 0 artifacts, 1 record");
}
