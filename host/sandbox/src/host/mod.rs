//! The reach of a rule, one file an interface.
//!
//! [`HostState`] is the `T` of every `Store<T>`: a guest can touch what is in it and nothing else. Every call passes
//! [`Budget::call`] first, so no import is free.

mod budget;
mod changes;
mod checks;
mod evm;
mod gas_profile;
mod gas_readers;
mod hypothesis;
mod log;
mod memory;
mod output;
mod page;
mod params;
mod position;
mod receipts;
mod recordings;
mod specimen;
mod traces;
pub(crate) mod wasi;
mod what_if;
mod words;

use std::sync::Arc;

use refiner_evm::Executor;
use refiner_rule_model::{Evidence, Limits, Params};
use refiner_specimen::check::Check;

pub(crate) use self::{
    budget::{Budget, BudgetExceeded},
    recordings::Wanted,
    specimen::SpecimenView,
};
// Public for the generated bindings, which name them; this module is not.
use self::{
    changes::ChangeReaders, evm::Executions, gas_readers::ProfileReaders, hypothesis::OverridesSet, log::Log,
    memory::MemoryMeter, output::Outputs, receipts::ReceiptsTaken, traces::FrameReaders, wasi::Wasi,
};
pub use self::{
    changes::ChangesHandle, evm::ExecutionHandle, gas_readers::ProfileHandle, hypothesis::OverridesHandle,
    output::ArtifactHandle, receipts::ReceiptsHandle, specimen::BlockSpecimen, traces::FramesHandle,
};
use crate::{AdmittedRule, bindings::refiner::rule::types};

/// Everything one guest can reach.
pub(crate) struct HostState {
    pub(crate) budget: Budget,
    pub(crate) memory: MemoryMeter,
    pub(crate) log: Log,
    pub(crate) outputs: Outputs,
    specimen: Option<SpecimenView>,
    pub(crate) executions: Executions,
    receipts: ReceiptsTaken,
    frames: FrameReaders,
    changes: ChangeReaders,
    profiles: ProfileReaders,
    overrides: OverridesSet,
    params: Params,
    wasi: Wasi,
}

impl HostState {
    /// The reach of `describe`: parameters and a specimen are not there yet.
    pub(crate) fn nothing(limits: &Limits, fuel: u64, state_bytes: u64) -> Self {
        Self::over(limits, fuel, state_bytes, None, Params::default(), Executions::new(None, Wanted::default()))
    }

    /// The reach of one run of the rule that describes itself so.
    pub(crate) fn of_run(
        rule: &AdmittedRule,
        limits: &Limits,
        fuel: u64,
        specimen: SpecimenView,
        params: Params,
        executor: Arc<dyn Executor>,
    ) -> Self {
        let executions = Executions::new(Some(executor), Wanted::by(&rule.terms.needs));
        Self {
            outputs: Outputs::of(Arc::clone(&rule.description), Arc::clone(&rule.row_checks)),
            ..Self::over(limits, fuel, rule.terms.state_bytes, Some(specimen), params, executions)
        }
    }

    /// The checks that were made for the guest while it ran; `None` when no execution succeeded and so none covers the specimen.
    pub(crate) fn take_evidence(&mut self) -> (Option<Evidence>, Option<Check>) {
        (self.executions.take_evidence(), self.specimen.as_mut().and_then(SpecimenView::take_senders))
    }

    fn over(
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

impl types::Host for HostState {}

#[cfg(test)]
mod tests {
    use refiner_rule_model::engine;

    use super::{budget, changes, evm, wasi};
    use crate::rows;

    /// The profile's id is a hash of its settings, so the prices have to be part of them.
    #[test]
    fn settings_of_the_profile_name_every_price_of_a_call() {
        let check = |settings: &[(&str, &str)], name: &str, prices: &[(u64, &str)]| {
            let expected = prices.iter().map(|(fuel, each)| format!("{fuel} {each}")).collect::<Vec<_>>().join(", ");
            let (_, stated) = settings.iter().find(|(known, _)| *known == name).unwrap();
            assert_eq!(*stated, expected);
        };
        let of_every_rule = [
            (budget::CALL_FUEL, "a call"),
            (budget::BYTE_FUEL, "a copied byte"),
            (wasi::random::BYTE_FUEL, "a random byte"),
            (wasi::stdio::LINE_FUEL, "a line of output"),
            (evm::LOG_FUEL, "a log looked at"),
        ];
        check(engine::SETTINGS, "fuel-of-imports", &of_every_rule);
        check(engine::WASI_SETTINGS, "wasi-fuel", &[(wasi::poll::HANDLE_FUEL, "a handle waited for")]);
        check(engine::COLUMN_SETTINGS, "fuel-of-rows", &[(rows::ROW_BYTE_FUEL, "a checked byte")]);
        let of_changes = [(changes::SEARCH_FUEL, "a search of deployed code"), (changes::STEP_FUEL, "a step searched")];
        check(engine::STATE_CHANGE_SETTINGS, "fuel-of-state-changes", &of_changes);
    }
}
