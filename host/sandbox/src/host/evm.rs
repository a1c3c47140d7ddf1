//! `evm`: execution of the block, by the host.

use alloy_primitives::Bytes;
use refiner_evm::{ExecuteError, Execution, ResultFormat};
use refiner_rule_model::{Limit, Misuse, ReasonClass, Thing};
use wasmtime::component::Resource;

use super::{BlockSpecimen, BudgetExceeded, ExecutionHandle, HostState};
use crate::bindings::refiner::rule::{evm, types};

impl evm::Host for HostState {
    fn execute(
        &mut self,
        _specimen: Resource<BlockSpecimen>,
        format: String,
    ) -> wasmtime::Result<Result<Resource<ExecutionHandle>, evm::ExecuteError>> {
        self.budget.call("evm.execute")?;
        self.budget.copy(format.len())?;
        let format = match format.parse::<ResultFormat>() {
            Ok(format) => format,
            Err(unknown) => return Ok(Err(evm::ExecuteError::UnknownFormat(unknown.to_string()))),
        };
        Ok(match self.executed(format)? {
            Ok(execution) => Ok(Resource::new_own(self.executions.keep(execution, format)?)),
            Err(error) => Err(error),
        })
    }
}

impl HostState {
    /// Executes the block, which counts as one execution.
    pub(super) fn executed(
        &mut self,
        format: ResultFormat,
    ) -> Result<Result<Execution, evm::ExecuteError>, BudgetExceeded> {
        let specimen =
            self.specimen.as_ref().ok_or(BudgetExceeded::Misuse(Misuse::NothingThere { what: Thing::Specimen }))?;
        let Some(executor) = &self.executions.executor else {
            return Err(BudgetExceeded::Misuse(Misuse::NothingThere { what: Thing::Executor }));
        };
        self.budget.spend(Limit::EvmExecutions, 1)?;
        if let Some(reason) = &self.executions.unavailable {
            return Ok(Err(evm::ExecuteError::Unavailable(reason.as_str().to_owned())));
        }
        let (specimen, raw) = (specimen.specimen(), specimen.raw());
        let executed = match self.executions.wanted.terms().filter(|_| format == ResultFormat::Canonical) {
            Some(terms) => executor.record(specimen, raw, terms),
            None => executor.execute(specimen, raw, format),
        };
        Ok(match executed {
            Ok(Ok(execution)) => Ok(execution),
            Ok(Err(error)) => {
                self.executions.refused = ReasonClass::of(&error);
                Err(error.into())
            }
            Err(unavailable) => Err(evm::ExecuteError::Unavailable(self.executions.is_unavailable(&unavailable))),
        })
    }
}

impl evm::HostExecution for HostState {
    fn gas_used(&mut self, handle: Resource<ExecutionHandle>) -> wasmtime::Result<u64> {
        self.budget.call("evm.execution.gas-used")?;
        Ok(self.executions.get(&handle)?.execution.gas_used)
    }

    fn receipt_count(&mut self, handle: Resource<ExecutionHandle>) -> wasmtime::Result<u32> {
        self.budget.call("evm.execution.receipt-count")?;
        Ok(self.executions.get(&handle)?.receipt_count())
    }

    fn log_count(&mut self, handle: Resource<ExecutionHandle>) -> wasmtime::Result<u32> {
        self.budget.call("evm.execution.log-count")?;
        Ok(self.executions.get(&handle)?.log_count())
    }

    fn checks(&mut self, handle: Resource<ExecutionHandle>) -> wasmtime::Result<Vec<types::Check>> {
        self.budget.call("evm.execution.checks")?;
        Ok(self.executions.get(&handle)?.checks(&mut self.budget)?)
    }

    fn receipts(
        &mut self,
        handle: Resource<ExecutionHandle>,
        start: u32,
        count: u32,
    ) -> wasmtime::Result<Vec<evm::Receipt>> {
        self.budget.call("evm.execution.receipts")?;
        if !self.executions.get(&handle)?.has_proven_hashes() {
            self.check_senders()?;
        }
        Ok(self.executions.get(&handle)?.receipts(&mut self.budget, start, count)?)
    }

    fn logs(&mut self, handle: Resource<ExecutionHandle>, start: u32, count: u32) -> wasmtime::Result<Vec<evm::Log>> {
        self.budget.call("evm.execution.logs")?;
        Ok(self.executions.get(&handle)?.logs(&mut self.budget, start, count)?)
    }

    fn block_result_len(&mut self, handle: Resource<ExecutionHandle>) -> wasmtime::Result<u64> {
        self.budget.call("evm.execution.block-result-len")?;
        Ok(self.block_result_of(&handle)?.len() as u64)
    }

    fn block_result(&mut self, handle: Resource<ExecutionHandle>, offset: u64, len: u32) -> wasmtime::Result<Vec<u8>> {
        self.budget.call("evm.execution.block-result")?;
        let block_result = self.block_result_of(&handle)?;
        Ok(self.budget.bytes(&block_result, offset, len)?)
    }

    fn drop(&mut self, handle: Resource<ExecutionHandle>) -> wasmtime::Result<()> {
        if let Some(done) = self.executions.done.get_mut(handle.rep() as usize) {
            *done = None;
        }
        Ok(())
    }
}

impl HostState {
    /// The document of an execution. It states senders: one that is wrong ends the run.
    fn block_result_of(&mut self, handle: &Resource<ExecutionHandle>) -> Result<Bytes, BudgetExceeded> {
        let specimen =
            self.specimen.as_ref().ok_or(BudgetExceeded::Misuse(Misuse::NothingThere { what: Thing::Specimen }))?;
        let document = self.executions.get(handle)?.execution.block_result(specimen.specimen());
        self.executions.document_written(handle)?;
        document.map_err(|error| BudgetExceeded::Contradiction(Box::new(error)))
    }
}

impl From<ExecuteError> for evm::ExecuteError {
    fn from(error: ExecuteError) -> Self {
        match error {
            ExecuteError::Unsupported(reason) => Self::Unsupported(reason.to_string()),
            ExecuteError::Rejected(reason) => Self::Rejected(reason.to_string()),
        }
    }
}
