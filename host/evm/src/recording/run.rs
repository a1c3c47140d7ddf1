//! A run that is recorded.

use revm::Inspector;

use super::{
    Frame, FrameRecorder, Frames, GasItem, GasRecorder, RecordingTerms, Recordings, StateStep, Steps, TransactionGas,
};
use crate::{
    error::ExecuteError,
    outcome::Outcome,
    runner::{BlockContext, Job, Run},
};

/// Recordings of the step that ends, by the recorders of a run; `None` where it is not recorded, or does not fit.
#[derive(Default)]
struct Recorded {
    frames: Option<Vec<Frame>>,
    gas: Option<Vec<GasItem>>,
}

/// The part of a run that follows its calls and instructions: a recorder, two of them, or nothing.
trait Recorder {
    fn end_step(&mut self, gas: Option<TransactionGas>) -> Recorded;
}

impl Recorder for () {
    fn end_step(&mut self, _gas: Option<TransactionGas>) -> Recorded {
        Recorded::default()
    }
}

impl Recorder for FrameRecorder {
    fn end_step(&mut self, gas: Option<TransactionGas>) -> Recorded {
        let gas = gas.map(|gas| (gas.limit, gas.used));
        Recorded { frames: Self::end_step(self, gas), gas: None }
    }
}

impl Recorder for GasRecorder {
    fn end_step(&mut self, gas: Option<TransactionGas>) -> Recorded {
        Recorded { frames: None, gas: Self::end_step(self, gas) }
    }
}

impl Recorder for (FrameRecorder, GasRecorder) {
    fn end_step(&mut self, gas: Option<TransactionGas>) -> Recorded {
        let Recorded { frames, .. } = Recorder::end_step(&mut self.0, gas);
        Recorded { frames, ..Recorder::end_step(&mut self.1, gas) }
    }
}

/// Executes the block of a job and records it.
pub(crate) fn run(job: &Job<'_>, terms: RecordingTerms) -> Result<Outcome, ExecuteError> {
    let frames = terms.payload_max.map(|payload_max| FrameRecorder::new(payload_max, terms.bytes_max));
    let gas = terms.gas.then(|| GasRecorder::new(terms.bytes_max));
    match (frames, gas) {
        (Some(frames), Some(gas)) => watched((frames, gas), job, terms),
        (Some(frames), None) => watched(frames, job, terms),
        (None, Some(gas)) => watched(gas, job, terms),
        // Nothing follows the calls, so that the plain EVM does.
        (None, None) => record(Run::begin(job)?, job, terms),
    }
}

fn watched<'a, I: Recorder + Inspector<BlockContext<'a>>>(
    recorder: I,
    job: &Job<'a>,
    terms: RecordingTerms,
) -> Result<Outcome, ExecuteError> {
    record(Run::watched(job, recorder)?, job, terms)
}

fn record<I: Recorder>(mut run: Run<'_, I>, job: &Job<'_>, terms: RecordingTerms) -> Result<Outcome, ExecuteError> {
    let mut tape = Tape::new(terms);
    tape.step(&mut run, None);
    let mut outcomes = Vec::with_capacity(job.block.transactions.len());
    for (index, transaction) in job.block.transactions.iter().enumerate() {
        let outcome = run.transaction(index, job.supplement.of(index))?;
        let refunded = run.refunded();
        // A transaction that is excluded from a hypothetical block is no step of it.
        if let Some(receipt) = outcome.receipt() {
            let (limit, used) = (transaction.gas, receipt.gas_used);
            tape.step(&mut run, Some(TransactionGas { limit, used, refunded }));
        }
        outcomes.push(outcome);
    }
    let requests = run.after_transactions(&outcomes)?;
    tape.step(&mut run, None);
    let outcome = run.outcome(outcomes, requests);
    Ok(Outcome { recordings: Some(tape.finish()), ..outcome })
}

/// The steps so far.
struct Tape {
    terms: RecordingTerms,
    steps: u32,
    frames: Vec<Vec<Frame>>,
    gas: Vec<Vec<GasItem>>,
    states: Vec<StateStep>,
    state_bytes_left: Option<u64>,
}

impl Tape {
    const fn new(terms: RecordingTerms) -> Self {
        let state_bytes_left = if terms.state { Some(terms.bytes_max) } else { None };
        Self { terms, steps: 0, frames: Vec::new(), gas: Vec::new(), states: Vec::new(), state_bytes_left }
    }

    fn step<I: Recorder>(&mut self, run: &mut Run<'_, I>, gas: Option<TransactionGas>) {
        self.steps = self.steps.saturating_add(1);
        let recorded = run.recorder().end_step(gas);
        self.frames.extend(recorded.frames);
        self.gas.extend(recorded.gas);
        let Some(watch) = run.watch() else { return };
        let state = watch.end_step();
        // A step that does not fit is the last one: the state of a later one would rest on it.
        self.state_bytes_left = self.state_bytes_left.and_then(|left| left.checked_sub(state.bytes()));
        if self.state_bytes_left.is_some() {
            self.states.push(state);
        }
    }

    fn finish(self) -> Recordings {
        let count = self.steps;
        let frames =
            self.terms.payload_max.map(|payload_max| Frames { payload_max, steps: Steps { kept: self.frames, count } });
        let state = self.terms.state.then_some(Steps { kept: self.states, count });
        let gas = self.terms.gas.then_some(Steps { kept: self.gas, count });
        Recordings { frames, state, gas }
    }
}
