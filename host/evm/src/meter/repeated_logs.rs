//! Logs that a document has once more: no instruction makes them, so no instruction pays for them.

use super::{
    budget::{Budget, BudgetExceeded},
    bytes,
};
use crate::execution::ExecutedLog;

/// Gas of a log, and as much for each of its topics.
const LOG_GAS: u64 = 375;
/// Gas of a byte of a log's data.
const DATA_GAS: u64 = 8;

/// The gas of the instructions that made logs, and the bytes that hold them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LogCost {
    gas: u64,
    bytes: u64,
}

impl LogCost {
    /// The cost of these logs together with one log more.
    pub(crate) fn and(self, log: &ExecutedLog) -> Self {
        let (topics, data) = (log.topics.len(), log.data.len());
        let gas = (1 + topics as u64) * LOG_GAS + data as u64 * DATA_GAS;
        Self { gas: self.gas.saturating_add(gas), bytes: self.bytes.saturating_add(bytes::log(topics, data)) }
    }
}

/// Counts repeated logs against the budget of the block. A repeated log costs what its first instance did, so the bounds on gas and on
/// memory hold for the document as for the execution.
#[derive(Clone, Copy)]
pub(crate) struct RepeatedLogs<'a> {
    budget: &'a Budget<'a>,
    held: u64,
}

impl<'a> RepeatedLogs<'a> {
    /// None yet, after an execution that holds this many bytes.
    pub(crate) const fn after(budget: &'a Budget<'a>, held: u64) -> Self {
        Self { budget, held }
    }

    /// Counts logs that are about to be repeated.
    ///
    /// # Errors
    /// [`BudgetExceeded::TooLarge`] when they do not fit.
    pub(crate) fn count(&mut self, cost: LogCost) -> Result<(), BudgetExceeded> {
        self.held = self.held.saturating_add(cost.bytes);
        self.budget.charge(cost.gas)?;
        bytes::within(self.held)
    }
}
