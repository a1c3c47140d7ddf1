//! Checks, and errors of an execution, as the contract has them.

use refiner_evm::ExecuteError;
use refiner_specimen::check::{Check, Outcome};

use crate::bindings::refiner::rule::{evm, types};

impl From<ExecuteError> for evm::ExecuteError {
    fn from(error: ExecuteError) -> Self {
        match error {
            ExecuteError::Unsupported(reason) => Self::Unsupported(reason.to_string()),
            ExecuteError::Rejected(reason) => Self::Rejected(reason.to_string()),
        }
    }
}

impl From<&Check> for types::Check {
    fn from(check: &Check) -> Self {
        let (outcome, detail) = match &check.outcome {
            Outcome::Passed => (types::CheckOutcome::Passed, String::new()),
            Outcome::Failed { subject, stated, computed } => {
                (types::CheckOutcome::Failed, format!("{subject}stated {stated}, {} {computed}", computed.role()))
            }
            // Version 1.0 of the contract has one word for both; the reason tells them apart.
            Outcome::NotApplicable(reason) | Outcome::NotCheckable(reason) => {
                (types::CheckOutcome::NotApplicable, (*reason).to_owned())
            }
        };
        Self { name: check.name.as_str().to_owned(), outcome, detail }
    }
}
