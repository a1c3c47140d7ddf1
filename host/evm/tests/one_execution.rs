//! One execution for several rules: the answers of the executor behind it, each worked out once.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use alloy_primitives::Bytes;
use refiner_evm::{
    ChainSpec, Chains, EmbeddedExecutor, Era, ExecuteError, Execution, Executor, RecordingTerms, ResultFormat,
    SharedExecutor, Unavailable,
};
use refiner_specimen::{Specimen, check::Check};

const STATE: RecordingTerms = RecordingTerms { payload_max: None, state: true, gas: false, bytes_max: 64 << 20 };
const CALLS: RecordingTerms =
    RecordingTerms { payload_max: Some(u32::MAX), state: false, gas: false, bytes_max: 64 << 20 };

/// The embedded executor, with a count of each kind of question.
#[derive(Default)]
struct Counting {
    executor: EmbeddedExecutor,
    /// Executions that are answered with "unavailable" before the first that succeeds.
    unavailable: AtomicUsize,
    executions: AtomicUsize,
    recordings: AtomicUsize,
    checks: AtomicUsize,
    senders: AtomicUsize,
    receipts: AtomicUsize,
}

fn add(counter: &AtomicUsize) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Counting {
    fn new() -> Arc<Self> {
        let devnet = fs::read_to_string(samples().join("devnet-1337.json")).unwrap();
        let chains = Chains::default().with(ChainSpec::from_geth_json(&devnet).unwrap());
        Arc::new(Self { executor: EmbeddedExecutor::new(chains), ..Self::default() })
    }

    /// Executions, recordings, checks, checks of senders, looks at the recorded receipts.
    fn asked(&self) -> [usize; 5] {
        [&self.executions, &self.recordings, &self.checks, &self.senders, &self.receipts]
            .map(|counter| counter.load(Ordering::Relaxed))
    }

    fn is_available(&self) -> Result<(), Unavailable> {
        let less_one = |left: usize| left.checked_sub(1);
        match self.unavailable.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less_one) {
            Ok(_) => Err(Unavailable::Server("the server is away".into())),
            Err(_) => Ok(()),
        }
    }
}

impl Executor for Counting {
    fn checks(&self, specimen: &Specimen) -> Vec<Check> {
        add(&self.checks);
        Executor::checks(&self.executor, specimen)
    }

    fn senders(&self, specimen: &Specimen) -> Check {
        add(&self.senders);
        Executor::senders(&self.executor, specimen)
    }

    fn execute(
        &self,
        specimen: &Specimen,
        raw: &Bytes,
        format: ResultFormat,
    ) -> Result<Result<Execution, ExecuteError>, Unavailable> {
        self.is_available()?;
        add(&self.executions);
        Executor::execute(&self.executor, specimen, raw, format)
    }

    fn record(
        &self,
        specimen: &Specimen,
        raw: &Bytes,
        terms: RecordingTerms,
    ) -> Result<Result<Execution, ExecuteError>, Unavailable> {
        self.is_available()?;
        add(&self.recordings);
        Executor::record(&self.executor, specimen, raw, terms)
    }

    fn recorded_receipts(&self, specimen: &Specimen) -> Option<Execution> {
        add(&self.receipts);
        self.executor.recorded_receipts(specimen)
    }
}

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/samples")
}

fn blocks() -> Vec<(Specimen, Bytes)> {
    let entries = fs::read_dir(samples()).unwrap().map(|entry| entry.unwrap().path());
    let specimens = entries.filter(|path| path.extension().is_some_and(|extension| extension == "avro"));
    let blocks: Vec<_> = specimens
        .map(|path| {
            let raw = fs::read(path).unwrap();
            (refiner_specimen::decode(&raw).unwrap(), Bytes::from(raw))
        })
        .collect();
    assert!(blocks.len() >= 5, "{}", blocks.len());
    blocks
}

/// Everything of an execution that a rule can see.
fn seen(answer: &Result<Execution, ExecuteError>, specimen: &Specimen) -> String {
    match answer {
        Ok(execution) => {
            let document = execution.block_result(specimen);
            format!(
                "{:?} {} {:?} {:?} {:?} {document:?} {:?}",
                execution.basis,
                execution.gas_used,
                execution.receipts,
                execution.checks,
                execution.supplied,
                execution.unproven()
            )
        }
        Err(error) => format!("{error:?}"),
    }
}

#[test]
fn every_rule_of_a_block_sees_what_an_execution_of_its_own_would_give() {
    let formats = [ResultFormat::Canonical, ResultFormat::EvmServer(Era::D)];
    for (specimen, raw) in blocks() {
        let alone = Counting::new();
        let behind = Counting::new();
        let shared = SharedExecutor::new(Arc::clone(&behind) as _, Some(CALLS.joined(STATE)));
        for _ in 0..3 {
            assert_eq!(shared.checks(&specimen), Executor::checks(&alone.executor, &specimen));
            assert_eq!(shared.senders(&specimen), Executor::senders(&alone.executor, &specimen));
            for format in formats {
                let expected = alone.execute(&specimen, &raw, format).unwrap();
                let answer = shared.execute(&specimen, &raw, format).unwrap();
                assert_eq!(seen(&answer, &specimen), seen(&expected, &specimen), "{format}");
            }
            for terms in [CALLS, STATE] {
                let expected = alone.record(&specimen, &raw, terms).unwrap();
                let answer = shared.record(&specimen, &raw, terms).unwrap();
                assert_eq!(seen(&answer, &specimen), seen(&expected, &specimen));
                let recordings =
                    |answer: &Result<Execution, _>| answer.as_ref().ok().and_then(|it| it.recordings.clone());
                let (Some(answer), Some(expected)) = (recordings(&answer), recordings(&expected)) else { continue };
                if terms.state {
                    assert_eq!(answer.state, expected.state);
                } else {
                    assert_eq!(answer.frames, expected.frames);
                }
            }
            let receipts = |execution: Option<Execution>| execution.map(|it| seen(&Ok(it), &specimen));
            assert_eq!(receipts(shared.recorded_receipts(&specimen)), receipts(alone.recorded_receipts(&specimen)));
        }
        assert_eq!(behind.asked(), [1, 1, 1, 1, 1], "one era's execution, one that is recorded, and one of each other");
    }
}

#[test]
fn senders_that_a_document_needed_are_not_recovered_again() {
    for (specimen, raw) in blocks() {
        let behind = Counting::new();
        let shared = SharedExecutor::new(Arc::clone(&behind) as _, None);
        let Ok(execution) = shared.execute(&specimen, &raw, ResultFormat::Canonical).unwrap() else { continue };
        execution.block_result(&specimen).unwrap();
        assert_eq!(shared.senders(&specimen), Executor::senders(&behind.executor, &specimen));
        assert_eq!(behind.asked()[3], 0);
    }
}

#[test]
fn a_document_of_senders_that_are_known_rests_on_their_check() {
    for (specimen, raw) in blocks() {
        let shared = SharedExecutor::new(Counting::new() as _, None);
        let senders = shared.senders(&specimen);
        let Ok(execution) = shared.execute(&specimen, &raw, ResultFormat::Canonical).unwrap() else { continue };
        assert_eq!(execution.sender_check(), Some(&senders), "it is there before the document is written");
    }
}

#[test]
fn a_recording_on_larger_terms_is_made_by_an_execution_of_its_own() {
    let (specimen, raw) = blocks().swap_remove(0);
    let behind = Counting::new();
    let shared = SharedExecutor::new(Arc::clone(&behind) as _, Some(STATE));
    let larger = RecordingTerms { bytes_max: 1 << 30, ..STATE };
    for terms in [STATE, STATE, larger, larger, CALLS] {
        let _answer = shared.record(&specimen, &raw, terms).unwrap();
    }
    assert_eq!(behind.asked()[1], 4, "one for both on the terms that are held, and one for each other");
}

#[test]
fn an_executor_that_was_unavailable_is_asked_again() {
    let (specimen, raw) = blocks().swap_remove(0);
    let behind = Counting::new();
    behind.unavailable.store(2, Ordering::Relaxed);
    let shared = SharedExecutor::new(Arc::clone(&behind) as _, None);
    let available = |_| shared.execute(&specimen, &raw, ResultFormat::Canonical).is_ok();
    assert_eq!([0; 4].map(available), [false, false, true, true]);
    assert_eq!(behind.asked()[0], 1);
}
