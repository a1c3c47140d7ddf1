//! Every limit in a worker: what a run uses passes when just that is granted, and one less ends the run, as in this process.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a test that cannot go on fails"
)]

mod support;

use std::{sync::Arc, time::Instant};

use alloy_primitives::Bytes;
use limit_pairs::{ASKS_FOR_CODE, CODE_CALLS, Pair, SPINS, pair};
use refiner_hostile::{limit_pairs, scan_limits};
use refiner_rule_model::{FUEL_PER_INPUT_BYTE, Grants, HostFailure, LIMITS, Limit, Limits, RefusalKind, Run};
use refiner_worker::{CompileError, CompiledRule, Job, Pool, WorkerFailure};
use support::{compiled, compiler, component, job, pool, real_specimens, run_here, specimen_with_state, workspace};

/// A rule that uses something of every limit, and more fuel than the specimen's length adds.
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
  (local $handle i32) (local $round i32)
  (loop $again
    (local.set $round (i32.add (local.get $round) (i32.const 1)))
    (br_if $again (i32.lt_u (local.get $round) (i32.const 2000000))))
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

/// The run of `rule`, whose text is `fields`, in a worker; the verdict is that of this process.
fn run(pool: &Pool, rule: &Arc<CompiledRule>, fields: &str, raw: &Bytes, limit: Limit, granted: u64) -> Run {
    let job = job(rule, raw);
    let limits = job.limits.with(limit, granted).unwrap();
    let job = Job { limits, ..job };
    let run = pool.run(&job).unwrap().run;
    assert_eq!(run.verdict, run_here(&component(fields), &job).verdict, "{granted} {limit}");
    run
}

/// The least that a run which used so much needs to be granted: a specimen's length adds fuel.
fn needed(limit: Limit, used: u64, raw: &Bytes) -> u64 {
    if limit == Limit::Fuel { used - FUEL_PER_INPUT_BYTE * raw.len() as u64 } else { used }
}

#[test]
fn every_limit_of_the_table_has_a_run_in_a_worker_just_under_it_and_one_just_over() {
    let raw = Bytes::from(std::fs::read(workspace().join("tests/samples/1-22500001.avro")).unwrap());
    let (pool, rule) = (pool(1), compiled(USES_EVERYTHING));
    let run = |limit, granted| run(&pool, &rule, USES_EVERYTHING, &raw, limit, granted);
    let whole = run(Limit::LogLines, 1_000);
    assert_eq!(whole.verdict.kind(), "produced", "{}", whole.verdict);
    for spec in &LIMITS {
        let limit = spec.limit;
        match pair(limit) {
            Pair::Ends(ended) => {
                let granted = needed(limit, whole.usage.used.get(limit), &raw);
                assert_eq!(run(limit, granted).verdict.kind(), "produced", "{granted} {limit}");
                assert_eq!(run(limit, granted - 1).verdict.kind(), ended, "{} {limit}", granted - 1);
            }
            Pair::Loses { line } => {
                assert_eq!(run(limit, line).usage.log_lines_lost, 0, "{limit}");
                let over = run(limit, line - 1);
                assert_eq!((over.verdict.kind(), over.usage.log_lines_lost), ("produced", 1), "{limit}");
            }
            Pair::Refused => component_passes_a_compiler_at_its_size_and_is_refused_above(),
            Pair::Deadline => run_has_its_verdict_within_its_time_and_none_past_it(&raw),
        }
    }
}

/// The factor by which a busy machine may be faster or slower from one run to the next.
const MARGIN: u64 = 5;

fn run_has_its_verdict_within_its_time_and_none_past_it(raw: &Bytes) {
    let (pool, spins) = (pool(1), compiled(SPINS));
    let within = |wall_ms| {
        let job = job(&spins, raw);
        let limits = job.limits.with(Limit::Fuel, 20_000_000_000).unwrap().with(Limit::WallMs, wall_ms).unwrap();
        pool.run(&Job { limits, ..job })
    };
    let begun = Instant::now();
    let run = within(Limit::WallMs.spec().cap).unwrap().run;
    assert_eq!(run.verdict.kind(), "out-of-fuel");
    // No more processor time than this went by.
    let took_ms = u64::try_from(begun.elapsed().as_millis()).unwrap();
    assert_eq!(within(took_ms * MARGIN).unwrap().run.verdict, run.verdict);
    // A hundredth of it, since a busy machine takes many times the processor time on the wall.
    let wall_ms = (took_ms / 100).max(1);
    let ended = within(wall_ms).unwrap_err().reason;
    assert!(
        matches!(ended, WorkerFailure::Host(HostFailure::Deadline { .. }) | WorkerFailure::Hung { .. }),
        "{ended:?}"
    );
}

#[test]
fn asking_for_code_in_a_worker_passes_the_budget_and_costs_fuel() {
    let (pool, asks, raw) = (pool(1), compiled(ASKS_FOR_CODE), specimen_with_state(1));
    let run = |limit, granted| run(&pool, &asks, ASKS_FOR_CODE, &raw, limit, granted);
    let used = run(Limit::LogLines, 1_000).usage.used;
    assert_eq!(used.get(Limit::Calls), CODE_CALLS);
    assert_eq!(run(Limit::Calls, CODE_CALLS).verdict.kind(), "produced");
    assert_eq!(run(Limit::Calls, CODE_CALLS - 1).verdict.kind(), "over-budget");
    // What a specimen's length adds is more than these calls cost.
    assert!(used.get(Limit::Fuel) > CODE_CALLS * 1_600, "{}", used.get(Limit::Fuel));
}

#[test]
fn component_passes_a_compiler_at_each_limit_of_the_scan_and_is_refused_above() {
    let compiler = compiler();
    scan_limits::check(|component| {
        let refused = compiler.compile(component.to_vec().into(), None, &Grants::all()).unwrap_err();
        let CompileError::Refused { reason, .. } = refused else { panic!("{refused:?}") };
        reason.to_string()
    });
}

/// Part of its fuel that a built-in rule may use on a real block.
const FUEL_PART: u64 = 10;

#[test]
fn built_in_rules_use_less_than_a_tenth_of_their_fuel_on_real_blocks() {
    for name in ["block-result", "token-transfers", "transaction-summary", "state-access"] {
        let Ok(bytes) = std::fs::read(workspace().join(format!("target/rules/{name}.wasm"))) else {
            println!("skipped: no target/rules/{name}.wasm, which cargo xtask rules builds");
            continue;
        };
        let rule = Arc::new(compiler().compile(bytes.clone().into(), None, &Grants::all()).unwrap());
        for path in real_specimens() {
            let raw = Bytes::from(std::fs::read(&path).unwrap());
            let job = Job { limits: rule.default_limits(), ..job(&rule, &raw) };
            let run = run_here(&bytes, &job);
            assert_eq!(run.verdict.kind(), "produced", "{name} {}", path.display());
            let (used, granted) = (run.usage.used.get(Limit::Fuel), run.usage.granted.get(Limit::Fuel));
            println!("{name:<20} {used:>12} of {granted}, {:.0} times", granted as f64 / used as f64);
            assert!(used * FUEL_PART <= granted, "{name} used {used} of {granted} on {}", path.display());
        }
    }
}

fn component_passes_a_compiler_at_its_size_and_is_refused_above() {
    let bytes = component(USES_EVERYTHING);
    let grants = |granted| {
        let limits = Limits::caps().with(Limit::ComponentBytes, granted).unwrap();
        let wasi = refiner_rule_model::Capability::Wasi;
        let mut grants = Grants { limits, ..Grants::all() };
        grants.capabilities.remove(&wasi);
        grants
    };
    let length = bytes.len() as u64;
    compiler().compile(bytes.clone(), None, &grants(length)).unwrap();
    let refused = compiler().compile(bytes, None, &grants(length - 1)).unwrap_err();
    assert!(matches!(refused, CompileError::Refused { kind: RefusalKind::TooLarge, .. }), "{refused:?}");
}
