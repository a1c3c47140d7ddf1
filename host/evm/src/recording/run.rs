//! A run that is recorded.

use super::{Frame, FrameRecorder, Frames, RecordingTerms, Recordings, StateStep, Steps};
use crate::{
    error::ExecuteError,
    outcome::Outcome,
    runner::{Job, Run},
};

/// The part of a run that knows its calls: the recorder, or nothing.
trait Calls {
    /// The calls of the step that ends; `None` where they are not recorded, or do not fit.
    fn end_step(&mut self, gas: Option<(u64, u64)>) -> Option<Vec<Frame>>;
}

impl Calls for () {
    fn end_step(&mut self, _gas: Option<(u64, u64)>) -> Option<Vec<Frame>> {
        None
    }
}

impl Calls for FrameRecorder {
    fn end_step(&mut self, gas: Option<(u64, u64)>) -> Option<Vec<Frame>> {
        Self::end_step(self, gas)
    }
}

/// Executes the block of a job and records it.
pub(crate) fn run(job: &Job<'_>, terms: RecordingTerms) -> Result<Outcome, ExecuteError> {
    match terms.payload_max {
        Some(payload_max) => record(Run::watched(job, FrameRecorder::new(payload_max, terms.bytes_max))?, job, terms),
        // Nothing follows the calls, so that the plain EVM does.
        None => record(Run::begin(job)?, job, terms),
    }
}

fn record<I: Calls>(mut run: Run<'_, I>, job: &Job<'_>, terms: RecordingTerms) -> Result<Outcome, ExecuteError> {
    let mut tape = Tape::new(terms);
    tape.step(&mut run, None);
    let mut outcomes = Vec::with_capacity(job.block.transactions.len());
    for (index, transaction) in job.block.transactions.iter().enumerate() {
        let outcome = run.transaction(index, job.supplement.of(index))?;
        tape.step(&mut run, outcome.receipt().map(|receipt| (transaction.gas, receipt.gas_used)));
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
    states: Vec<StateStep>,
    state_bytes_left: Option<u64>,
}

impl Tape {
    const fn new(terms: RecordingTerms) -> Self {
        let state_bytes_left = if terms.state { Some(terms.bytes_max) } else { None };
        Self { terms, steps: 0, frames: Vec::new(), states: Vec::new(), state_bytes_left }
    }

    fn step<I: Calls>(&mut self, run: &mut Run<'_, I>, gas: Option<(u64, u64)>) {
        self.steps = self.steps.saturating_add(1);
        self.frames.extend(run.recorder().end_step(gas));
        let Some(watch) = run.watch() else { return };
        let state = watch.end_step();
        // A step that does not fit is the last one: the state of a later one would rest on it.
        self.state_bytes_left = self.state_bytes_left.and_then(|left| left.checked_sub(state.bytes()));
        if self.state_bytes_left.is_some() {
            self.states.push(state);
        }
    }

    fn finish(self) -> Recordings {
        let frames = self
            .terms
            .payload_max
            .map(|payload_max| Frames { payload_max, steps: Steps { kept: self.frames, count: self.steps } });
        let state = self.terms.state.then_some(Steps { kept: self.states, count: self.steps });
        Recordings { frames, state }
    }
}
