//! Fuel used, as it is reported of a run that trapped: exact where the engine leaves the function that ends, and otherwise too low by at most what that
//! function burned since it was entered or last called another.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use refiner_rule_model::{Limit, Run, TrapKind, Verdict};
use refiner_sandbox::Sandbox;
use refiner_testruns::{rule, run, sandbox};

/// Work of a function that returns before the trap, and of the function that traps.
const DONE: usize = 1_000;
const PENDING: usize = 100;

/// The run of a rule that calls a function of `done` additions, adds `pending` times itself, and then comes to `end`.
fn ended(sandbox: &Sandbox, done: usize, pending: usize, end: &str) -> Run {
    let add = "(local.set $n (i32.add (local.get $n) (i32.const 1)))";
    let fields = format!(
        r#"(table $t 1 funcref) (type $none (func))
        (func $works (result i32) (local $n i32) {} (local.get $n))
        (func $deeper (param i32) (result i32) (i32.add (call $deeper (local.get 0)) (i32.const 1)))
        (func (export "refiner:rule/rule#refine") (param i32) (result i32) (local $n i32)
          (local.set $n (call $works))
          {}
          {end}
          unreachable)"#,
        add.repeat(done),
        add.repeat(pending)
    );
    run(&rule(sandbox, &fields))
}

fn fuel(run: &Run) -> u64 {
    run.usage.used.get(Limit::Fuel)
}

fn trap(run: &Run) -> &TrapKind {
    let Verdict::Trapped(kind) = &run.verdict else { panic!("{}", run.verdict) };
    kind
}

/// Fuel of one addition with what is around it.
fn addition(sandbox: &Sandbox) -> u64 {
    let both = [PENDING, PENDING + 1].map(|pending| fuel(&ended(sandbox, DONE, pending, "(unreachable)")));
    both[1] - both[0]
}

#[test]
fn fuel_is_exact_after_a_trap_that_leaves_its_function_by_a_call_or_an_unreachable() {
    let sandbox = sandbox();
    let one = addition(&sandbox);
    assert!(one > 0);
    let ends = [
        "(unreachable)",
        "(call_indirect $t (type $none) (i32.const 0))",
        "(drop (call $deeper (i32.const 0)))",
        "(call $drop (i32.const 77))",
    ];
    for end in ends {
        let used = |done, pending| {
            let run = ended(&sandbox, done, pending, end);
            // A bad entry of a table may also be found outside of a call.
            assert_ne!(trap(&run).counts_all_fuel(), *trap(&run) == TrapKind::IndirectCall, "{end}: {}", run.verdict);
            fuel(&run)
        };
        let base = used(DONE, PENDING);
        assert_eq!(used(DONE, PENDING + 7) - base, 7 * one, "{end}: work of the function that traps");
        assert_eq!(used(DONE + 7, PENDING) - base, 7 * one, "{end}: work of one that returned");
    }
}

#[test]
fn fuel_after_a_trap_inside_a_function_lacks_what_that_function_burned_since_its_last_call_and_no_more() {
    let sandbox = sandbox();
    let one = addition(&sandbox);
    let ends = [
        "(drop (i32.load (i32.const -1)))",
        "(drop (table.get $t (i32.const 7)))",
        "(i32.store (i32.const -1) (local.get $n))",
        "(drop (i32.div_u (local.get $n) (i32.sub (local.get $n) (local.get $n))))",
        "(drop (i32.div_s (i32.const -2147483648) (i32.sub (i32.const 0) (i32.eq (local.get $n) (local.get $n)))))",
        "(drop (i32.trunc_f32_s (f32.div (f32.const 0) (f32.convert_i32_s (i32.sub (local.get $n) (local.get $n))))))",
    ];
    for end in ends {
        let run = ended(&sandbox, DONE, PENDING, end);
        assert!(!trap(&run).counts_all_fuel(), "{end}: {}", run.verdict);
        let exact = fuel(&ended(&sandbox, DONE, PENDING, "(unreachable)"));
        let lacks = exact - fuel(&run);
        assert!(lacks <= PENDING as u64 * one + 10, "{end} lacks {lacks}");
        // What was burned before is counted all the same.
        assert_eq!(fuel(&ended(&sandbox, DONE + 7, PENDING, end)) - fuel(&run), 7 * one, "{end}");
        // And it is one number, however often it runs.
        assert_eq!(fuel(&ended(&sandbox, DONE, PENDING, end)), fuel(&run), "{end}");
    }
}
