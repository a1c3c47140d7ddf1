//! Blocks that an evm-server executes for workers that cannot reach it.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

mod support;

use std::{
    fs, iter,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use alloy_primitives::Bytes;
use refiner_evm::{Answer, Difference, EmbeddedExecutor, OnDifference, ResultFormat};
use refiner_evm_server::remote::{EvmServerClient, RemoteLimits};
use refiner_rule_model::{HostFailure, Limit, Params, Verdict};
use refiner_testkit::evm_server::{EvmServerDouble, Fault};
use refiner_worker::{CompiledRule, Executes, Job, Pool, PoolConfig, ProtocolError, Quarantined, WorkerFailure};
use rustix::process::{Pid, Signal, kill_process};
use support::{child, compiled, config, job, workspace};

/// Has the block executed in era B, ignores the result, and reports 7 records.
const CONTENT: &str = r#"
(import "refiner:rule/evm" "execute" (func $execute (param i32 i32 i32 i32)))
(data (i32.const 256) "evm-server@b")
(func (export "refiner:rule/rule#refine") (param i32) (result i32)
  (call $execute (local.get 0) (i32.const 256) (i32.const 12) (i32.const 512))
  (call $ok (local.get 0) (i64.const 7)))"#;

const LONG: Duration = Duration::from_secs(30);

fn sample() -> Bytes {
    fs::read(workspace().join("tests/samples/1-15600000.avro")).unwrap().into()
}

/// Era B's document of it.
fn right_answer(raw: &Bytes) -> Bytes {
    let specimen = refiner_specimen::decode(raw).unwrap();
    let era_b = ResultFormat::ALL.into_iter().find(|format| format.as_str() == "evm-server@b").unwrap();
    EmbeddedExecutor::default().execute(&specimen, era_b).unwrap().block_result(&specimen).unwrap()
}

fn double(raw: &Bytes) -> EvmServerDouble {
    let double = EvmServerDouble::start().unwrap();
    double.teach(raw, &right_answer(raw));
    double
}

fn client(double: &EvmServerDouble) -> Arc<EvmServerClient> {
    let limits = RemoteLimits { tries: 2, pause: Duration::from_millis(1), ..RemoteLimits::default() };
    Arc::new(EvmServerClient::new(&double.url(), limits).unwrap())
}

fn pool(double: &EvmServerDouble) -> Pool {
    Pool::new(config(1)).unwrap().executing(Executes::Server(client(double)))
}

/// The built-in rule, where it is built.
fn block_result() -> Option<Arc<CompiledRule>> {
    let Ok(rule) = fs::read(workspace().join("target/rules/block-result.wasm")) else {
        println!("skipped: target/rules/block-result.wasm not built");
        return None;
    };
    Some(Arc::new(support::compiler().compile(rule.into(), None, &refiner_rule_model::Grants::all()).unwrap()))
}

fn in_era_b(rule: &Arc<CompiledRule>, raw: &Bytes) -> Job {
    Job { params: iter::once(("format", "evm-server@b")).collect::<Params>(), ..job(rule, raw) }
}

fn produced(verdict: &Verdict) -> &Bytes {
    let Verdict::Produced { artifacts, .. } = verdict else { panic!("{verdict}") };
    &artifacts[0].bytes
}

#[test]
fn worker_gives_the_evm_servers_bytes_which_are_the_embedded_ones() {
    let (Some(rule), raw) = (block_result(), sample()) else { return };
    let double = double(&raw);
    let job = in_era_b(&rule, &raw);
    let remote = pool(&double).run(&job).unwrap().run;
    assert_eq!(double.processed(), 1);
    let embedded = support::pool(1).run(&job).unwrap().run;
    assert_eq!(produced(&remote.verdict), &right_answer(&raw));
    assert_eq!(remote, embedded, "fuel and every other use included");
}

#[test]
fn lie_of_the_server_is_seen_by_the_worker() {
    let (Some(rule), raw) = (block_result(), sample()) else { return };
    let double = double(&raw);
    double.fault(Fault::OtherGas);
    let Quarantined { reason, tries } = pool(&double).run(&in_era_b(&rule, &raw)).unwrap_err();
    let WorkerFailure::Host(HostFailure::ExecutorUnavailable { reason }) = reason else { panic!("{reason}") };
    assert!(reason.as_str().contains("gasUsed"), "{reason}");
    assert_eq!(tries, 1, "later is better than at once");
}

#[test]
fn rule_that_swallows_a_missing_server_has_no_verdict() {
    let raw = sample();
    let double = double(&raw);
    let rule = compiled(CONTENT);
    let pool = pool(&double);
    assert!(matches!(pool.run(&job(&rule, &raw)).unwrap().run.verdict, Verdict::Produced { records: 7, .. }));
    double.fault(Fault::Empty);
    let Quarantined { reason, .. } = pool.run(&job(&rule, &raw)).unwrap_err();
    let WorkerFailure::Host(HostFailure::ExecutorUnavailable { reason }) = reason else { panic!("{reason}") };
    assert!(reason.as_str().contains("200 and nothing"), "{reason}");
    double.mend();
    assert!(pool.run(&job(&rule, &raw)).is_ok());
}

#[test]
fn worker_killed_while_it_waits_for_the_server_loses_nothing() {
    let raw = sample();
    let double = double(&raw);
    let (rule, pool) = (compiled(CONTENT), pool(&double));
    double.fault_times(Fault::Hold, 1);
    thread::scope(|scope| {
        let run = scope.spawn(|| pool.run(&job(&rule, &raw)));
        assert!(double.sees_requests(1, LONG));
        let pid = pool.workers()[0].pid;
        kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), Signal::KILL).unwrap();
        double.mend();
        let run = run.join().unwrap().unwrap();
        assert!(matches!(run.run.verdict, Verdict::Produced { records: 7, .. }));
        assert_eq!((run.tries, double.processed()), (2, 2));
    });
}

/// The failure of a worker that lies in this way.
fn caught(lie: &str, executes: Executes) -> WorkerFailure {
    let hostile_children = PoolConfig { command: child(&format!("hostile:{lie}")), ..config(1) };
    let pool = Pool::new(hostile_children).unwrap().executing(executes);
    let mut job = job(&compiled(CONTENT), &sample());
    job.limits = job.limits.with(Limit::WallMs, 2_000).unwrap();
    pool.run(&job).unwrap_err().reason
}

#[test]
fn worker_that_was_taken_over_gets_no_more_executions_than_its_run_was_granted() {
    let double = double(&sample());
    let failure = caught("executes-for-ever", Executes::Server(client(&double)));
    let over = ProtocolError::OverGrant { limit: Limit::EvmExecutions, sent: 2, granted: 1 };
    assert!(matches!(&failure, WorkerFailure::Protocol(error) if error.to_string() == over.to_string()), "{failure}");
    assert_eq!(double.processed(), 2, "one for each of two tries");
}

#[test]
fn worker_that_was_taken_over_reaches_no_server_that_nobody_chose() {
    for lie in ["executes-for-ever", "differs-unasked"] {
        let failure = caught(lie, Executes::Workers);
        assert!(matches!(failure, WorkerFailure::Protocol(ProtocolError::Unexpected { .. })), "{lie}: {failure}");
    }
}

#[test]
fn worker_that_was_taken_over_makes_no_verdict_of_a_missing_server() {
    let double = double(&sample());
    double.fault(Fault::Empty);
    let failure = caught("executes-and-is-content", Executes::Server(client(&double)));
    assert!(matches!(failure, WorkerFailure::Host(HostFailure::ExecutorUnavailable { .. })), "{failure}");
}

#[test]
fn difference_reaches_the_coordinator_and_ends_as_the_policy_says() {
    let (Some(rule), raw) = (block_result(), sample()) else { return };
    let double = double(&raw);
    let job = in_era_b(&rule, &raw);
    let run = |on_difference| {
        let kept = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&kept);
        let keep = Arc::new(move |difference: &Difference| into.lock().unwrap().push(difference.clone()));
        let executes = Executes::Both { server: client(&double), on_difference, keep };
        let run = Pool::new(config(1)).unwrap().executing(executes).run(&job);
        let kept = kept.lock().unwrap().clone();
        (run, kept)
    };
    let (agreed, kept) = run(OnDifference::Hold);
    assert!(agreed.is_ok() && kept.is_empty());

    double.fault(Fault::OtherRoot);
    let right = Answer::Document(right_answer(&raw));
    let (ours, kept) = run(OnDifference::PreferEmbedded);
    assert_eq!(produced(&ours.unwrap().run.verdict), &right_answer(&raw));
    let [Difference { chain_id: 1, height: 15_600_000, embedded, remote, .. }] = kept.as_slice() else {
        panic!("{} differences", kept.len())
    };
    assert_eq!(*embedded, right);
    assert_ne!(*remote, right);
    let (theirs, kept) = run(OnDifference::PreferRemote);
    assert_eq!(Answer::Document(produced(&theirs.unwrap().run.verdict).clone()), kept[0].remote);
    let (held, kept) = run(OnDifference::Hold);
    assert!(matches!(held.unwrap_err().reason, WorkerFailure::Host(HostFailure::ExecutorUnavailable { .. })));
    assert_eq!(kept.len(), 1);
}
