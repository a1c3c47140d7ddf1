//! `evm`: execution of the block, by the host.

use std::sync::Arc;

use alloy_primitives::Bytes;
use refiner_diagnostics::ErrorChain;
use refiner_evm::{
    Exclusion, ExecutedLog, ExecutedReceipt, Execution, Executor, ResultFormat, Unavailable, WhatIfError,
};
use refiner_rule_model::{Evidence, Limit, Misuse, ReasonClass, UntrustedText};
use wasmtime::component::Resource;

use super::{
    BlockSpecimen, Budget, BudgetExceeded, HostState,
    hypothesis::{Hypotheses, Hypothesis, class_of},
    recordings::Wanted,
};
use crate::bindings::refiner::rule::{evm, types, what_if};

/// Bytes of a receipt in the canonical ABI.
const RECEIPT_BYTES: usize = 144;
/// Bytes of a log in the canonical ABI, without its lists.
const LOG_BYTES: usize = 48;
/// Bytes of a topic.
const TOPIC_BYTES: usize = 32;
/// Fuel for each log that is looked for, whether or not it fits the page.
pub(super) const LOG_FUEL: u64 = 32;
/// Bytes of a check, its texts included: what is charged for one.
const CHECK_BYTES: usize = 2_048;

/// The guest's handle of an execution. Its number is its place in [`Executions`].
pub struct ExecutionHandle;

/// The executor of a run, which the `evm` interface hands to the rules that were granted it, and what it executed.
pub(crate) struct Executions {
    executor: Option<Arc<dyn Executor>>,
    /// What the rule may read beside the outcome, and so is recorded on the way.
    wanted: Wanted,
    /// Evidence of the executions; `None` until one succeeded.
    evidence: Option<Evidence>,
    /// An execution checked the senders.
    senders_checked: bool,
    /// Reason why none was available when the rule asked. Kept, so that no rule makes a verdict of it.
    unavailable: Option<UntrustedText>,
    /// Class of the reason for which the last execution was refused.
    refused: Option<ReasonClass>,
    pub(crate) hypotheses: Hypotheses,
    done: Vec<Option<Done>>,
}

/// An execution and where each receipt's logs begin.
pub(super) struct Done {
    pub(super) execution: Execution,
    pub(super) format: ResultFormat,
    first_logs: Vec<u32>,
    log_count: u32,
    /// The document was asked for.
    written: bool,
    /// The recordings that were opened.
    pub(super) opened: Wanted,
    /// The other conditions under which the block was executed, if any.
    pub(super) hypothesis: Option<Arc<Hypothesis>>,
}

impl Executions {
    pub(crate) const fn new(executor: Option<Arc<dyn Executor>>, wanted: Wanted) -> Self {
        Self {
            executor,
            wanted,
            evidence: None,
            senders_checked: false,
            unavailable: None,
            refused: None,
            hypotheses: Hypotheses::NONE,
            done: Vec::new(),
        }
    }

    /// The executor, which `describe` has not.
    pub(crate) fn executor(&self) -> Option<&dyn Executor> {
        self.executor.as_deref()
    }

    /// The same, to be held while something else changes.
    pub(super) fn shared_executor(&self) -> Option<Arc<dyn Executor>> {
        self.executor.clone()
    }

    /// True when an execution of this run checked the senders.
    pub(crate) const fn senders_checked(&self) -> bool {
        self.senders_checked
    }

    /// Evidence of this run's executions; `None` when none succeeded, and the specimen was not checked here.
    pub(crate) fn take_evidence(&mut self) -> Option<Evidence> {
        self.evidence.take()
    }

    /// Keeps an execution and gives its place.
    fn keep(&mut self, execution: Execution, format: ResultFormat) -> wasmtime::Result<u32> {
        self.rests_on(&execution);
        self.push(Done::new(execution, format))
    }

    /// Keeps what was executed and gives its place.
    pub(super) fn push(&mut self, done: Done) -> wasmtime::Result<u32> {
        let rep = u32::try_from(self.done.len())?;
        self.done.push(Some(done));
        Ok(rep)
    }

    /// The recordings that are made on the way.
    pub(super) const fn wanted(&self) -> Wanted {
        self.wanted
    }

    /// Keeps what a verdict says of a hypothetical execution that there is not, and gives it to the rule.
    pub(super) fn not_hypothetical(&mut self, error: WhatIfError) -> what_if::WhatIfError {
        self.refused = class_of(&error);
        self.hypotheses.note(&error);
        error.into()
    }

    /// Adds what the run rests on from now on.
    pub(super) fn rests_on(&mut self, execution: &Execution) {
        self.refused = None;
        self.evidence.get_or_insert_default().add_execution(execution);
    }

    /// Keeps the reason why nothing is executed, so that no rule makes a verdict of it, and gives its words.
    pub(super) fn is_unavailable(&mut self, unavailable: &Unavailable) -> String {
        let reason = UntrustedText::new(&ErrorChain(unavailable).to_string());
        self.unavailable = Some(reason.clone());
        reason.as_str().to_owned()
    }

    /// The execution behind a handle, to be changed.
    pub(super) fn get_mut(&mut self, handle: &Resource<ExecutionHandle>) -> Result<&mut Done, BudgetExceeded> {
        let done = self.done.get_mut(handle.rep() as usize).and_then(Option::as_mut);
        done.ok_or(BudgetExceeded::Misuse(Misuse::NothingThere { what: "execution" }))
    }

    /// Words for the reason why none was available when the rule asked.
    pub(super) fn reason_unavailable(&self) -> Option<String> {
        self.unavailable.as_ref().map(|reason| reason.as_str().to_owned())
    }

    /// Reason why a block that the rule asked for was not executed, where that is no verdict.
    pub(crate) fn unavailable(&mut self) -> Option<UntrustedText> {
        self.unavailable.take()
    }

    /// Class of the reason for which the last execution was refused; `None` where it has no class, or the last one succeeded.
    pub(crate) const fn refused(&self) -> Option<ReasonClass> {
        self.refused
    }

    /// Adds what a document rests on beside its execution, once.
    fn document_written(&mut self, handle: &Resource<ExecutionHandle>) -> Result<(), BudgetExceeded> {
        let done = self.get_mut(handle)?;
        if !std::mem::replace(&mut done.written, true) {
            let check = done.execution.sender_check();
            let checked = check.is_some_and(|check| !check.failed());
            let mut document = Evidence::default();
            document.add_document(&done.execution);
            self.senders_checked |= checked;
            self.evidence.get_or_insert_default().merge(document);
        }
        Ok(())
    }

    pub(super) fn get(&self, handle: &Resource<ExecutionHandle>) -> Result<&Done, BudgetExceeded> {
        let done = self.done.get(handle.rep() as usize).and_then(Option::as_ref);
        done.ok_or(BudgetExceeded::Misuse(Misuse::NothingThere { what: "execution" }))
    }
}

impl Done {
    pub(super) fn new(execution: Execution, format: ResultFormat) -> Self {
        let mut log_count = 0u32;
        let first_logs = execution
            .receipts
            .iter()
            .map(|receipt| {
                let first = log_count;
                log_count = log_count.saturating_add(u32::try_from(receipt.logs.len()).unwrap_or(u32::MAX));
                first
            })
            .collect();
        Self { execution, format, first_logs, log_count, written: false, opened: Wanted::default(), hypothesis: None }
    }

    /// The same, executed under other conditions than the block's own.
    pub(super) fn under(self, hypothesis: Hypothesis) -> Self {
        Self { hypothesis: Some(Arc::new(hypothesis)), ..self }
    }

    /// Transactions that could not be included under these conditions.
    pub(super) fn excluded(&self) -> &[Exclusion] {
        self.hypothesis.as_ref().map_or(&[], |hypothesis| &hypothesis.excluded)
    }

    pub(super) fn receipt_count(&self) -> u32 {
        u32::try_from(self.execution.receipts.len()).unwrap_or(u32::MAX)
    }

    pub(super) const fn log_count(&self) -> u32 {
        self.log_count
    }

    pub(super) fn checks(&self, budget: &mut Budget) -> Result<Vec<types::Check>, BudgetExceeded> {
        let checks = &self.execution.checks;
        budget.copy(checks.len().saturating_mul(CHECK_BYTES))?;
        Ok(checks.iter().map(types::Check::from).collect())
    }

    pub(super) fn receipts(
        &self,
        budget: &mut Budget,
        start: u32,
        count: u32,
    ) -> Result<Vec<evm::Receipt>, BudgetExceeded> {
        budget.page(
            &self.execution.receipts,
            start,
            count,
            |_| RECEIPT_BYTES,
            |position, receipt| {
                let first_log = self.first_logs.get(position).copied().unwrap_or_default();
                to_receipt(receipt, first_log)
            },
        )
    }

    pub(super) fn logs(&self, budget: &mut Budget, start: u32, count: u32) -> Result<Vec<evm::Log>, BudgetExceeded> {
        // No more can fit, so no more are looked for.
        let fitting = u32::try_from(budget.call_bytes() / LOG_BYTES).unwrap_or(u32::MAX);
        let end = start.saturating_add(count.min(fitting)).min(self.log_count);
        budget.burn(u64::from(end.saturating_sub(start)).saturating_mul(LOG_FUEL))?;
        let logs: Vec<_> = (start..end).filter_map(|position| Some((position, self.log(position)?))).collect();
        let bytes_of = |(_, (_, log)): &(u32, (&ExecutedReceipt, &ExecutedLog))| {
            LOG_BYTES + log.topics.len() * TOPIC_BYTES + log.data.len()
        };
        budget.page(&logs, 0, count, bytes_of, |_, (position, (receipt, log))| evm::Log {
            transaction_index: receipt.transaction_index,
            log_index: *position,
            address: log.address.into(),
            topics: log.topics.iter().map(|topic| (*topic).into()).collect(),
            data: log.data.to_vec(),
        })
    }

    /// The log at this position of the block, with its receipt.
    fn log(&self, position: u32) -> Option<(&ExecutedReceipt, &ExecutedLog)> {
        let receipt = self.first_logs.partition_point(|first| *first <= position).checked_sub(1)?;
        let within = position - self.first_logs.get(receipt)?;
        let receipt = self.execution.receipts.get(receipt)?;
        Some((receipt, receipt.logs.get(within as usize)?))
    }
}

impl evm::Host for HostState {
    fn execute(
        &mut self,
        _specimen: Resource<BlockSpecimen>,
        format: String,
    ) -> wasmtime::Result<Result<Resource<ExecutionHandle>, evm::ExecuteError>> {
        self.budget.call()?;
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
            self.specimen.as_ref().ok_or(BudgetExceeded::Misuse(Misuse::NothingThere { what: "specimen" }))?;
        let Some(executor) = &self.executions.executor else {
            return Err(BudgetExceeded::Misuse(Misuse::NothingThere { what: "executor" }));
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
        self.budget.call()?;
        Ok(self.executions.get(&handle)?.execution.gas_used)
    }

    fn receipt_count(&mut self, handle: Resource<ExecutionHandle>) -> wasmtime::Result<u32> {
        self.budget.call()?;
        Ok(self.executions.get(&handle)?.receipt_count())
    }

    fn log_count(&mut self, handle: Resource<ExecutionHandle>) -> wasmtime::Result<u32> {
        self.budget.call()?;
        Ok(self.executions.get(&handle)?.log_count())
    }

    fn checks(&mut self, handle: Resource<ExecutionHandle>) -> wasmtime::Result<Vec<types::Check>> {
        self.budget.call()?;
        Ok(self.executions.get(&handle)?.checks(&mut self.budget)?)
    }

    fn receipts(
        &mut self,
        handle: Resource<ExecutionHandle>,
        start: u32,
        count: u32,
    ) -> wasmtime::Result<Vec<evm::Receipt>> {
        self.budget.call()?;
        Ok(self.executions.get(&handle)?.receipts(&mut self.budget, start, count)?)
    }

    fn logs(&mut self, handle: Resource<ExecutionHandle>, start: u32, count: u32) -> wasmtime::Result<Vec<evm::Log>> {
        self.budget.call()?;
        Ok(self.executions.get(&handle)?.logs(&mut self.budget, start, count)?)
    }

    fn block_result_len(&mut self, handle: Resource<ExecutionHandle>) -> wasmtime::Result<u64> {
        self.budget.call()?;
        Ok(self.block_result_of(&handle)?.len() as u64)
    }

    fn block_result(&mut self, handle: Resource<ExecutionHandle>, offset: u64, len: u32) -> wasmtime::Result<Vec<u8>> {
        self.budget.call()?;
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
            self.specimen.as_ref().ok_or(BudgetExceeded::Misuse(Misuse::NothingThere { what: "specimen" }))?;
        let document = self.executions.get(handle)?.execution.block_result(specimen.specimen());
        self.executions.document_written(handle)?;
        document.map_err(|error| BudgetExceeded::Contradiction(Box::new(error)))
    }
}

fn to_receipt(receipt: &ExecutedReceipt, first_log: u32) -> evm::Receipt {
    evm::Receipt {
        transaction_index: receipt.transaction_index,
        transaction_hash: receipt.transaction_hash.into(),
        tx_type: receipt.tx_type,
        success: receipt.success,
        gas_used: receipt.gas_used,
        cumulative_gas_used: receipt.cumulative_gas_used,
        effective_gas_price: receipt.effective_gas_price.into(),
        contract_address: receipt.contract_address.map(Into::into),
        first_log,
        log_count: u32::try_from(receipt.logs.len()).unwrap_or(u32::MAX),
    }
}
