//! The budget left for all work on one block.

use std::cell::Cell;

use refiner_specimen::check::{Check, CheckName, Quantity, Subject};

use crate::{
    error::{ExecuteError, Rejected, Resource, Unsupported},
    interrupt::{Interrupt, Interrupted},
};

/// Gas shared by everything that is done for one block: execution, system calls, and every further run that looks for
/// a reason or for a dropped field.
///
/// Once it is used up or interrupted, every later run with it ends at its first look.
pub(crate) struct Budget<'a> {
    bound: u64,
    used: Cell<u64>,
    interrupt: &'a dyn Interrupt,
    interrupted: Cell<Option<Interrupted>>,
}

/// The gas that a header states, which a run need not exceed by much to be refuted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ExpectedGas {
    pub(crate) stated: u64,
    /// Gas beyond the statement that is still executed, so that a small difference is exact.
    pub(crate) slack: u64,
}

/// The end of a run before its block's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BudgetExceeded {
    /// A bound is exceeded.
    TooLarge { resource: Resource, used: u64, bound: u64 },
    /// The block can no longer end at the gas that its header states.
    BeyondHeader { stated: u64, at_least: u64 },
    /// The caller ended execution. No verdict: [`Budget::interrupted`] overrides whatever is made of it.
    Interrupted,
}

impl<'a> Budget<'a> {
    /// A budget of `bound` gas that nothing has been used of.
    pub(crate) const fn new(bound: u64, interrupt: &'a dyn Interrupt) -> Self {
        Self { bound, used: Cell::new(0), interrupt, interrupted: Cell::new(None) }
    }

    /// The interruption, if there was one: nothing that was computed with this budget is then a verdict.
    pub(crate) const fn interrupted(&self) -> Option<Interrupted> {
        self.interrupted.get()
    }

    /// Gas of the bound that is left after `pending`, which is not charged yet.
    pub(super) fn left_after(&self, pending: u64) -> u64 {
        self.bound.saturating_sub(self.used.get().saturating_add(pending))
    }

    /// Charges gas.
    ///
    /// # Errors
    /// [`BudgetExceeded::TooLarge`] when the bound is exceeded.
    pub(crate) fn charge(&self, gas: u64) -> Result<(), BudgetExceeded> {
        self.used.set(self.used.get().saturating_add(gas));
        self.check(0)
    }

    /// Whether the bound holds with `pending` gas that is not charged yet.
    pub(super) fn check(&self, pending: u64) -> Result<(), BudgetExceeded> {
        if self.used.get().saturating_add(pending) > self.bound { Err(self.too_large(pending)) } else { Ok(()) }
    }

    /// The stop at `pending` gas that is not charged yet.
    pub(super) fn too_large(&self, pending: u64) -> BudgetExceeded {
        let used = self.used.get().saturating_add(pending);
        BudgetExceeded::TooLarge { resource: Resource::Gas, used, bound: self.bound }
    }

    /// Asks the caller whether to continue.
    pub(crate) fn check_interrupt(&self) -> Result<(), BudgetExceeded> {
        if self.interrupted.get().is_none() {
            let Err(interrupted) = self.interrupt.check() else { return Ok(()) };
            self.interrupted.set(Some(interrupted));
        }
        Err(BudgetExceeded::Interrupted)
    }
}

impl ExpectedGas {
    /// Whether a block that uses at least this much gas can still be the header's.
    pub(super) const fn check(self, at_least: u64, slack: u64) -> Result<(), BudgetExceeded> {
        let Self { stated, .. } = self;
        if at_least > stated.saturating_add(slack) {
            Err(BudgetExceeded::BeyondHeader { stated, at_least })
        } else {
            Ok(())
        }
    }
}

impl From<BudgetExceeded> for ExecuteError {
    fn from(stop: BudgetExceeded) -> Self {
        match stop {
            BudgetExceeded::TooLarge { resource, used, bound } => {
                Unsupported::ExecutionTooLarge { resource, used, bound }.into()
            }
            BudgetExceeded::BeyondHeader { stated, at_least } => {
                let (stated, computed) = (Quantity::Number(stated), Quantity::AtLeast(at_least));
                Rejected::HeaderMismatch(Check::failure(CheckName::GasUsed, Subject::Whole, stated, computed)).into()
            }
            // Never seen: who made the budget asks it first.
            BudgetExceeded::Interrupted => {
                Unsupported::ExecutionTooLarge { resource: Resource::Gas, used: 0, bound: 0 }.into()
            }
        }
    }
}
