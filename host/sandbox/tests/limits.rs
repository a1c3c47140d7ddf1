//! Every limit: what is used passes when just that is granted, and one less ends the run.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{thread, time::Duration};

use alloy_primitives::Bytes;
use limit_pairs::{ASKS_FOR_CODE, CODE_CALLS, Pair, SPINS, pair};
use refiner_hostile::limit_pairs;
use refiner_rule_model::{
    AdmissionError, FUEL_PER_INPUT_BYTE, Grants, HostFailure, LIMITS, Limit, Limits, Run, UNIT_PICOSECONDS, Verdict,
};
use refiner_sandbox::{AdmitFailure, AdmittedRule, Sandbox};
use refiner_testruns::{GOOD, RAW, RunInput, component, input, rule, run, sandbox};
use rustix::time::{ClockId, clock_gettime};

/// A rule that uses something of every limit.
const USES_EVERYTHING: &str = r#"
;; output: can text/plain
(import "refiner:rule/output" "[constructor]artifact"
  (func $artifact (param i32 i32 i32 i32 i32 i32 i32) (result i32)))
(import "refiner:rule/output" "[method]artifact.write" (func $write (param i32 i32 i32)))
(import "refiner:rule/output" "[method]artifact.finish" (func $finish (param i32)))
(import "refiner:rule/log" "write" (func $log (param i32 i32 i32)))
(import "refiner:rule/evm" "execute" (func $execute (param i32 i32 i32 i32)))
(import "refiner:rule/traces" "open" (func $open (param i32 i32 i32)))
(import "refiner:rule/traces" "[method]frames.next" (func $next (param i32 i32)))
(data (i32.const 256) "canonicaltext/plain")
(func (export "refiner:rule/rule#refine") (param i32) (result i32)
  (local $handle i32)
  (drop (memory.grow (i32.const 3)))
  (call $log (i32.const 1) (i32.const 256) (i32.const 5))
  (call $execute (local.get 0) (i32.const 256) (i32.const 9) (i32.const 512))
  (call $open (i32.load (i32.const 516)) (i32.const 0) (i32.const 528))
  (call $next (i32.load (i32.const 532)) (i32.const 544))
  (call $next (i32.load (i32.const 532)) (i32.const 544))
  (local.set $handle (call $artifact (i32.const 256) (i32.const 3) (i32.const 265) (i32.const 10)
    (i32.const 0) (i32.const 0) (i32.const 0)))
  (call $write (local.get $handle) (i32.const 0) (i32.const 1000))
  (call $finish (local.get $handle))
  (call $ok (local.get 0) (i64.const 1)))
"#;

/// Processor time of this thread.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.cast_unsigned(), u32::try_from(time.tv_nsec).unwrap())
}

fn run_with(rule: &AdmittedRule, limit: Limit, granted: u64) -> Run {
    let input = input(rule);
    let limits = input.limits.with(limit, granted).unwrap();
    // Without bytes, fuel is what is granted and nothing more.
    rule.run(RunInput { limits, raw: if limit == Limit::SpecimenBytes { input.raw } else { Bytes::new() }, ..input })
        .unwrap()
}

#[test]
fn every_limit_of_the_table_has_a_run_just_under_it_and_one_just_over() {
    let sandbox = sandbox();
    let uses = rule(&sandbox, USES_EVERYTHING);
    let usage = run_with(&uses, Limit::WallMs, 100_000).usage;
    for spec in &LIMITS {
        let limit = spec.limit;
        let used = if limit == Limit::SpecimenBytes { RAW.len() as u64 } else { usage.used.get(limit) };
        match pair(limit) {
            Pair::Ends(kind) => {
                let under = run_with(&uses, limit, used);
                assert_eq!(under.verdict.kind(), "produced", "{used} {limit}");
                assert_eq!(under.usage.used.get(limit), used);
                let over = run_with(&uses, limit, used - 1).verdict;
                assert_eq!(over.kind(), kind, "{limit}");
                let message = over.to_string();
                assert!(message.contains(&format!("{} ", used - 1)) && message.ends_with("granted"), "{message}");
            }
            Pair::Loses { line } => {
                assert_eq!(run_with(&uses, limit, line).usage.log_lines_lost, 0, "{limit}");
                let over = run_with(&uses, limit, line - 1);
                assert_eq!((over.verdict.kind(), over.usage.log_lines_lost), ("produced", 1), "{limit}");
            }
            Pair::Refused => component_passes_at_its_size_and_is_refused_above(&sandbox),
            Pair::Deadline => run_has_its_verdict_within_its_time_and_none_past_it(&sandbox),
        }
    }
    // Four pages, and the table through which the component reaches its imports.
    assert!((4 * 65_536..5 * 65_536).contains(&usage.used.get(Limit::MemoryBytes)));
    assert_eq!((usage.used.get(Limit::Calls), usage.used.get(Limit::CallBytes)), (8, 1_000));
}

#[test]
fn asking_for_code_passes_the_budget_and_costs_fuel() {
    let sandbox = sandbox();
    let asks = rule(&sandbox, ASKS_FOR_CODE);
    let used = run_with(&asks, Limit::WallMs, 100_000).usage.used;
    assert_eq!(used.get(Limit::Calls), CODE_CALLS);
    for (limit, ended) in [(Limit::Calls, "over-budget"), (Limit::Fuel, "out-of-fuel")] {
        let used = used.get(limit);
        assert_eq!(run_with(&asks, limit, used).verdict.kind(), "produced", "{limit}");
        assert_eq!(run_with(&asks, limit, used - 1).verdict.kind(), ended, "{limit}");
    }
    // Each call costs what every call does, and not the operator alone.
    assert!(used.get(Limit::Fuel) > CODE_CALLS * 1_600, "{}", used.get(Limit::Fuel));
}

#[test]
fn full_log_loses_lines_and_ends_no_run() {
    let sandbox = sandbox();
    let rule = rule(&sandbox, USES_EVERYTHING);
    let check = |limit: Limit, granted: u64, kept: &[&str], lost: u64| {
        let run = run_with(&rule, limit, granted);
        assert_eq!(run.verdict.kind(), "produced");
        let lines: Vec<_> = run.log.iter().map(|line| line.message.as_str()).collect();
        assert_eq!((lines.as_slice(), run.usage.log_lines_lost), (kept, lost), "{granted} {limit}");
    };
    check(Limit::LogLines, 1, &["canon"], 0);
    check(Limit::LogLines, 0, &[], 1);
    check(Limit::LogBytes, 5, &["canon"], 0);
    check(Limit::LogBytes, 4, &["c…"], 1);
    check(Limit::LogBytes, 0, &[], 1);
}

fn component_passes_at_its_size_and_is_refused_above(sandbox: &Sandbox) {
    let bytes = component(GOOD);
    let grants =
        |granted| Grants { limits: Limits::default().with(Limit::ComponentBytes, granted).unwrap(), ..Grants::all() };
    let found_bytes = bytes.len() as u64;
    assert!(sandbox.admit(&bytes, None, &grants(found_bytes)).is_ok());
    let Err(AdmitFailure::Refused(refusal)) = sandbox.admit(&bytes, None, &grants(found_bytes - 1)) else {
        panic!("admitted")
    };
    assert_eq!(refusal, AdmissionError::TooLarge { found_bytes, allowed_bytes: found_bytes - 1 });
}

#[test]
fn page_is_cut_to_the_bytes_of_one_call() {
    let sandbox = sandbox();
    // Asks for every transaction and reports how many came.
    let fields = r#"
        (import "refiner:rule/specimen" "[method]block-specimen.transactions" (func $page (param i32 i32 i32 i32)))
        (func (export "refiner:rule/rule#refine") (param i32) (result i32)
          (call $page (local.get 0) (i32.const 0) (i32.const -1) (i32.const 256))
          (call $ok (local.get 0) (i64.extend_i32_u (i32.load (i32.const 260)))))"#;
    let rule = rule(&sandbox, fields);
    let check = |granted, expected| {
        assert_eq!(run_with(&rule, Limit::CallBytes, granted).verdict, expected, "{granted}");
    };
    let transactions = |records| Verdict::Produced { artifacts: Vec::new(), records };
    check(720, transactions(3));
    check(719, transactions(2));
    check(240, transactions(1));
    check(239, Verdict::OverBudget { limit: Limit::CallBytes, granted: 239 });
}

#[test]
fn deadline_is_a_failure_and_no_verdict() {
    let sandbox = sandbox();
    let rule = rule(&sandbox, SPINS);
    let mut input = input(&rule);
    input.limits = input.limits.with(Limit::Fuel, Limit::Fuel.spec().cap).unwrap().with(Limit::WallMs, 50).unwrap();
    let start = processor_time();
    assert!(matches!(rule.run(input), Err(HostFailure::Deadline { wall_ms: 50 })));
    let used_ms = (processor_time() - start).as_millis();
    assert!((50..500).contains(&used_ms), "{used_ms} ms");
}

fn run_has_its_verdict_within_its_time_and_none_past_it(sandbox: &Sandbox) {
    /// Some tenths of a second of work.
    const FUEL: u64 = 20_000_000_000;
    /// The factor by which a busy machine may be faster or slower from one run to the next.
    const MARGIN: u64 = 5;
    let spins = rule(sandbox, SPINS);
    let run_within = |wall_ms| {
        let mut input = input(&spins);
        input.limits = input.limits.with(Limit::Fuel, FUEL).unwrap().with(Limit::WallMs, wall_ms).unwrap();
        let granted = input.limits.fuel_for(input.raw.len() as u64);
        (spins.run(input), Verdict::OutOfFuel { granted })
    };
    let begun = processor_time();
    let (ended, verdict) = run_within(Limit::WallMs.spec().cap);
    assert_eq!(ended.unwrap().verdict, verdict);
    let needs_ms = u64::try_from((processor_time() - begun).as_millis()).unwrap();
    let (ended, verdict) = run_within(needs_ms * MARGIN);
    assert_eq!(ended.unwrap().verdict, verdict);
    let wall_ms = needs_ms / MARGIN;
    let (ended, _) = run_within(wall_ms);
    assert!(matches!(ended, Err(HostFailure::Deadline { wall_ms: found }) if found == wall_ms), "{ended:?}");
}

#[test]
fn deadlines_come_while_any_rule_of_a_dropped_sandbox_lives() {
    let sandbox = sandbox();
    let spins = rule(&sandbox, SPINS);
    drop(sandbox);
    let mut input = input(&spins);
    input.limits = input.limits.with(Limit::Fuel, Limit::Fuel.spec().cap).unwrap().with(Limit::WallMs, 20).unwrap();
    assert!(matches!(spins.run(input), Err(HostFailure::Deadline { wall_ms: 20 })));
}

#[test]
fn fuel_grows_with_the_specimen_and_never_past_its_cap() {
    let limits = Limits::default();
    let default = Limit::Fuel.spec().default;
    assert_eq!(limits.fuel_for(0), default);
    assert_eq!(limits.fuel_for(1_000_000), default + 1_000_000 * FUEL_PER_INPUT_BYTE);
    assert_eq!(limits.fuel_for(u64::MAX), Limit::Fuel.spec().cap);
}

#[test]
fn deadline_grows_with_the_fuel_of_the_specimen_and_never_past_its_cap() {
    let limits = Limits::default();
    let default = Limit::WallMs.spec().default;
    assert_eq!(limits.deadline_ms(0), default);
    // Half a megabyte adds seven and a half seconds of fuel, on a machine a third as fast as the README's.
    assert_eq!(limits.deadline_ms(500_000), default + 7_000);
    assert_eq!(limits.deadline_ms(u64::MAX), default + 360_000);
    let most = limits.with(Limit::WallMs, Limit::WallMs.spec().cap).unwrap();
    assert_eq!(most.deadline_ms(u64::MAX), Limit::WallMs.spec().cap);
}

#[test]
fn default_fuel_takes_half_of_its_deadline_and_the_most_fuel_its_own_on_a_machine_a_third_as_fast() {
    let slowest_ms = |fuel: u64| fuel / 1_000 * 3 * UNIT_PICOSECONDS / 1_000_000;
    assert!(slowest_ms(Limit::Fuel.spec().default) <= Limit::WallMs.spec().default / 2);
    assert!(slowest_ms(Limit::Fuel.spec().cap) <= Limit::WallMs.spec().cap);
    // Whatever the specimen's length.
    for bytes in [0, 1, 100_000, 10 << 20, 64 << 20, 256 << 20] {
        let limits = Limits::default();
        assert!(slowest_ms(limits.fuel_for(bytes)) <= limits.deadline_ms(bytes), "{bytes}");
    }
}

#[test]
fn limit_can_be_granted_up_to_its_cap_and_not_above() {
    for spec in &LIMITS {
        assert!(spec.default <= spec.cap, "{}", spec.name);
        assert_eq!(Limit::from_name(spec.name), Some(spec.limit));
        assert_eq!(spec.limit.spec(), spec);
        assert!(Limits::default().with(spec.limit, spec.cap).is_ok());
        let refused = Limits::default().with(spec.limit, spec.cap + 1).unwrap_err();
        assert_eq!((refused.limit, refused.asked), (spec.limit, spec.cap + 1));
    }
}

#[test]
fn deep_recursion_traps_on_a_thread_with_the_stack_of_std() {
    let sandbox = sandbox();
    let rule = rule(
        &sandbox,
        r#"(func $deeper (param i32) (result i32) (i32.add (call $deeper (local.get 0)) (i32.const 1)))
        (func (export "refiner:rule/rule#refine") (param i32) (result i32) (call $deeper (i32.const 0)))"#,
    );
    let verdict = thread::scope(|scope| scope.spawn(|| run(&rule).verdict).join()).unwrap();
    assert_eq!(verdict.to_string(), "trapped: call stack exhausted after 1048576 bytes");
}
