//! The two bases of a canonical result: the block's execution, and the receipts that its specimen carries.

use std::{fmt, str::FromStr};

use crate::error::{ExecuteError, Rejected, Unsupported};

/// What the receipts of a result rest on.
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
            | Unsupported::BeforeParis { .. }
            | Unsupported::Fork { .. }
            | Unsupported::TransactionType { .. }
            | Unsupported::ContractCreation { .. }
            | Unsupported::BlobFeeCapMissing { .. }
            | Unsupported::AuthorizationListPresent { .. }
            | Unsupported::Uncles { .. }
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
