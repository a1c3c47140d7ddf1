//! Everything one guest can reach, as data.

pub(in crate::host) mod changes;
pub(in crate::host) mod executions;
pub(in crate::host) mod frames;
pub(in crate::host) mod gas;
pub(in crate::host) mod log;
pub(in crate::host) mod outputs;
pub(in crate::host) mod overrides;
pub(in crate::host) mod receipts;
pub(in crate::host) mod recordings;
pub(in crate::host) mod specimen;
pub(in crate::host) mod wasi;

use refiner_rule_model::{Evidence, Limits, Misuse, Params, Thing};
use refiner_specimen::check::Check;

use self::{
    changes::ChangeReaders, executions::Executions, frames::FrameReaders, gas::ProfileReaders, log::Log,
    outputs::Outputs, overrides::OverridesSet, receipts::ReceiptsTaken, recordings::Wanted, specimen::SpecimenView,
    wasi::Wasi,
};
use super::{
    budget::{Budget, BudgetExceeded},
    memory::MemoryMeter,
};
use crate::bindings::refiner::rule::types;

/// Everything one guest can reach.
pub(crate) struct HostState {
    pub(crate) budget: Budget,
    pub(crate) memory: MemoryMeter,
    pub(crate) log: Log,
    pub(crate) outputs: Outputs,
    pub(in crate::host) specimen: Option<SpecimenView>,
    pub(crate) executions: Executions,
    pub(in crate::host) receipts: ReceiptsTaken,
    pub(in crate::host) frames: FrameReaders,
    pub(in crate::host) changes: ChangeReaders,
    pub(in crate::host) profiles: ProfileReaders,
    pub(in crate::host) overrides: OverridesSet,
    pub(in crate::host) params: Params,
    pub(in crate::host) wasi: Wasi,
}

impl HostState {
    /// The reach of `describe`: parameters and a specimen are not there yet.
    pub(crate) fn nothing(limits: &Limits, fuel: u64, state_bytes: u64) -> Self {
        Self::over(limits, fuel, state_bytes, None, Params::default(), Executions::new(None, Wanted::default()))
    }

    /// The checks that were made for the guest while it ran; `None` when no execution succeeded and so none covers the specimen.
    pub(crate) fn take_evidence(&mut self) -> (Option<Evidence>, Option<Check>) {
        (self.executions.take_evidence(), self.specimen.as_mut().and_then(SpecimenView::take_senders))
    }

    /// The reach over these.
    pub(crate) fn over(
        limits: &Limits,
        fuel: u64,
        state_bytes: u64,
        specimen: Option<SpecimenView>,
        params: Params,
        executions: Executions,
    ) -> Self {
        Self {
            budget: Budget::new(limits, fuel),
            memory: MemoryMeter::new(limits, state_bytes),
            log: Log::default(),
            outputs: Outputs::default(),
            specimen,
            executions,
            receipts: ReceiptsTaken::default(),
            frames: FrameReaders::default(),
            changes: ChangeReaders::default(),
            profiles: ProfileReaders::default(),
            overrides: OverridesSet::default(),
            params,
            wasi: Wasi::default(),
        }
    }
}

impl HostState {
    /// Stops the guest before it reads what is certain only where the signatures are those of the stated senders.
    pub(in crate::host) fn check_senders(&mut self) -> Result<(), BudgetExceeded> {
        let view =
            self.specimen.as_mut().ok_or(BudgetExceeded::Misuse(Misuse::NothingThere { what: Thing::Specimen }))?;
        match self.executions.executor().filter(|_| !self.executions.senders_checked()) {
            Some(executor) => view.check_senders(executor),
            None => Ok(()),
        }
    }
}

impl types::Host for HostState {}
