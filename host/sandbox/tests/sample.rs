//! Runs that are stopped on the way: the place that they have come to.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use refiner_rule_model::{FuelParts, FuelSample, Function, HostFailure, Limit, SAMPLE_FRAMES_MAX};
use refiner_sandbox::AdmittedRule;
use refiner_testruns::{RunInput, input, rule, run, sandbox};

const TO_THE_END: FuelParts = FuelParts { code: u64::MAX, calls: u64::MAX };

/// Spins, writes 100 bytes to the log ten times, and spins again in a function of a function.
const WORKS: &str = r#"
(import "refiner:rule/log" "write" (func $log (param i32 i32 i32)))
(func $spin (param $n i32)
  (loop $again (local.set $n (i32.sub (local.get $n) (i32.const 1))) (br_if $again (local.get $n))))
(func $talk (param $n i32)
  (loop $again
    (call $log (i32.const 1) (i32.const 256) (i32.const 100))
    (local.set $n (i32.sub (local.get $n) (i32.const 1))) (br_if $again (local.get $n))))
(func $long (call $spin (i32.const 3000)))
(func $refine (export "refiner:rule/rule#refine") (param i32) (result i32)
  (call $spin (i32.const 1000)) (call $talk (i32.const 10)) (call $long) (call $ok (local.get 0) (i64.const 0)))"#;

fn sampled(rule: &AdmittedRule, stop: FuelParts) -> FuelSample {
    rule.sample(input(rule), stop).unwrap()
}

fn names(sample: &FuelSample) -> Vec<String> {
    let name = |function: &Function| match function {
        Function::Named(name) => name.to_string(),
        Function::Numbered(number) => number.to_string(),
    };
    sample.functions.iter().map(name).collect()
}

#[test]
fn run_is_stopped_where_its_code_or_its_calls_have_used_so_much_fuel() {
    let sandbox = sandbox();
    let rule = rule(&sandbox, WORKS);
    let whole = sampled(&rule, TO_THE_END);
    assert_eq!(whole.used.sum(), run(&rule).usage.used.get(Limit::Fuel), "the parts are all of it");
    assert_eq!((whole.functions.len(), &whole.call), (0, &None), "it ended");
    assert_eq!(whole.used.calls, 10 * (1_600 + 100 * 8));

    let at = |code, calls| sampled(&rule, FuelParts { code, calls });
    let check = |sample: &FuelSample, expected: &[&str], call: Option<&str>| {
        assert_eq!(names(sample), expected);
        assert_eq!(sample.call.as_ref().map(|call| call.as_str()), call);
        assert!(!sample.is_cut);
    };
    let eighth = whole.used.code / 8;
    let (first, last) = (at(eighth, u64::MAX), at(6 * eighth, u64::MAX));
    check(&first, &["spin", "refine"], None);
    assert_eq!(first.used, FuelParts { code: eighth + 1, calls: 0 }, "its code is stopped where it used one unit more");
    check(&last, &["spin", "long", "refine"], None);
    assert_eq!(last.used.calls, whole.used.calls);

    let called = at(u64::MAX, 2_400);
    check(&called, &["talk", "refine"], Some("log.write"));
    assert_eq!(called.used.calls, 2_400, "one call is made, and the second is charged a unit too much");
    assert!(called.used.code > first.used.code && called.used.code < last.used.code);
    check(&at(u64::MAX, whole.used.calls), &[], None);
    assert_eq!(at(u64::MAX, 2_400), called, "the same every time");
}

#[test]
fn stack_of_a_sample_is_cut_to_its_innermost_functions() {
    let recursive = |depth: usize| {
        format!(
            r#"(func $deeper (param $n i32)
                (if (local.get $n) (then (call $deeper (i32.sub (local.get $n) (i32.const 1))))
                  (else (loop $for_ever (br $for_ever)))))
            (func $refine (export "refiner:rule/rule#refine") (param i32) (result i32)
                (call $deeper (i32.const {depth})) (call $ok (local.get 0) (i64.const 0)))"#
        )
    };
    let sandbox = sandbox();
    // Beside itself there are the first call and `refine`.
    for (depth, is_cut) in [(SAMPLE_FRAMES_MAX - 2, false), (SAMPLE_FRAMES_MAX - 1, true)] {
        let sample = sampled(&rule(&sandbox, &recursive(depth)), FuelParts { code: 1_000_000, calls: u64::MAX });
        let names = names(&sample);
        assert_eq!((names.len(), sample.is_cut), (SAMPLE_FRAMES_MAX, is_cut));
        assert_eq!(names.last().unwrap() == "refine", !is_cut, "the outermost is left out");
    }
}

#[test]
fn run_that_passes_its_deadline_before_the_place_has_no_sample() {
    let sandbox = sandbox();
    let spins = r#"(func (export "refiner:rule/rule#refine") (param i32) (result i32)
        (loop $for_ever (br $for_ever)) (unreachable))"#;
    let rule = rule(&sandbox, spins);
    let limits = rule.default_limits().with(Limit::WallMs, 50).unwrap();
    let limits = limits.with(Limit::Fuel, Limit::Fuel.spec().cap).unwrap();
    let ended = rule.sample(RunInput { limits, ..input(&rule) }, TO_THE_END);
    assert!(matches!(ended, Err(HostFailure::Deadline { .. })), "{ended:?}");
}
