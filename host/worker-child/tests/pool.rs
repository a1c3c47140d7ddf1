//! Runs in workers give what the same runs give here, whatever happens to the workers.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

mod support;

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use alloy_primitives::Bytes;
use refiner_rule_model::{Grants, Limit, RefusalKind, Verdict};
use refiner_worker::{Job, Measure, Pool, PoolConfig, PoolError, Quarantined, WorkerFailure, WorkerRun};
use rustix::process::{Pid, Signal, kill_process};
use support::{COPY, SPIN, compiled, component, config, job, pool, real_specimens, run_here, specimen, workspace};

/// A wall limit that a test can wait for, with fuel that lasts longer.
fn hasty(mut job: Job) -> Job {
    job.limits = job.limits.with(Limit::WallMs, 300).unwrap().with(Limit::Fuel, Limit::Fuel.spec().cap).unwrap();
    job
}

fn kill(pid: u32) {
    // The worker may have ended since: that is what the test is about.
    let _ = kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), Signal::KILL);
}

fn alive(pid: u32) -> bool {
    fs::metadata(format!("/proc/{pid}")).is_ok()
}

/// Waits until a worker is at this attempt of a run, and gives its process id.
fn busy(pool: &Pool, attempt: u32) -> u32 {
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(worker) = pool.workers().iter().find(|worker| worker.attempt == Some(attempt)) {
            return worker.pid;
        }
        assert!(Instant::now() < until, "no worker became busy");
        thread::sleep(Duration::from_millis(1));
    }
}

fn failure(quarantined: Result<WorkerRun, Quarantined>) -> (WorkerFailure, u32) {
    let Quarantined { reason, tries } = quarantined.unwrap_err();
    (reason, tries)
}

#[test]
fn worker_gives_the_same_run_as_this_process() {
    let pool = pool(1);
    let job = job(&compiled(COPY), &specimen(17_000_000));
    let run = pool.run(&job).unwrap();
    assert_eq!(run.run, run_here(&component(COPY), &job));
    let Verdict::Produced { artifacts, records: 3 } = run.run.verdict else { panic!("{:?}", run.run.verdict) };
    assert_eq!(artifacts[0].bytes, job.raw);
    assert_eq!(run.tries, 1);
}

#[test]
fn worker_gives_the_same_block_results_of_real_specimens_as_this_process() {
    let Ok(rule) = fs::read(workspace().join("target/rules/block-result.wasm")) else {
        return println!("skipped: target/rules/block-result.wasm not built");
    };
    let rule = Bytes::from(rule);
    let compiled = Arc::new(support::compiler().compile(rule.clone(), None, &Grants::all()).unwrap());
    let pool = pool(1);
    for path in real_specimens() {
        let job = job(&compiled, &fs::read(&path).unwrap().into());
        assert_eq!(pool.run(&job).unwrap().run, run_here(&rule, &job), "{}", path.display());
    }
}

#[test]
fn one_worker_serves_many_runs_of_one_rule() {
    let pool = pool(1);
    let rule = compiled(COPY);
    pool.run(&job(&rule, &specimen(1))).unwrap();
    let before = pool.workers();
    for height in 2..20 {
        pool.run(&job(&rule, &specimen(height))).unwrap();
    }
    assert_eq!(pool.workers(), before);
}

#[test]
fn two_rules_never_share_a_worker() {
    let pool = pool(1);
    let quiet =
        r#"(func (export "refiner:rule/rule#refine") (param i32) (result i32) (call $ok (local.get 0) (i64.const 7)))"#;
    let rules = [compiled(COPY), compiled(quiet)];
    for _ in 0..3 {
        for rule in &rules {
            pool.run(&job(rule, &specimen(1))).unwrap();
        }
    }
    let served: Vec<_> = pool.workers().iter().map(|worker| worker.rule).collect();
    assert_eq!(served.len(), 2, "each rule keeps its worker");
    assert_ne!(served[0], served[1]);
}

#[test]
fn worker_is_replaced_after_its_share_of_runs_and_when_it_holds_too_much() {
    for replaced_each_time in
        [PoolConfig { runs_per_worker: 1, ..config(1) }, PoolConfig { resident_bytes_max: 4_096, ..config(1) }]
    {
        let pool = Pool::new(replaced_each_time).unwrap();
        let rule = compiled(COPY);
        for _ in 0..3 {
            pool.run(&job(&rule, &specimen(1))).unwrap();
            assert_eq!(pool.workers(), []);
        }
    }
}

#[test]
fn killed_worker_costs_one_retry_and_no_result() {
    let pool = pool(1);
    let job = hasty(job(&compiled(SPIN), &specimen(1)));
    let killed = thread::scope(|scope| {
        let run = scope.spawn(|| pool.run(&job));
        kill(busy(&pool, 1));
        let second = busy(&pool, 2);
        kill(second);
        failure(run.join().unwrap())
    });
    assert!(matches!(killed, (WorkerFailure::Died { signal: Some(9), .. }, 2)), "{killed:?}");
    assert_eq!(pool.workers(), []);

    let job = support::job(&compiled(COPY), &specimen(1));
    assert_eq!(pool.run(&job).unwrap().tries, 1);
}

#[test]
fn run_whose_worker_is_killed_in_the_middle_ends_as_if_it_was_not() {
    let pool = pool(1);
    let mut job = job(&compiled(SPIN), &specimen(1));
    job.limits = job.limits.with(Limit::Fuel, 500_000_000).unwrap();
    let run = thread::scope(|scope| {
        let run = scope.spawn(|| pool.run(&job));
        kill(busy(&pool, 1));
        run.join().unwrap().unwrap()
    });
    assert_eq!((run.tries, run.run.verdict.kind()), (2, "out-of-fuel"));
    assert_eq!(run.run, run_here(&component(SPIN), &job));
}

#[test]
fn idle_worker_that_was_killed_is_noticed_at_the_next_run() {
    let pool = pool(1);
    let job = job(&compiled(COPY), &specimen(1));
    let undisturbed = pool.run(&job).unwrap().run;
    kill(pool.workers()[0].pid);
    let again = pool.run(&job).unwrap();
    assert_eq!((again.run, again.tries), (undisturbed, 2));
}

/// [`COPY`], after some milliseconds of work: long enough to be killed in the middle of it.
fn works_and_copies() -> String {
    const WORK: &str = "(local.set $handle (i32.const 3000000))
      (loop $again
        (br_if $again (local.tee $handle (i32.sub (local.get $handle) (i32.const 1)))))";
    let begins = "(local $handle i32)";
    assert!(COPY.contains(begins));
    COPY.replace(begins, &format!("{begins} {WORK}"))
}

#[test]
fn a_thousand_runs_with_random_kills_give_the_same_outputs_as_undisturbed_ones() {
    const RUNS: u64 = 1_000;
    const SEED: u64 = 0x5eed;
    let pool = pool(2);
    let rule = component(&works_and_copies());
    let compiled = Arc::new(support::compiler().compile(rule.clone(), None, &Grants::all()).unwrap());
    let jobs: Vec<_> = (0..RUNS).map(|height| job(&compiled, &specimen(height % 10))).collect();
    let undisturbed: Vec<_> = jobs.iter().take(10).map(|job| run_here(&rule, job)).collect();

    let (next, done) = (AtomicUsize::new(0), AtomicBool::new(false));
    let (retried, kills) = thread::scope(|scope| {
        let runners: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut retried = 0;
                    while let Some((number, job)) = {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        jobs.get(number).map(|job| (number, job))
                    } {
                        let run = pool.run(job).unwrap();
                        assert_eq!(run.run, undisturbed[number % 10], "run {number}");
                        retried += u64::from(run.tries > 1);
                    }
                    retried
                })
            })
            .collect();
        let killer = scope.spawn(|| {
            let mut random = SEED;
            let mut kills = 0u64;
            while !done.load(Ordering::Relaxed) {
                // xorshift64
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                thread::sleep(Duration::from_micros(random % 3_000));
                // Only workers in the middle of a run; twice in one run would be quarantine, as it should be.
                let victims: Vec<_> = pool.workers().into_iter().filter(|worker| worker.attempt == Some(1)).collect();
                if let Some(victim) = victims.get(usize::try_from(random >> 32).unwrap() % victims.len().max(1)) {
                    kill(victim.pid);
                    kills += 1;
                }
            }
            kills
        });
        let retried: u64 = runners.into_iter().map(|runner| runner.join().unwrap()).sum();
        done.store(true, Ordering::Relaxed);
        (retried, killer.join().unwrap())
    });
    println!("{kills} kills, {retried} of {RUNS} runs tried again");
    assert!(retried >= 100, "{kills} kills hit {retried} runs only");
}

#[test]
fn rule_that_never_returns_ends_at_its_wall_limit_and_its_worker_is_replaced() {
    let pool = pool(1);
    let begun = Instant::now();
    let ended = failure(pool.run(&hasty(job(&compiled(SPIN), &specimen(1)))));
    assert!(
        matches!(&ended.0, WorkerFailure::Host(refiner_rule_model::HostFailure::Deadline { wall_ms: 300 })),
        "{ended:?}"
    );
    assert_eq!(ended.1, 2);
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert_eq!(pool.workers(), []);
}

#[test]
fn stopped_worker_is_killed_at_its_wall_limit_and_replaced() {
    let pool = pool(1);
    let job = hasty(job(&compiled(SPIN), &specimen(1)));
    thread::scope(|scope| {
        let run = scope.spawn(|| pool.run(&job));
        let stopped = busy(&pool, 1);
        let begun = Instant::now();
        kill_process(Pid::from_raw(stopped.cast_signed()).unwrap(), Signal::STOP).unwrap();
        let second = busy(&pool, 2);
        assert!(begun.elapsed() < Duration::from_millis(300 + 500 + 1_000 + 4_000), "{:?}", begun.elapsed());
        assert_ne!(stopped, second);
        assert!(!alive(stopped));
        run.join().unwrap().unwrap_err();
    });
}

#[test]
fn what_would_happen_again_is_not_tried_again() {
    let pool = pool(1);
    let rule = compiled(COPY);
    let no_specimen = failure(pool.run(&job(&rule, &Bytes::from_static(b"no specimen"))));
    assert!(matches!(no_specimen, (WorkerFailure::NoSpecimen { .. }, 1)), "{no_specimen:?}");

    let spins_when_described = r#"(func (export "refiner:rule/rule#refine") (param i32) (result i32) unreachable)
        (func $spin (loop $again (br $again))) (start $spin)"#;
    let refused = failure(pool.run(&job(&compiled(spins_when_described), &specimen(1))));
    assert!(
        matches!(&refused, (WorkerFailure::Refused { kind: RefusalKind::Describe, reason }, 1) if reason.as_str().contains("out of fuel")),
        "{refused:?}"
    );
}

#[test]
fn dropped_pool_leaves_no_process_behind() {
    let pool = pool(2);
    let rule = compiled(COPY);
    thread::scope(|scope| {
        for height in 0..2 {
            scope.spawn({
                let (pool, rule) = (&pool, &rule);
                move || pool.run(&job(rule, &specimen(height))).unwrap()
            });
        }
    });
    let pids: Vec<_> = pool.workers().iter().map(|worker| worker.pid).collect();
    assert!(!pids.is_empty() && pids.iter().all(|pid| alive(*pid)));
    drop(pool);
    assert!(pids.iter().all(|pid| !alive(*pid)));
}

#[test]
fn worker_outlives_the_thread_that_first_needed_it() {
    let pool = pool(1);
    let rule = compiled(COPY);
    thread::scope(|scope| {
        scope.spawn(|| pool.run(&job(&rule, &specimen(1))).unwrap());
    });
    let before = pool.workers();
    thread::sleep(Duration::from_millis(50));
    assert_eq!(pool.run(&job(&rule, &specimen(2))).unwrap().tries, 1);
    assert_eq!(pool.workers(), before);
}

#[test]
fn pool_knows_what_its_workers_took_from_themselves() {
    let pool = pool(1);
    assert_eq!(pool.confinement(), None);
    pool.run(&job(&compiled(COPY), &specimen(1))).unwrap();
    let confinement = pool.confinement().unwrap();
    let listed: Vec<_> = confinement.iter().map(|(measure, _)| *measure).collect();
    assert_eq!(listed.len(), Measure::ALL.len(), "{listed:?}");
    assert!(Measure::ALL.iter().all(|measure| listed.contains(measure)), "{listed:?}");
    for (measure, outcome) in confinement.iter() {
        println!("{measure}: {outcome:?}");
    }
}

#[test]
fn pool_without_workers_is_refused() {
    assert!(matches!(Pool::new(config(0)), Err(PoolError::NoWorkers)));
}
