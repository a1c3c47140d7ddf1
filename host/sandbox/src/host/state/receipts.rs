//! The receipts of a run.

use refiner_rule_model::{Misuse, Thing};

use super::executions::Done;
use crate::host::budget::BudgetExceeded;

/// The guest's handle of receipts. A run has one set of them, so it holds nothing.
pub struct ReceiptsHandle;

/// The receipts of a run, once they were asked for.
#[derive(Default)]
pub(crate) struct ReceiptsTaken(pub(in crate::host) Option<Done>);

impl ReceiptsTaken {
    pub(in crate::host) fn get(&self) -> Result<&Done, BudgetExceeded> {
        self.0.as_ref().ok_or(BudgetExceeded::Misuse(Misuse::NothingThere { what: Thing::Receipts }))
    }
}
