//! Checks that need nobody's trust: what a block says of itself, recomputed.
//!
//! Each check is named and stands alone, so that a block whose transactions were exported with a loss can still be
//! shown to carry the right header. `refiner-evm` adds the checks that need execution, under the names declared here.

mod bytes;
mod codes;
mod header;
mod roots;

use std::fmt;

use alloy_primitives::{B256, Bloom};

use crate::Specimen;

pub use bytes::{canonical_encoding, specimen_hash};
pub use codes::code_hashes;
pub use header::block_hash;
pub use roots::{transactions_root, withdrawals_root};

/// Every check that needs only the decoded specimen, in a fixed order.
///
/// [`canonical_encoding`] and [`specimen_hash`] need the bytes too, and stand alone.
pub fn all(specimen: &Specimen) -> Vec<Check> {
    vec![block_hash(specimen), transactions_root(specimen), withdrawals_root(specimen), code_hashes(specimen)]
}

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CheckName {
    /// keccak256 of the RLP of the header is the block hash.
    BlockHash,
    /// The header's `transactionsRoot` is the root of the transactions.
    TransactionsRoot,
    /// The header's `withdrawalsRoot` is the root of the withdrawals.
    WithdrawalsRoot,
    /// Every `CodeRead` hash is keccak256 of its code.
    CodeHashes,
    /// The specimen's bytes hash to the announced specimen hash.
    SpecimenHash,
    /// Re-encoding the decoded specimen gives the same bytes.
    CanonicalEncoding,
    /// Execution used the gas the header states.
    GasUsed,
    /// The bloom of the executed logs is the header's.
    LogsBloom,
    /// The root of the executed receipts is the header's.
    ReceiptsRoot,
    /// The hash of the execution-layer requests is the header's (Prague and later).
    RequestsHash,
    /// The executed receipts equal the ones the producer put in the specimen.
    ProducerReceipts,
}

impl CheckName {
    /// The name as it is printed and as rules see it, `"receiptsRoot"`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BlockHash => "blockHash",
            Self::TransactionsRoot => "transactionsRoot",
            Self::WithdrawalsRoot => "withdrawalsRoot",
            Self::CodeHashes => "codeHashes",
            Self::SpecimenHash => "specimenHash",
            Self::CanonicalEncoding => "canonicalEncoding",
            Self::GasUsed => "gasUsed",
            Self::LogsBloom => "logsBloom",
            Self::ReceiptsRoot => "receiptsRoot",
            Self::RequestsHash => "requestsHash",
            Self::ProducerReceipts => "producerReceipts",
        }
    }
}

impl fmt::Display for CheckName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One check and how it came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What was compared.
    pub name: CheckName,
    /// How it came out.
    pub outcome: Outcome,
}

/// How a check came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The two agree.
    Passed,
    /// The two differ.
    Failed {
        /// What the block states.
        stated: Quantity,
        /// What was recomputed.
        computed: Quantity,
    },
    /// There is nothing to compare, for this reason.
    NotApplicable(&'static str),
}

/// One side of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// A hash or a root.
    Hash(B256),
    /// A number, such as gas or a position.
    Number(u64),
    /// A logs bloom.
    Bloom(Box<Bloom>),
    /// One byte of the file.
    Byte {
        /// Its offset.
        offset: u64,
        /// What is there.
        byte: u8,
    },
    /// Not there at all.
    Absent,
}

impl Check {
    /// Compares two quantities under a name.
    pub fn compare(name: CheckName, stated: Quantity, computed: Quantity) -> Self {
        let outcome = if stated == computed { Outcome::Passed } else { Outcome::Failed { stated, computed } };
        Self { name, outcome }
    }

    /// True when the check was made and failed.
    pub const fn failed(&self) -> bool {
        matches!(self.outcome, Outcome::Failed { .. })
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hash(hash) => write!(f, "{hash}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Bloom(bloom) => write!(f, "{bloom}"),
            Self::Byte { offset, byte } => write!(f, "{byte:#04x} at byte {offset}"),
            Self::Absent => f.write_str("absent"),
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.outcome {
            Outcome::Passed => write!(f, "{} passed", self.name),
            Outcome::Failed { stated, computed } => {
                write!(f, "{} failed: stated {stated}, computed {computed}", self.name)
            }
            Outcome::NotApplicable(reason) => write!(f, "{} not applicable: {reason}", self.name),
        }
    }
}
