//! Every limit in a worker: what a run uses passes when just that is granted, and one less ends the run, as in this process.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a test that cannot go on fails"
)]

mod support;

use std::sync::Arc;

use alloy_primitives::Bytes;
use refiner_sandbox::{FUEL_PER_INPUT_BYTE, Grants, Limit, Limits, RefusalKind, Run};
use refiner_worker::{CompileError, CompiledRule, Job, Pool};
use support::{compiled, compiler, component, job, pool, real_specimens, run_here, specimen, workspace};

/// A rule that uses something of every limit, and more fuel than the specimen's length adds.
const USES_EVERYTHING: &str = r#"
;; output: can text/plain
(import "refiner:rule/output@1.0.0" "[constructor]artifact"
  (func $artifact (param i32 i32 i32 i32 i32 i32 i32) (result i32)))
(import "refiner:rule/output@1.0.0" "[method]artifact.write" (func $write (param i32 i32 i32)))
(import "refiner:rule/log@1.0.0" "write" (func $log (param i32 i32 i32)))
(import "refiner:rule/evm@1.0.0" "execute" (func $execute (param i32 i32 i32 i32)))
(data (i32.const 256) "canonicaltext/plain")
(func (export "refiner:rule/rule@1.0.0#refine") (param i32) (result i32)
  (local $handle i32) (local $round i32)
  (loop $again
    (local.set $round (i32.add (local.get $round) (i32.const 1)))
    (br_if $again (i32.lt_u (local.get $round) (i32.const 1000000))))
  (drop (memory.grow (i32.const 3)))
  (call $log (i32.const 1) (i32.const 256) (i32.const 5))
  (call $execute (local.get 0) (i32.const 256) (i32.const 9) (i32.const 512))
  (local.set $handle (call $artifact (i32.const 256) (i32.const 3) (i32.const 265) (i32.const 10)
    (i32.const 0) (i32.const 0) (i32.const 0)))
  (call $write (local.get $handle) (i32.const 0) (i32.const 1000))
  (call $ok (local.get 0) (i64.const 1)))
"#;

fn run(pool: &Pool, rule: &Arc<CompiledRule>, raw: &Bytes, limit: Limit, granted: u64) -> Run {
    let job = job(rule, raw);
    let limits = job.limits.with(limit, granted).unwrap();
    let job = Job { limits, ..job };
    let run = pool.run(&job).unwrap().run;
    assert_eq!(run.verdict, run_here(&component(USES_EVERYTHING), &job).verdict, "{granted} {limit}");
    run
}

#[test]
fn run_in_a_worker_passes_with_what_it_uses_and_ends_with_one_less() {
    let (pool, rule, raw) = (pool(1), compiled(USES_EVERYTHING), specimen(1));
    let whole = run(&pool, &rule, &raw, Limit::LogLines, 1_000);
    assert_eq!(whole.verdict.kind(), "produced", "{}", whole.verdict);
    let by_length = FUEL_PER_INPUT_BYTE * raw.len() as u64;
    for (limit, ended) in [
        (Limit::Fuel, "out-of-fuel"),
        (Limit::MemoryBytes, "out-of-memory"),
        (Limit::Calls, "over-budget"),
        (Limit::CallBytes, "over-budget"),
        (Limit::CopiedBytes, "over-budget"),
        (Limit::Artifacts, "over-budget"),
        (Limit::OutputBytes, "over-budget"),
        (Limit::EvmExecutions, "over-budget"),
        (Limit::SpecimenBytes, "over-budget"),
    ] {
        let used = whole.usage.used.get(limit);
        let granted = if limit == Limit::Fuel { used - by_length } else { used };
        assert_eq!(run(&pool, &rule, &raw, limit, granted).verdict.kind(), "produced", "{granted} {limit}");
        assert_eq!(run(&pool, &rule, &raw, limit, granted - 1).verdict.kind(), ended, "{} {limit}", granted - 1);
    }
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

#[test]
fn full_log_in_a_worker_loses_lines_and_ends_no_run() {
    let (pool, rule, raw) = (pool(1), compiled(USES_EVERYTHING), specimen(1));
    for (limit, granted, kept, lost) in
        [(Limit::LogLines, 1, 1, 0), (Limit::LogLines, 0, 0, 1), (Limit::LogBytes, 5, 1, 0), (Limit::LogBytes, 4, 1, 1)]
    {
        let run = run(&pool, &rule, &raw, limit, granted);
        assert_eq!(run.verdict.kind(), "produced");
        assert_eq!((run.log.len(), run.usage.log_lines_lost), (kept, lost), "{granted} {limit}");
    }
}

#[test]
fn component_passes_a_compiler_at_its_size_and_is_refused_above() {
    let bytes = component(USES_EVERYTHING);
    let grants = |granted| {
        let limits = Limits::caps().with(Limit::ComponentBytes, granted).unwrap();
        let wasi = refiner_sandbox::Capability::Wasi;
        let mut grants = Grants { limits, ..Grants::all() };
        grants.capabilities.remove(&wasi);
        grants
    };
    let length = bytes.len() as u64;
    compiler().compile(bytes.clone(), None, &grants(length)).unwrap();
    let refused = compiler().compile(bytes, None, &grants(length - 1)).unwrap_err();
    assert!(matches!(refused, CompileError::Refused { kind: RefusalKind::TooLarge, .. }), "{refused:?}");
}
