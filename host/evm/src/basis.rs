//! The two bases of a canonical result: the block's execution, and the receipts that its specimen carries.

use std::{fmt, str::FromStr};

use crate::error::{ExecuteError, Rejected, Unsupported};

/// The basis of a result's receipts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Basis {
    /// The block was executed, and came out as its header states.
    Execution,
    /// The specimen's own receipts, which give the header's receiptsRoot; nothing was executed.
    Receipts {
        /// The reason that the block could not be executed; `None` where the policy asks for no execution.
        instead_of: Option<Box<ExecuteError>>,
    },
}

impl Basis {
    /// The name in documents and reports, `"execution"` or `"receipts"`.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Execution => "execution",
            Self::Receipts { .. } => "receipts",
        }
    }

    /// The reason that the block could not be executed, where receipts stand in for its execution.
    pub fn instead_of(&self) -> Option<&ExecuteError> {
        match self {
            Self::Execution => None,
            Self::Receipts { instead_of } => instead_of.as_deref(),
        }
    }
}

/// The bases that a canonical result may rest on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum BasisPolicy {
    /// Execution, or the recorded receipts where execution lacks data that the producer did not export.
    #[default]
    Auto,
    /// Execution only.
    Execution,
    /// The recorded receipts only.
    Receipts,
}

impl BasisPolicy {
    /// Every policy.
    pub const ALL: [Self; 3] = [Self::Auto, Self::Execution, Self::Receipts];

    /// The name on the command line and in reports, `"auto"`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Execution => "execution",
            Self::Receipts => "receipts",
        }
    }
}

impl fmt::Display for BasisPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no basis policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected auto, execution or receipts")]
pub struct UnknownBasisPolicy;

impl FromStr for BasisPolicy {
    type Err = UnknownBasisPolicy;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|policy| policy.as_str() == text).ok_or(UnknownBasisPolicy)
    }
}

impl ExecuteError {
    /// True where the producer exported no state and nothing else stands in for it.
    pub fn is_for_want_of_state(&self) -> bool {
        match self {
            Self::Unsupported(Unsupported::NoBasis { execution }) => matches!(**execution, Unsupported::NoState { .. }),
            Self::Unsupported(unsupported) => matches!(unsupported, Unsupported::NoState { .. }),
            Self::Rejected(_) => false,
        }
    }
}

/// True when an execution failed for want of data that the producer did not export, so that it refutes nothing.
///
/// `fields_dropped`: a transaction of the block lacks a field that execution needs, and candidates for it were tried.
pub(crate) const fn lacks_data(error: &ExecuteError, fields_dropped: bool) -> bool {
    match error {
        ExecuteError::Unsupported(unsupported) => match unsupported {
            Unsupported::NoState { .. }
            | Unsupported::AuthorizationListMissing { .. }
            | Unsupported::BlobHashesMissing { .. }
            | Unsupported::Ambiguous { .. }
            | Unsupported::RoundedNumbers { .. } => true,
            // The bound ended the search for the field, and not the block.
            Unsupported::ExecutionTooLarge { .. } => fields_dropped,
            Unsupported::NoBasis { .. }
            | Unsupported::NoReceipts { .. }
            | Unsupported::UnknownChain { .. }
            | Unsupported::Fork { .. }
            | Unsupported::TransactionType { .. }
            | Unsupported::ContractCreation { .. }
            | Unsupported::BlobFeeCapMissing { .. }
            | Unsupported::AuthorizationListPresent { .. }
            | Unsupported::BlobGasUsed { .. }
            | Unsupported::DifficultyAfterMerge { .. }
            | Unsupported::Refused { .. }
            | Unsupported::EvmServerChain { .. }
            | Unsupported::EraWithoutExecution { .. } => false,
        },
        ExecuteError::Rejected(rejected) => matches!(
            rejected,
            Rejected::CodeMissing(_) | Rejected::CodeNotLoaded { .. } | Rejected::BlockHashMissing { .. }
        ),
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{Address, B256};
    use refiner_specimen::{
        DroppedPart, Layout,
        check::{Check, CheckName},
    };

    use super::*;
    use crate::{
        code_use::CodeUse,
        error::{MissingCode, Resource},
        format::{Era, ResultFormat},
        what_if::{Departure, StateItem},
    };

    const ERA: ResultFormat = ResultFormat::EvmServer(Era::A);

    /// Errors of executions that lack what the producer did not export.
    fn lacking() -> Vec<ExecuteError> {
        let missing = MissingCode {
            hash: B256::ZERO,
            account: Address::ZERO,
            asked: CodeUse::Size,
            consequence: Rejected::CodeNotLoaded { hash: B256::ZERO },
        };
        vec![
            Unsupported::NoState { transactions: 1 }.into(),
            Unsupported::AuthorizationListMissing { transaction: 0 }.into(),
            Unsupported::BlobHashesMissing { transaction: 0, layout: Layout::V0_36 }.into(),
            Unsupported::Ambiguous { transaction: 0, field: DroppedPart::Authorizations }.into(),
            Unsupported::RoundedNumbers { layout: Layout::V0_2 }.into(),
            Rejected::CodeMissing(Box::new(missing)).into(),
            Rejected::CodeNotLoaded { hash: B256::ZERO }.into(),
            Rejected::BlockHashMissing { number: 1 }.into(),
        ]
    }

    /// Errors that another basis must not cover.
    fn others() -> Vec<ExecuteError> {
        let failed = || Check::passed(CheckName::GasUsed);
        let (contract, hash) = (Address::ZERO, B256::ZERO);
        vec![
            Unsupported::NoReceipts { transactions: 1 }.into(),
            Unsupported::NoBasis { execution: Box::new(Unsupported::NoState { transactions: 1 }) }.into(),
            Unsupported::EraWithoutExecution { format: ERA }.into(),
            Unsupported::UnknownChain { network_id: 5 }.into(),
            Unsupported::Fork { height: 1, fork: "Amsterdam" }.into(),
            Unsupported::TransactionType { transaction: 0, tx_type: 5, format: "canonical" }.into(),
            Unsupported::ContractCreation { transaction: 0, tx_type: 3, format: ERA }.into(),
            Unsupported::BlobFeeCapMissing { transaction: 0, format: ERA }.into(),
            Unsupported::AuthorizationListPresent { transaction: 0, format: ERA }.into(),
            Unsupported::BlobGasUsed { used: 0, stated: 1, format: ERA }.into(),
            Unsupported::DifficultyAfterMerge { format: ERA }.into(),
            Unsupported::Refused { message: String::new() }.into(),
            Unsupported::EvmServerChain { network_id: 5, format: ERA }.into(),
            Rejected::SenderCount { transactions: 1, senders: 0 }.into(),
            Rejected::InvalidTransaction { transaction: 0, reason: String::new() }.into(),
            Rejected::HeaderField { field: "requestsHash" }.into(),
            Rejected::ExcessBlobGas { excess_blob_gas: 1 }.into(),
            Rejected::CodeHash { stated: hash, computed: hash }.into(),
            Rejected::DepositEvent { contract }.into(),
            Rejected::SystemCall { contract }.into(),
            Rejected::CheckFailed(failed()).into(),
            Rejected::HeaderMismatch(failed()).into(),
            Rejected::LeftSpecimen(Departure { transaction: None, place: StateItem::BlockHash(1) }).into(),
        ]
    }

    #[test]
    fn receipts_stand_in_for_lacking_data_and_for_no_other_error() {
        for fields_dropped in [false, true] {
            for error in lacking() {
                assert!(lacks_data(&error, fields_dropped), "{error}");
            }
            for error in others() {
                assert!(!lacks_data(&error, fields_dropped), "{error}");
            }
            let too_large = Unsupported::ExecutionTooLarge { resource: Resource::Gas, used: 2, bound: 1 };
            assert_eq!(lacks_data(&too_large.into(), fields_dropped), fields_dropped);
        }
    }

    #[test]
    fn lack_of_state_is_known_under_the_lack_of_receipts_and_nowhere_else() {
        let no_state = || Unsupported::NoState { transactions: 1 };
        let of_state = |error: &ExecuteError| error.is_for_want_of_state();
        assert!(of_state(&no_state().into()));
        assert!(of_state(&Unsupported::NoBasis { execution: Box::new(no_state()) }.into()));
        let other =
            Unsupported::NoBasis { execution: Box::new(Unsupported::AuthorizationListMissing { transaction: 0 }) };
        assert!(!of_state(&other.into()));
        assert_eq!(lacking().iter().filter(|error| of_state(error)).count(), 1);
        assert_eq!(others().iter().filter(|error| of_state(error)).count(), 1);
    }

    #[test]
    fn policies_are_read_as_they_are_written() {
        for policy in BasisPolicy::ALL {
            assert_eq!(policy.to_string().parse(), Ok(policy));
        }
        assert_eq!("both".parse::<BasisPolicy>(), Err(UnknownBasisPolicy));
    }
}
