//! The place of a reader in a recording.

use refiner_evm::{Step, Steps};
use refiner_rule_model::Limit;

use super::{Budget, BudgetExceeded};

/// The place of a reader in its recording.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Position {
    /// The step to be read; `None` before the first and after the last one.
    pub(super) at: Option<u32>,
    next: u32,
}

impl Position {
    /// Enters the next step of these and pays for its bytes.
    pub(super) fn enter<T>(
        &mut self,
        steps: &Steps<T>,
        budget: &mut Budget,
        bytes_of: impl Fn(&T) -> u64,
    ) -> Result<Option<u32>, BudgetExceeded> {
        let number = self.next;
        match steps.get(number) {
            Step::Kept(step) => budget.spend(Limit::RecordBytes, bytes_of(step))?,
            // It did not fit what the limit grants a whole run.
            Step::TooLarge => return Err(budget.used_up(Limit::RecordBytes)),
            Step::End => {
                self.at = None;
                return Ok(None);
            }
        }
        self.at = Some(number);
        self.next = number.saturating_add(1);
        Ok(self.at)
    }
}
