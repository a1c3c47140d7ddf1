//! `receipts`: the block's receipts from wherever they are proven.

use refiner_evm::{Basis, ResultFormat};
use refiner_rule_model::{Misuse, Thing};
use wasmtime::component::Resource;

use super::{BlockSpecimen, BudgetExceeded, HostState, ReceiptsHandle, state::executions::Done};
use crate::bindings::refiner::rule::{evm, receipts, types};

/// The number of every handle.
const REP: u32 = 0;

impl receipts::Host for HostState {
    fn open(
        &mut self,
        _specimen: Resource<BlockSpecimen>,
    ) -> wasmtime::Result<Result<Resource<ReceiptsHandle>, evm::ExecuteError>> {
        self.budget.call("receipts.open")?;
        if self.receipts.0.is_some() {
            return Ok(Ok(Resource::new_own(REP)));
        }
        let specimen =
            self.specimen.as_ref().ok_or(BudgetExceeded::Misuse(Misuse::NothingThere { what: Thing::Specimen }))?;
        let recorded = self.executions.executor().and_then(|executor| executor.recorded_receipts(specimen.specimen()));
        let execution = match recorded {
            Some(execution) => execution,
            None => match self.executed(ResultFormat::Canonical)? {
                Ok(execution) => execution,
                Err(error) => return Ok(Err(error)),
            },
        };
        self.executions.rests_on(&execution);
        self.receipts.0 = Some(Done::new(execution, ResultFormat::Canonical));
        Ok(Ok(Resource::new_own(REP)))
    }
}

impl receipts::HostBlockReceipts for HostState {
    fn source(&mut self, _: Resource<ReceiptsHandle>) -> wasmtime::Result<receipts::Source> {
        self.budget.call("receipts.block-receipts.source")?;
        Ok(match self.receipts.get()?.execution.basis {
            Basis::Execution => receipts::Source::Executed,
            Basis::Receipts { .. } => receipts::Source::Recorded,
        })
    }

    fn checks(&mut self, _: Resource<ReceiptsHandle>) -> wasmtime::Result<Vec<types::Check>> {
        self.budget.call("receipts.block-receipts.checks")?;
        Ok(self.receipts.get()?.checks(&mut self.budget)?)
    }

    fn receipt_count(&mut self, _: Resource<ReceiptsHandle>) -> wasmtime::Result<u32> {
        self.budget.call("receipts.block-receipts.receipt-count")?;
        Ok(self.receipts.get()?.receipt_count())
    }

    fn log_count(&mut self, _: Resource<ReceiptsHandle>) -> wasmtime::Result<u32> {
        self.budget.call("receipts.block-receipts.log-count")?;
        Ok(self.receipts.get()?.log_count())
    }

    fn receipts(&mut self, _: Resource<ReceiptsHandle>, start: u32, count: u32) -> wasmtime::Result<Vec<evm::Receipt>> {
        self.budget.call("receipts.block-receipts.receipts")?;
        if !self.receipts.get()?.has_proven_hashes() {
            self.check_senders()?;
        }
        Ok(self.receipts.get()?.receipts(&mut self.budget, start, count)?)
    }

    fn logs(&mut self, _: Resource<ReceiptsHandle>, start: u32, count: u32) -> wasmtime::Result<Vec<evm::Log>> {
        self.budget.call("receipts.block-receipts.logs")?;
        Ok(self.receipts.get()?.logs(&mut self.budget, start, count)?)
    }

    fn drop(&mut self, _: Resource<ReceiptsHandle>) -> wasmtime::Result<()> {
        // They stay: to open them again costs nothing then.
        Ok(())
    }
}
