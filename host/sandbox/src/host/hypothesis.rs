//! Executions of the block under other conditions, as far as a run remembers them.

use std::sync::Arc;

use refiner_evm::{Departure, Exclusion, Executor, Overrides, Unavailable, WhatIfBasis, WhatIfError};
use refiner_rule_model::{Misuse, ReasonClass};
use refiner_specimen::Specimen;
use wasmtime::component::Resource;

use super::BudgetExceeded;

/// The conditions of a hypothetical execution, and what it left out.
pub(super) struct Hypothesis {
    pub(super) basis: Arc<WhatIfBasis>,
    pub(super) overrides: Arc<Overrides>,
    pub(super) excluded: Vec<Exclusion>,
}

/// The parts of hypothetical executions that outlive them.
pub(crate) struct Hypotheses {
    /// Place at which the last one left what is known.
    left: Option<Departure>,
    /// The block's own execution, on which they rest.
    basis: Option<Arc<WhatIfBasis>>,
}

impl Hypotheses {
    /// Before the first one.
    pub(super) const NONE: Self = Self { left: None, basis: None };

    /// What they rest on, from the executor where there was none before.
    pub(super) fn basis(
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

    /// Notes why there is none.
    pub(super) const fn note(&mut self, error: &WhatIfError) {
        if let WhatIfError::LeftSpecimen(departure) = error {
            self.left = Some(*departure);
        }
    }

    /// Place at which the last one left what is known, where one did.
    pub(crate) const fn left(&self) -> Option<Departure> {
        self.left
    }
}

/// The class of an obstacle, where it has one.
pub(super) fn class_of(error: &WhatIfError) -> Option<ReasonClass> {
    match error {
        WhatIfError::Unexecuted(error) => ReasonClass::of(error),
        WhatIfError::LeftSpecimen(_) | WhatIfError::Invalid(_) | WhatIfError::NoBlock(_) | WhatIfError::Executor => {
            None
        }
    }
}

/// The guest's handle of overrides. Its number is its place in [`OverridesSet`].
pub struct OverridesHandle;

/// The overrides of a run.
#[derive(Default)]
pub(crate) struct OverridesSet(pub(super) Vec<Option<Overrides>>);

impl OverridesSet {
    pub(super) fn get_mut(&mut self, handle: &Resource<OverridesHandle>) -> Result<&mut Overrides, BudgetExceeded> {
        self.0.get_mut(handle.rep() as usize).and_then(Option::as_mut).ok_or_else(nothing_there)
    }
}

const fn nothing_there() -> BudgetExceeded {
    BudgetExceeded::Misuse(Misuse::NothingThere { what: "overrides" })
}
