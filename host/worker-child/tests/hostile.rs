//! Every folder of `tests/hostile`, through a compiler and a worker: where strangers' rules run.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test that cannot go on fails")]

mod support;

use std::{sync::Arc, time::Duration};

use alloy_primitives::Bytes;
use corpus::Case;
use meter::Meter;
use refiner_hostile::{corpus, meter};
use refiner_rule_model::{Limit, Limits};
use refiner_worker::{CompileError, CompileLimits, CompiledRule, Job, Pool, Quarantined, TRIES_MAX, WorkerFailure};
use support::{COPY, compiled, compiler, job, pool, specimen, specimen_with_state};

/// Resources that a case may take beyond its limits.
const GRACE: Duration = Duration::from_secs(1);
/// Wall time for each second of processor time that a machine under load may take. Deadlines count the latter.
const LOAD: u32 = 4;
/// By how much a case may move the memory of the process that gives it to a worker: a component, its code and what the pipes hold.
const COORDINATOR_BYTES_MAX: u64 = 32 << 20;
/// Memory that a worker may hold beside its grant: two copies of what it writes, and what the engine needs.
const ENGINE_BYTES: u64 = 32 << 20;
/// Layout of `support::specimen`.
const LAYOUT: &str = "0.35";

/// The end of the case, and its message.
type End = (String, String);

fn limits_of_compiler(case: &Case) -> CompileLimits {
    let limits = CompileLimits::default();
    match case.expected.compiler {
        Some(corpus::CompilerLimits { memory_bytes, wall_ms }) => CompileLimits { memory_bytes, wall_ms, ..limits },
        None => limits,
    }
}

fn play(pool: &Pool, case: &Case, component: Bytes, raw: &Bytes) -> End {
    let compiler = compiler().with_limits(limits_of_compiler(case));
    match compiler.compile(component, case.beside().as_deref(), &case.grants()) {
        Ok(rule) => run(pool, case, &Arc::new(rule), raw),
        Err(CompileError::Refused { reason, .. }) => ("refusal".to_owned(), reason.to_string()),
        Err(error) => ("failure".to_owned(), error.to_string()),
    }
}

fn run(pool: &Pool, case: &Case, rule: &Arc<CompiledRule>, raw: &Bytes) -> End {
    let limits = case.limits(rule.default_limits());
    match pool.run(&Job { limits, ..job(rule, raw) }) {
        Ok(run) => (run.run.verdict.kind().to_owned(), run.run.verdict.to_string()),
        Err(Quarantined { reason: WorkerFailure::Refused { reason, .. }, .. }) => {
            ("refusal".to_owned(), reason.to_string())
        }
        Err(Quarantined { reason, .. }) => ("failure".to_owned(), reason.to_string()),
    }
}

/// The most memory that any worker held which still waits.
fn peak_of_workers(pool: &Pool) -> u64 {
    let peaks = pool.workers().into_iter().map(|worker| meter::status_bytes(&worker.pid.to_string(), "VmHWM:"));
    peaks.max().unwrap_or_default()
}

#[test]
fn every_hostile_rule_ends_in_a_worker_as_its_folder_says_and_a_good_rule_runs_after_it() {
    let (good, stateless, with_state) = (job(&compiled(COPY), &specimen(1)), specimen(1), specimen_with_state(1));
    let good_pool = pool(1);
    good_pool.run(&good).unwrap();
    let engine = peak_of_workers(&good_pool);
    println!("a worker of a good rule holds {} KiB at most", engine >> 10);

    let cases = corpus::cases();
    let mut wrong = Vec::new();
    for case in &cases {
        let raw = if case.expected.needs_state { &with_state } else { &stateless };
        let (component, limits) = (Bytes::from(case.component()), case.limits(Limits::with_evm()));
        // Its own, so that what is seen of its workers is this case's doing.
        let pool = pool(1);
        let meter = Meter::begin();
        let found = play(&pool, case, component, raw);
        let (took, grown) = meter.read();
        let held = peak_of_workers(&pool);
        println!(
            "{:<40} {:>8.1} ms {:>6} KiB here {:>8} KiB there  {}",
            case.name,
            took.as_secs_f64() * 1e3,
            grown >> 10,
            held >> 10,
            found.0
        );

        let expected = case.end(LAYOUT, &limits, raw.len());
        if found != expected {
            wrong.push(format!(
                "{}\n  expected {}: {}\n  found    {}: {}",
                case.name, expected.0, expected.1, found.0, found.1
            ));
        }
        let run = Duration::from_millis(limits.get(Limit::WallMs)) + GRACE;
        let allowed = Duration::from_millis(limits_of_compiler(case).wall_ms) + GRACE + run * TRIES_MAX * LOAD;
        assert!(took <= allowed, "{} took {took:?} of {allowed:?}", case.name);
        assert!(grown <= COORDINATOR_BYTES_MAX, "{} moved the supervisor's memory by {grown} bytes", case.name);
        let allowed = engine + ENGINE_BYTES + limits.get(Limit::MemoryBytes) + 2 * limits.get(Limit::OutputBytes);
        assert!(held <= allowed, "the worker of {} held {held} of {allowed} bytes", case.name);
        assert_eq!(good_pool.run(&good).unwrap().tries, 1, "after {}", case.name);
    }
    assert!(wrong.is_empty(), "{} of {} cases ended otherwise:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
