//! Takes the times of a run, for a trace that the supervisor writes.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use alloy_primitives::Bytes;
use refiner_evm::{
    ExecuteError, Execution, Executor, Overrides, RecordingTerms, ResultFormat, Unavailable, WhatIf, WhatIfBasis,
    WhatIfError,
};
use refiner_specimen::{Specimen, check::Check};
use refiner_worker::{Phase, SPANS_MAX, WorkerSpan};

/// Takes the times of a run that is traced. Clones share them.
#[derive(Clone)]
pub(crate) struct Recorder {
    begun: Instant,
    /// A lock because an executor is shared; held for an entry.
    spans: Arc<Mutex<Vec<WorkerSpan>>>,
}

impl Recorder {
    pub(crate) fn begin() -> Self {
        Self { begun: Instant::now(), spans: Arc::default() }
    }

    /// Does it, and takes its time.
    pub(crate) fn timed<T>(&self, phase: Phase, work: impl FnOnce() -> T) -> T {
        let start = self.begun.elapsed();
        let done = work();
        let span = WorkerSpan { phase, start, duration: self.begun.elapsed().saturating_sub(start) };
        let mut spans = self.spans.lock().unwrap_or_else(PoisonError::into_inner);
        if spans.len() < SPANS_MAX {
            spans.push(span);
        }
        drop(spans);
        done
    }

    pub(crate) fn spans(&self) -> Vec<WorkerSpan> {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// An executor whose executions are timed.
pub(crate) struct TimedExecutor {
    pub(crate) inner: Arc<dyn Executor>,
    pub(crate) recorder: Recorder,
}

impl Executor for TimedExecutor {
    fn checks(&self, specimen: &Specimen) -> Vec<Check> {
        self.inner.checks(specimen)
    }

    fn senders(&self, specimen: &Specimen) -> Check {
        self.inner.senders(specimen)
    }

    fn execute(
        &self,
        specimen: &Specimen,
        raw: &Bytes,
        format: ResultFormat,
    ) -> Result<Result<Execution, ExecuteError>, Unavailable> {
        self.recorder.timed(Phase::Execute, || self.inner.execute(specimen, raw, format))
    }

    fn record(
        &self,
        specimen: &Specimen,
        raw: &Bytes,
        terms: RecordingTerms,
    ) -> Result<Result<Execution, ExecuteError>, Unavailable> {
        self.recorder.timed(Phase::Execute, || self.inner.record(specimen, raw, terms))
    }

    fn what_if_basis(&self, specimen: &Specimen) -> Result<Result<Arc<WhatIfBasis>, WhatIfError>, Unavailable> {
        self.recorder.timed(Phase::Execute, || self.inner.what_if_basis(specimen))
    }

    fn what_if(
        &self,
        specimen: &Specimen,
        basis: &WhatIfBasis,
        overrides: &Overrides,
        recording: Option<RecordingTerms>,
    ) -> Result<Result<WhatIf, WhatIfError>, Unavailable> {
        self.recorder.timed(Phase::Execute, || self.inner.what_if(specimen, basis, overrides, recording))
    }

    fn recorded_receipts(&self, specimen: &Specimen) -> Option<Execution> {
        self.inner.recorded_receipts(specimen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn run_has_a_bounded_number_of_spans() {
        let recorder = Recorder::begin();
        for _ in 0..2 * SPANS_MAX {
            recorder.timed(Phase::Execute, || ());
        }
        assert_eq!(recorder.spans().len(), SPANS_MAX);
    }
}
