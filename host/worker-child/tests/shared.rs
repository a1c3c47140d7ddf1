//! Rules of this program share a worker and its execution of a block; a stranger's rule shares nothing.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

mod support;

use std::{collections::BTreeSet, fs, path::PathBuf, sync::Arc, thread};

use alloy_primitives::Bytes;
use refiner_rule_model::{FuelParts, Grants, Limit, Limits, SpecimenHash, Verdict};
use refiner_worker::{CompiledRule, Job, Pool, PoolConfig};
use support::{COPY, compiled, component, config, job, real_specimens, specimen, workspace};

/// Rules that ask for an execution each, and three for a recording.
const RULES: [&str; 4] = ["block-result", "traces", "state-diffs", "opcode-gas"];
/// Specimens of a measurement.
const SPECIMENS: usize = 3;
/// Processor time of all of them for that of the dearest, in percent. The goal for a release build is 130.
const COST_PERCENT_MAX: u64 = 200;

fn built_in(name: &str) -> Option<Arc<CompiledRule>> {
    let Ok(component) = fs::read(workspace().join(format!("target/rules/{name}.wasm"))) else {
        println!("skipped: target/rules/{name}.wasm not built");
        return None;
    };
    let compiled = support::compiler().compile(component.into(), None, &Grants::all()).unwrap();
    Some(Arc::new(compiled.of_this_program()))
}

fn samples() -> Vec<Bytes> {
    let entries = fs::read_dir(workspace().join("tests/samples")).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|kind| kind == "avro")).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap().into()).collect()
}

fn pool_of(workers: usize, shared: &[Arc<CompiledRule>]) -> Pool {
    let chain = fs::read_to_string(workspace().join("tests/samples/devnet-1337.json")).unwrap();
    let pool = Pool::new(PoolConfig { chains: vec![chain], ..config(workers) }).unwrap();
    for rule in shared {
        pool.share(rule, Limits::with_evm());
    }
    pool
}

#[test]
fn rules_of_this_program_share_one_worker_and_each_gives_what_it_gives_alone() {
    let Some(rules) = RULES.into_iter().map(built_in).collect::<Option<Vec<_>>>() else { return };
    let (shared, alone) = (pool_of(1, &rules), pool_of(1, &[]));
    let mut produced = 0;
    for raw in samples() {
        for rule in &rules {
            let job = job(rule, &raw);
            let run = shared.run(&job).unwrap().run;
            produced += usize::from(matches!(run.verdict, Verdict::Produced { .. }));
            assert!(run == alone.run(&job).unwrap().run, "{} of {}", rule.manifest().name, job.specimen_hash.get());
        }
    }
    assert!(produced > RULES.len(), "{produced}");
    assert_eq!((shared.workers().len(), alone.workers().len()), (1, RULES.len()));

    // What is sampled on the way is the same run, too.
    let job = job(&rules[0], &samples()[0]);
    let stop = FuelParts { code: 100_000, calls: u64::MAX };
    assert_eq!(shared.sample(&job, stop).unwrap(), alone.sample(&job, stop).unwrap());
}

#[test]
fn runs_over_one_block_that_come_at_once_follow_each_other_in_one_worker() {
    let Some(rules) = RULES.into_iter().map(built_in).collect::<Option<Vec<_>>>() else { return };
    let (pool, raw) = (pool_of(4, &rules), samples().remove(0));
    // Runs over one block are recognised by its hash, which is known of a specimen that was announced.
    let specimen_hash = SpecimenHash::from(SpecimenHash::of(raw.clone()).get());
    thread::scope(|scope| {
        for rule in &rules {
            scope.spawn(|| pool.run(&Job { specimen_hash: specimen_hash.clone(), ..job(rule, &raw) }).unwrap());
        }
    });
    assert_eq!(pool.workers().len(), 1);
    // Limits other than those that were named make the run one of its own.
    let limits = Limits::with_evm().with(Limit::Calls, 100_000).unwrap();
    pool.run(&Job { limits, ..job(&rules[0], &raw) }).unwrap();
    assert_eq!(pool.workers().len(), 2);
}

#[test]
fn rule_of_a_stranger_is_alone_in_its_worker_whatever_it_is_named_with() {
    let quiet =
        r#"(func (export "refiner:rule/rule#refine") (param i32) (result i32) (call $ok (local.get 0) (i64.const 7)))"#;
    let strangers = [compiled(COPY), compiled(quiet)];
    let own: Vec<_> = [COPY, quiet].map(|fields| Arc::new((*compiled(fields)).clone().of_this_program())).into();
    let raw = specimen(1);
    for (rules, workers) in [(strangers.as_slice(), 2), (own.as_slice(), 1)] {
        let pool = pool_of(1, rules);
        for rule in rules {
            pool.run(&job(rule, &raw)).unwrap();
        }
        assert_eq!(pool.workers().len(), workers);
    }
    // Of the same bytes: what counts is where they came from.
    let pool = pool_of(1, &[Arc::clone(&own[0]), Arc::clone(&own[1])]);
    pool.run(&job(&own[0], &raw)).unwrap();
    pool.run(&job(&strangers[1], &raw)).unwrap();
    assert_eq!(pool.workers().iter().map(|worker| worker.pid).collect::<BTreeSet<_>>().len(), 2);
    assert_eq!(component(COPY), *own[0].component());
}

/// Processor time of the pool's workers in hundredths of a second.
fn processor_time(pool: &Pool) -> u64 {
    let of = |pid: u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        // Behind the name, which ends with the last parenthesis; user and system.
        let fields: Vec<_> = stat.rsplit_once(')').unwrap().1.split_whitespace().map(str::to_owned).collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    };
    pool.workers().iter().map(|worker| of(worker.pid)).sum()
}

#[test]
fn rules_of_this_program_in_workers_cost_little_more_than_the_dearest_of_them() {
    let Some(rules) = RULES.into_iter().map(built_in).collect::<Option<Vec<_>>>() else { return };
    let read = |path: &PathBuf| Bytes::from(fs::read(path).unwrap());
    let specimens: Vec<_> = real_specimens().iter().take(SPECIMENS).map(read).collect();
    let Some(first) = specimens.first() else { return };
    let cost = |pool: &Pool, rules: &[Arc<CompiledRule>]| {
        let run = |raw| rules.iter().for_each(|rule| drop(pool.run(&job(rule, raw)).unwrap()));
        run(first);
        let before = processor_time(pool);
        specimens.iter().for_each(run);
        processor_time(pool) - before
    };
    let each: Vec<_> = rules.iter().map(|rule| cost(&pool_of(1, &[]), std::slice::from_ref(rule))).collect();
    let (apart, shared) = (cost(&pool_of(1, &[]), &rules), cost(&pool_of(1, &rules), &rules));
    let dearest = each.iter().copied().max().unwrap().max(1);
    println!(
        "each {each:?}, apart {apart}, shared {shared} hundredths of a second: {} and {} percent of the dearest",
        apart * 100 / dearest,
        shared * 100 / dearest
    );
    assert!(shared * 100 / dearest < COST_PERCENT_MAX, "{shared} for {dearest}");
}
