//! The rules of a worker, and the execution that it holds for them.

use std::sync::Arc;

use alloy_primitives::Bytes;
use refiner_evm::{Executor, RecordingTerms, SharedExecutor};
use refiner_sandbox::AdmittedRule;
use refiner_specimen::{DecodeError, Specimen};

/// The rules of a worker, in the order in which it was given them.
pub(crate) struct Rules {
    rules: Vec<AdmittedRule>,
    executor: Arc<dyn Executor>,
    /// The recording that one execution makes for all of them.
    recording: Option<RecordingTerms>,
    held: Option<Held>,
}

/// The specimen of the last run, and the answers of the executor for it.
struct Held {
    raw: Bytes,
    specimen: Arc<Specimen>,
    executor: Arc<dyn Executor>,
}

impl Rules {
    pub(crate) fn new(rules: Vec<AdmittedRule>, executor: Arc<dyn Executor>) -> Self {
        let recording = rules.iter().filter_map(AdmittedRule::recording).reduce(RecordingTerms::joined);
        Self { rules, executor, recording, held: None }
    }

    /// The rule with this number.
    pub(crate) fn get(&self, number: u32) -> Option<AdmittedRule> {
        self.rules.get(number as usize).cloned()
    }

    /// The decoded specimen and its executor: those of the run before, where that was over the same bytes.
    ///
    /// They are held for the next run where several rules read a block, or the same run `is_repeated`; at most those of one specimen.
    pub(crate) fn block(
        &mut self,
        raw: &Bytes,
        is_repeated: bool,
    ) -> Result<(Arc<Specimen>, Arc<dyn Executor>), DecodeError> {
        if let Some(held) = self.held.as_ref().filter(|held| held.raw == *raw) {
            return Ok((Arc::clone(&held.specimen), Arc::clone(&held.executor)));
        }
        // Before the next one is decoded: a worker has room for one.
        self.held = None;
        let specimen = Arc::new(refiner_specimen::decode_shared(raw)?);
        if self.rules.len() == 1 && !is_repeated {
            return Ok((specimen, Arc::clone(&self.executor)));
        }
        let executor: Arc<dyn Executor> = Arc::new(SharedExecutor::new(Arc::clone(&self.executor), self.recording));
        self.held = Some(Held { raw: raw.clone(), specimen: Arc::clone(&specimen), executor: Arc::clone(&executor) });
        Ok((specimen, executor))
    }
}
