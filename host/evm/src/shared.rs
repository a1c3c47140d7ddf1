//! One execution for every rule that reads a block.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use alloy_primitives::Bytes;
use refiner_specimen::{Specimen, check::Check};

use crate::{
    ExecuteError, Execution, Executor, Overrides, RecordingTerms, ResultFormat, Unavailable, WhatIf, WhatIfBasis,
    WhatIfError,
};

/// The executor of one block, which executes it once in each format and answers from that afterwards.
///
/// Every answer is the one that the executor behind it would give, so that a rule's verdict does not depend on the rules beside
/// it. An executor that was unavailable is asked again.
///
/// One is made for each specimen: the methods do not look at the specimen that they are given after the first.
pub struct SharedExecutor {
    executor: Arc<dyn Executor>,
    recording: Option<RecordingTerms>,
    checks: OnceLock<Vec<Check>>,
    senders: OnceLock<Check>,
    recorded_receipts: OnceLock<Option<Execution>>,
    what_if_basis: OnceLock<Result<Arc<WhatIfBasis>, WhatIfError>>,
    executed: Mutex<Vec<Executed>>,
}

/// The outcome of the block in one format.
struct Executed {
    format: ResultFormat,
    result: Result<Execution, ExecuteError>,
}

impl SharedExecutor {
    /// An executor of one block. Its canonical execution makes the recording that every rule may read.
    pub const fn new(executor: Arc<dyn Executor>, recording: Option<RecordingTerms>) -> Self {
        Self {
            executor,
            recording,
            checks: OnceLock::new(),
            senders: OnceLock::new(),
            recorded_receipts: OnceLock::new(),
            what_if_basis: OnceLock::new(),
            executed: Mutex::new(Vec::new()),
        }
    }

    /// Never held while a block is executed.
    fn executed(&self) -> MutexGuard<'_, Vec<Executed>> {
        self.executed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The senders' check that a document needed.
    fn senders_of_a_document(&self) -> Option<Check> {
        let executed = self.executed();
        executed.iter().find_map(|Executed { result, .. }| result.as_ref().ok()?.sender_check().cloned())
    }
}

impl Executor for SharedExecutor {
    fn checks(&self, specimen: &Specimen) -> Vec<Check> {
        self.checks.get_or_init(|| self.executor.checks(specimen)).clone()
    }

    fn senders(&self, specimen: &Specimen) -> Check {
        let senders = || self.senders_of_a_document().unwrap_or_else(|| self.executor.senders(specimen));
        self.senders.get_or_init(senders).clone()
    }

    fn execute(
        &self,
        specimen: &Specimen,
        raw: &Bytes,
        format: ResultFormat,
    ) -> Result<Result<Execution, ExecuteError>, Unavailable> {
        let known = self.executed().iter().find(|executed| executed.format == format).map(|it| it.result.clone());
        let result = match known {
            Some(result) => result,
            None => {
                let result = match self.recording.filter(|_| format == ResultFormat::Canonical) {
                    Some(terms) => self.executor.record(specimen, raw, terms)?,
                    None => self.executor.execute(specimen, raw, format)?,
                };
                self.executed().push(Executed { format, result: result.clone() });
                result
            }
        };
        if let (Ok(execution), Some(senders)) = (&result, self.senders.get()) {
            execution.know_senders(senders);
        }
        Ok(result)
    }

    fn record(
        &self,
        specimen: &Specimen,
        raw: &Bytes,
        terms: RecordingTerms,
    ) -> Result<Result<Execution, ExecuteError>, Unavailable> {
        match self.recording {
            Some(recording) if recording.covers(terms) => self.execute(specimen, raw, ResultFormat::Canonical),
            // A rule that reads more than is held has an execution of its own.
            _ => self.executor.record(specimen, raw, terms),
        }
    }

    fn what_if_basis(&self, specimen: &Specimen) -> Result<Result<Arc<WhatIfBasis>, WhatIfError>, Unavailable> {
        if let Some(basis) = self.what_if_basis.get() {
            return Ok(basis.clone());
        }
        let basis = self.executor.what_if_basis(specimen)?;
        Ok(self.what_if_basis.get_or_init(|| basis).clone())
    }

    fn what_if(
        &self,
        specimen: &Specimen,
        basis: &WhatIfBasis,
        overrides: &Overrides,
        recording: Option<RecordingTerms>,
    ) -> Result<Result<WhatIf, WhatIfError>, Unavailable> {
        self.executor.what_if(specimen, basis, overrides, recording)
    }

    fn recorded_receipts(&self, specimen: &Specimen) -> Option<Execution> {
        self.recorded_receipts.get_or_init(|| self.executor.recorded_receipts(specimen)).clone()
    }
}
