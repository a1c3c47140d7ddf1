//! Workers that were taken over: none makes the supervisor hang, panic or hold more than was granted.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

mod support;

use std::{
    fs,
    sync::Arc,
    time::{Duration, Instant},
};

use alloy_primitives::Bytes;
use refiner_rule_model::{FuelParts, Limit, Misuse};
use refiner_worker::{CompiledRule, Job, Pool, PoolConfig, ProtocolError, Quarantined, TRIES_MAX, WorkerFailure};
use support::{COPY, child, compiled, config, job, specimen};

/// Wall limit of these runs.
const WALL_MS: u64 = 500;

fn quick(rule: &Arc<CompiledRule>, raw: &Bytes) -> Job {
    let mut job = job(rule, raw);
    // Fuel at its cap, so that the specimen's length adds none, and no time for it.
    let fuel = Limit::Fuel.spec().cap;
    job.limits = job.limits.with(Limit::WallMs, WALL_MS).unwrap().with(Limit::Fuel, fuel).unwrap();
    job
}

/// The pool's result for a lie, and the growth of this process's memory at most.
fn caught(rule: &Arc<CompiledRule>, lie: &str, raw: &Bytes) -> (WorkerFailure, u64) {
    let pool = Pool::new(PoolConfig { command: child(&format!("hostile:{lie}")), ..config(1) }).unwrap();
    let (begun, before) = (Instant::now(), peak_bytes());
    let Quarantined { reason, tries } = pool.run(&quick(rule, raw)).unwrap_err();
    assert_eq!(tries, TRIES_MAX, "{lie}");
    // The limit is of processor time: on the wall, a child that computes takes longer on a machine under load.
    let load = if lie.starts_with("endless") { 4 } else { 1 };
    let allowed = (Duration::from_millis(WALL_MS + 500) + Duration::from_secs(1)) * TRIES_MAX * load;
    assert!(begun.elapsed() < allowed, "{lie} took {:?}", begun.elapsed());
    assert_eq!(pool.workers(), [], "{lie}");
    (reason, peak_bytes().saturating_sub(before))
}

/// The most this process ever held.
fn peak_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let kib = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    kib.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

#[test]
fn no_lie_costs_the_coordinator_more_than_was_granted() {
    let rule = compiled(COPY);
    let raw = specimen(1);
    let over = |limit| move |error: &ProtocolError| matches!(error, ProtocolError::OverGrant { limit: found, .. } if *found == limit);
    type Check = Box<dyn Fn(&ProtocolError) -> bool>;
    let cases: Vec<(&str, Check)> = vec![
        ("garbage", Box::new(|error| matches!(error, ProtocolError::UnknownKind { found: 0xff }))),
        ("other-version", Box::new(|error| matches!(error, ProtocolError::Version { found: 9 }))),
        ("endless-measures", Box::new(|error| matches!(error, ProtocolError::Truncated))),
        ("long-frame", Box::new(|error| matches!(error, ProtocolError::FrameTooLong { bytes: u32::MAX }))),
        ("endless-log", Box::new(over(Limit::LogLines))),
        ("endless-log-bytes", Box::new(over(Limit::LogBytes))),
        ("endless-artifacts", Box::new(over(Limit::Artifacts))),
        ("large-artifact", Box::new(over(Limit::OutputBytes))),
        ("empty-chunks", Box::new(|error| matches!(error, ProtocolError::TooManyBytes))),
        ("same-name", Box::new(|error| matches!(error, ProtocolError::Label(_)))),
        ("path", Box::new(|error| matches!(error, ProtocolError::Label(_)))),
        ("unlisted", Box::new(|error| matches!(error, ProtocolError::Label(Misuse::ArtifactUnlisted { .. })))),
        (
            "endless-evidence",
            Box::new(
                |error| matches!(error, ProtocolError::Unexpected { found } if format!("{found:?}") == "Evidence"),
            ),
        ),
        ("endless-checks", Box::new(|error| matches!(error, ProtocolError::TooMany { what: "checks", .. }))),
        (
            "unasked-sample",
            Box::new(|error| matches!(error, ProtocolError::Unexpected { found } if format!("{found:?}") == "Sample")),
        ),
        ("unknown-kind", Box::new(|error| matches!(error, ProtocolError::UnknownKind { found: 0x7f }))),
        ("cut-verdict", Box::new(|error| matches!(error, ProtocolError::LimitCount { found: 0 }))),
    ];
    for (lie, is_expected) in cases {
        let (failure, grown) = caught(&rule, lie, &raw);
        assert!(matches!(&failure, WorkerFailure::Protocol(error) if is_expected(error)), "{lie}: {failure:?}");
        assert!(grown < 16 << 20, "{lie} moved memory by {grown} bytes");
    }
}

#[test]
fn worker_that_is_silent_deaf_or_never_done_is_killed_at_the_wall_limit() {
    let rule = compiled(COPY);
    let (small, large) = (specimen(1), Bytes::from(vec![0; 8 << 20]));
    for (lie, raw) in [("silent", &small), ("deaf", &large), ("endless-stderr", &small), ("endless-chunks", &small)] {
        let (failure, grown) = caught(&rule, lie, raw);
        assert!(matches!(failure, WorkerFailure::Hung { wall_ms: 1_000 }), "{lie}: {failure:?}");
        assert!(grown < 80 << 20, "{lie} moved memory by {grown} bytes");
    }
}

#[test]
fn worker_that_dies_leaves_its_last_words_made_harmless() {
    let (failure, _) = caught(&compiled(COPY), "dies", &specimen(1));
    let WorkerFailure::Died { signal: None, end, output } = failure else { panic!("{failure:?}") };
    assert_eq!((end.to_string().as_str(), output.as_str()), ("exit status: 3", "out of tune\\u{1b}[2J"));
}

#[test]
fn worker_that_runs_to_the_end_where_it_was_to_stop_gives_no_sample() {
    let pool = Pool::new(PoolConfig { command: child("hostile:unlisted"), ..config(1) }).unwrap();
    let stop = FuelParts { code: 1, calls: 1 };
    let Quarantined { reason, tries } = pool.sample(&quick(&compiled(COPY), &specimen(1)), stop).unwrap_err();
    let WorkerFailure::Protocol(ProtocolError::Unexpected { found }) = reason else { panic!("{reason:?}") };
    assert_eq!((format!("{found:?}").as_str(), tries), ("Verdict", TRIES_MAX));
}

#[test]
fn worker_that_loaded_another_rule_runs_nothing() {
    let (failure, _) = caught(&compiled(COPY), "other-rule", &specimen(1));
    assert!(matches!(failure, WorkerFailure::OtherRule), "{failure:?}");
}
