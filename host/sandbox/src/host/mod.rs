//! The reach of a rule, one file an interface.
//!
//! [`HostState`] is the `T` of every `Store<T>`: a guest can touch what is in it and nothing else. Every call passes
//! [`Budget::call`] first, so no import is free.

mod budget;
mod changes;
mod evm;
mod gas_profile;
mod log;
mod memory;
mod output;
mod page;
mod params;
mod receipts;
mod recordings;
mod specimen;
mod state;
mod traces;
pub(crate) mod wasi;
mod what_if;
mod words;

// Public for the generated bindings, which name them; this module is not.
pub use self::state::{
    changes::ChangesHandle, executions::ExecutionHandle, frames::FramesHandle, gas::ProfileHandle,
    outputs::ArtifactHandle, overrides::OverridesHandle, receipts::ReceiptsHandle, specimen::BlockSpecimen,
};
pub(crate) use self::{
    budget::{Budget, BudgetExceeded},
    state::{HostState, executions::Executions, outputs::Outputs, recordings::Wanted, specimen::SpecimenView},
};

#[cfg(test)]
mod tests {
    use refiner_rule_model::engine;

    use super::{budget, changes, state::executions, wasi};
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
            (executions::LOG_FUEL, "a log looked at"),
        ];
        check(engine::SETTINGS, "fuel-of-imports", &of_every_rule);
        check(engine::WASI_SETTINGS, "wasi-fuel", &[(wasi::poll::HANDLE_FUEL, "a handle waited for")]);
        check(engine::COLUMN_SETTINGS, "fuel-of-rows", &[(rows::ROW_BYTE_FUEL, "a checked byte")]);
        let of_changes = [(changes::SEARCH_FUEL, "a search of deployed code"), (changes::STEP_FUEL, "a step searched")];
        check(engine::STATE_CHANGE_SETTINGS, "fuel-of-state-changes", &of_changes);
    }
}
