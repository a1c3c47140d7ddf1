//! `recordings`: what the recordings of an execution have in common.

use std::sync::Arc;

use refiner_evm::{Basis, RecordingTerms, Recordings, ResultFormat};
use refiner_rule_model::{Limit, Misuse, Thing};
use wasmtime::component::Resource;

use super::{BudgetExceeded, ExecutionHandle, HostState, Wanted};
use crate::bindings::refiner::rule::recordings::{self, RecordError};

impl recordings::Host for HostState {}

impl HostState {
    /// The recordings of an execution, with all steps of the kinds that are `opened` as far as the limit grants them.
    ///
    /// `whole` tells whether those that were made on the way are enough for these terms.
    pub(super) fn open_recording(
        &mut self,
        handle: &Resource<ExecutionHandle>,
        opened: Wanted,
        terms: RecordingTerms,
        whole: impl Fn(&Recordings) -> bool,
    ) -> Result<Result<Arc<Recordings>, RecordError>, BudgetExceeded> {
        let done = self.executions.get_mut(handle)?;
        if done.format != ResultFormat::Canonical {
            let reason = format!("an execution in the format {} has no recording; execute in canonical", done.format);
            return Ok(Err(RecordError::Unsupported(reason)));
        }
        if let Basis::Receipts { instead_of } = &done.execution.basis {
            let reason = instead_of.as_deref().map(|error| format!(": {error}")).unwrap_or_default();
            return Ok(Err(RecordError::Unsupported(format!("the block was not executed{reason}"))));
        }
        let Some(recordings) = done.execution.recordings.clone() else {
            return Ok(Err(RecordError::Unsupported("the executor of these terms records nothing".to_owned())));
        };
        let before = done.opened;
        let again = (opened.frames && before.frames) || (opened.state && before.state) || (opened.gas && before.gas);
        done.opened.frames |= opened.frames;
        done.opened.state |= opened.state;
        done.opened.gas |= opened.gas;
        let hypothesis = done.hypothesis.clone();
        if again {
            self.budget.spend(Limit::EvmExecutions, 1)?;
        }
        if whole(&recordings) {
            return Ok(Ok(recordings));
        }
        let missing = |what| BudgetExceeded::Misuse(Misuse::NothingThere { what });
        let specimen = self.specimen.as_ref().ok_or_else(|| missing(Thing::Specimen))?;
        let executor = self.executions.executor().ok_or_else(|| missing(Thing::Executor))?;
        let (specimen, raw) = (specimen.specimen(), specimen.raw());
        let executed = match hypothesis {
            None => executor
                .record(specimen, raw, terms)
                .map(|executed| executed.map(|execution| execution.recordings).map_err(|error| error.to_string())),
            Some(hypothesis) => executor
                .what_if(specimen, &hypothesis.basis, &hypothesis.overrides, Some(terms))
                .map(|executed| executed.map(|it| it.execution.recordings).map_err(|error| error.to_string())),
        };
        Ok(match executed {
            Ok(Ok(Some(recordings))) => Ok(recordings),
            Ok(Ok(None)) => Err(RecordError::Unsupported("the executor of these terms records nothing".to_owned())),
            Ok(Err(error)) => Err(RecordError::Unsupported(error)),
            Err(unavailable) => Err(RecordError::Unavailable(self.executions.is_unavailable(&unavailable))),
        })
    }

    /// The bytes that a recording may have, made for one reader.
    pub(super) fn record_bytes(&self) -> u64 {
        self.budget.granted(Limit::RecordBytes)
    }
}
