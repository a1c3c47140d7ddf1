//! Sealed WASI: what a rule sees of it, and how much room it has.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use alloy_primitives::B256;
use refiner_sandbox::{
    AdmissionError, AdmitFailure, COMPONENT_BYTES_WITH_WASI, Grants, Limit, LogLevel, SpecimenHash, Verdict,
};
use support::{component, input, rule, run, sandbox};

/// Gives the first random word as its number of records.
const DICE: &str = r#"
(import "wasi:random/random@0.2.0" "get-random-u64" (func $dice (result i64)))
(func (export "refiner:rule/rule@1.0.0#refine") (param i32) (result i32)
  (call $ok (local.get 0) (call $dice)))"#;

/// Writes `one`, two ends of lines, and `two` in two pieces that no end follows.
const PRINT: &str = r#"
(import "wasi:cli/stdout@0.2.0" "get-stdout" (func $stdout (result i32)))
(import "wasi:io/streams@0.2.0" "[method]output-stream.blocking-write-and-flush" (func $write (param i32 i32 i32 i32)))
(data (i32.const 256) "one\r\n\ntwo")
(func (export "refiner:rule/rule@1.0.0#refine") (param i32) (result i32)
  (call $write (call $stdout) (i32.const 256) (i32.const 8) (i32.const 512))
  (call $write (call $stdout) (i32.const 264) (i32.const 1) (i32.const 512))
  (call $ok (local.get 0) (i64.const 0)))"#;

#[test]
fn dice_follow_from_the_specimen() {
    let sandbox = sandbox();
    let rule = rule(&sandbox, DICE);
    let thrown = |specimen_hash: u8| {
        let specimen_hash = SpecimenHash::from(B256::repeat_byte(specimen_hash));
        let run = rule.run(support::RunInput { specimen_hash, ..input(&rule) }).unwrap();
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
