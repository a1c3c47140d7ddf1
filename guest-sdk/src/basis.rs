//! The two bases of a block's receipts and logs.

use crate::{Check, CheckOutcome};

/// The basis of an execution's receipts and logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// The block was executed, and came out as its header states.
    Execution,
    /// The receipts that the specimen carries, which give the header's receiptsRoot. Its producer left out what an execution needs.
    Receipts,
}

impl Basis {
    /// The name in reports and documents, `"execution"` or `"receipts"`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Execution => "execution",
            Self::Receipts => "receipts",
        }
    }

    /// A host that knows recorded receipts has the check `execution` in every result of the canonical format. Hosts before it, and the
    /// formats of evm-servers, have executions only.
    pub(crate) fn of(checks: &[Check]) -> Self {
        let execution = checks.iter().find(|check| check.name == "execution");
        match execution.map(|check| check.outcome) {
            None | Some(CheckOutcome::Passed | CheckOutcome::Failed) => Self::Execution,
            Some(CheckOutcome::NotApplicable) => Self::Receipts,
        }
    }
}
