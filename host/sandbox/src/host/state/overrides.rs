//! What a rule sets for executions under other conditions.

use refiner_evm::Overrides;
use refiner_rule_model::{Misuse, Thing};
use wasmtime::component::Resource;

use crate::host::budget::BudgetExceeded;

/// The guest's handle of overrides. Its number is its place in [`OverridesSet`].
pub struct OverridesHandle;

/// The overrides of a run.
#[derive(Default)]
pub(crate) struct OverridesSet(pub(in crate::host) Vec<Option<Overrides>>);

impl OverridesSet {
    pub(in crate::host) fn get_mut(
        &mut self,
        handle: &Resource<OverridesHandle>,
    ) -> Result<&mut Overrides, BudgetExceeded> {
        self.0.get_mut(handle.rep() as usize).and_then(Option::as_mut).ok_or_else(nothing_there)
    }
}

/// The misuse of a handle without overrides.
pub(in crate::host) const fn nothing_there() -> BudgetExceeded {
    BudgetExceeded::Misuse(Misuse::NothingThere { what: Thing::Overrides })
}
