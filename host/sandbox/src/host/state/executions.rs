//! The executor of a run, and what it executed.

use std::sync::Arc;

use refiner_diagnostics::ErrorChain;
use refiner_evm::{
    Departure, Exclusion, ExecutedLog, ExecutedReceipt, Execution, Executor, Overrides, ResultFormat, Unavailable,
    WhatIfBasis, WhatIfError,
};
use refiner_rule_model::{Evidence, Misuse, ReasonClass, Thing, UntrustedText};
use refiner_specimen::{
    Specimen,
    check::{Check, CheckName, Outcome},
};
use wasmtime::component::Resource;

use super::recordings::Wanted;
use crate::{
    bindings::refiner::rule::{evm, types},
    host::budget::{Budget, BudgetExceeded},
};

/// Bytes of a receipt in the canonical ABI.
const RECEIPT_BYTES: usize = 144;
/// Bytes of a log in the canonical ABI, without its lists.
const LOG_BYTES: usize = 48;
/// Bytes of a topic.
const TOPIC_BYTES: usize = 32;
/// Fuel for each log that is looked for, whether or not it fits the page.
pub(in crate::host) const LOG_FUEL: u64 = 32;
/// Bytes of a check, its texts included: what is charged for one.
const CHECK_BYTES: usize = 2_048;

/// The guest's handle of an execution. Its number is its place in [`Executions`].
pub struct ExecutionHandle;

/// The executor of a run, which the `evm` interface hands to the rules that were granted it, and what it executed.
pub(crate) struct Executions {
    pub(in crate::host) executor: Option<Arc<dyn Executor>>,
    /// What the rule may read beside the outcome, and so is recorded on the way.
    pub(in crate::host) wanted: Wanted,
    /// Evidence of the executions; `None` until one succeeded.
    evidence: Option<Evidence>,
    /// An execution checked the senders.
    senders_checked: bool,
    /// Reason why none was available when the rule asked. Kept, so that no rule makes a verdict of it.
    pub(in crate::host) unavailable: Option<UntrustedText>,
    /// Class of the reason for which the last execution was refused.
    pub(in crate::host) refused: Option<ReasonClass>,
    /// Place at which the last hypothetical execution left what is known.
    pub(in crate::host) left: Option<Departure>,
    /// What hypothetical executions of the block rest on, once there was one.
    basis: Option<Arc<WhatIfBasis>>,
    pub(in crate::host) done: Vec<Option<Done>>,
}

/// An execution and where each receipt's logs begin.
pub(in crate::host) struct Done {
    pub(in crate::host) execution: Execution,
    pub(in crate::host) format: ResultFormat,
    first_logs: Vec<u32>,
    log_count: u32,
    /// The document was asked for.
    written: bool,
    /// The recordings that were opened.
    pub(in crate::host) opened: Wanted,
    /// The other conditions under which the block was executed, if any.
    pub(in crate::host) hypothesis: Option<Arc<Hypothesis>>,
}

/// The conditions of a hypothetical execution, and what it left out.
pub(in crate::host) struct Hypothesis {
    pub(in crate::host) basis: Arc<WhatIfBasis>,
    pub(in crate::host) overrides: Arc<Overrides>,
    pub(in crate::host) excluded: Vec<Exclusion>,
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
            left: None,
            basis: None,
            done: Vec::new(),
        }
    }

    /// The executor, which `describe` has not.
    pub(crate) fn executor(&self) -> Option<&dyn Executor> {
        self.executor.as_deref()
    }

    /// The same, to be held while something else changes.
    pub(in crate::host) fn shared_executor(&self) -> Option<Arc<dyn Executor>> {
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
    pub(in crate::host) fn keep(&mut self, execution: Execution, format: ResultFormat) -> wasmtime::Result<u32> {
        self.rests_on(&execution);
        self.push(Done::new(execution, format))
    }

    /// Keeps what was executed and gives its place.
    pub(in crate::host) fn push(&mut self, done: Done) -> wasmtime::Result<u32> {
        let rep = u32::try_from(self.done.len())?;
        self.done.push(Some(done));
        Ok(rep)
    }

    /// The recordings that are made on the way.
    pub(in crate::host) const fn wanted(&self) -> Wanted {
        self.wanted
    }

    /// What hypothetical executions rest on, from the executor where there was none before.
    pub(in crate::host) fn basis(
        &mut self,
        executor: &dyn Executor,
        specimen: &Specimen,
    ) -> Result<Result<Arc<WhatIfBasis>, WhatIfError>, Unavailable> {
        if let Some(basis) = &self.basis {
            return Ok(Ok(Arc::clone(basis)));
        }
        let basis = executor.what_if_basis(specimen)?;
        self.basis = basis.as_ref().ok().cloned();
        Ok(basis)
    }

    /// Place at which the last hypothetical execution left what is known, where one did.
    pub(crate) const fn left(&self) -> Option<Departure> {
        self.left
    }

    /// Adds what the run rests on from now on.
    pub(in crate::host) fn rests_on(&mut self, execution: &Execution) {
        self.refused = None;
        self.evidence.get_or_insert_default().add_execution(execution);
    }

    /// Keeps the reason why nothing is executed, so that no rule makes a verdict of it, and gives its words.
    pub(in crate::host) fn is_unavailable(&mut self, unavailable: &Unavailable) -> String {
        let reason = UntrustedText::new(&ErrorChain(unavailable).to_string());
        self.unavailable = Some(reason.clone());
        reason.as_str().to_owned()
    }

    /// The execution behind a handle, to be changed.
    pub(in crate::host) fn get_mut(&mut self, handle: &Resource<ExecutionHandle>) -> Result<&mut Done, BudgetExceeded> {
        let done = self.done.get_mut(handle.rep() as usize).and_then(Option::as_mut);
        done.ok_or(BudgetExceeded::Misuse(Misuse::NothingThere { what: Thing::Execution }))
    }

    /// Words for the reason why none was available when the rule asked.
    pub(in crate::host) fn reason_unavailable(&self) -> Option<String> {
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
    pub(in crate::host) fn document_written(
        &mut self,
        handle: &Resource<ExecutionHandle>,
    ) -> Result<(), BudgetExceeded> {
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

    pub(in crate::host) fn get(&self, handle: &Resource<ExecutionHandle>) -> Result<&Done, BudgetExceeded> {
        let done = self.done.get(handle.rep() as usize).and_then(Option::as_ref);
        done.ok_or(BudgetExceeded::Misuse(Misuse::NothingThere { what: Thing::Execution }))
    }
}

impl Done {
    pub(in crate::host) fn new(execution: Execution, format: ResultFormat) -> Self {
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
    pub(in crate::host) fn under(self, hypothesis: Hypothesis) -> Self {
        Self { hypothesis: Some(Arc::new(hypothesis)), ..self }
    }

    /// Transactions that could not be included under these conditions.
    pub(in crate::host) fn excluded(&self) -> &[Exclusion] {
        self.hypothesis.as_ref().map_or(&[], |hypothesis| &hypothesis.excluded)
    }

    /// True when the header proves the hashes of the transactions, and in formats that compare nothing. It proves none of them where the
    /// layout dropped a part of one transaction: then only its signature proves each of the others.
    pub(in crate::host) fn has_proven_hashes(&self) -> bool {
        let proves = |check: &Check| check.name == CheckName::TransactionsRoot && check.outcome == Outcome::Passed;
        self.format != ResultFormat::Canonical || self.execution.checks.iter().any(proves)
    }

    pub(in crate::host) fn receipt_count(&self) -> u32 {
        u32::try_from(self.execution.receipts.len()).unwrap_or(u32::MAX)
    }

    pub(in crate::host) const fn log_count(&self) -> u32 {
        self.log_count
    }

    pub(in crate::host) fn checks(&self, budget: &mut Budget) -> Result<Vec<types::Check>, BudgetExceeded> {
        let checks = &self.execution.checks;
        budget.copy(checks.len().saturating_mul(CHECK_BYTES))?;
        Ok(checks.iter().map(types::Check::from).collect())
    }

    pub(in crate::host) fn receipts(
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

    pub(in crate::host) fn logs(
        &self,
        budget: &mut Budget,
        start: u32,
        count: u32,
    ) -> Result<Vec<evm::Log>, BudgetExceeded> {
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

impl From<&Check> for types::Check {
    fn from(check: &Check) -> Self {
        let (outcome, detail) = match &check.outcome {
            Outcome::Passed => (types::CheckOutcome::Passed, String::new()),
            Outcome::Failed { subject, stated, computed } => {
                (types::CheckOutcome::Failed, format!("{subject}stated {stated}, {} {computed}", computed.role()))
            }
            // Version 1.0 of the contract has one word for both; the reason tells them apart.
            Outcome::NotApplicable(reason) | Outcome::NotCheckable(reason) => {
                (types::CheckOutcome::NotApplicable, (*reason).to_owned())
            }
        };
        Self { name: check.name.as_str().to_owned(), outcome, detail }
    }
}
