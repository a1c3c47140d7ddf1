//! Checks that need no trust: the block's own statements, recomputed.
//!
//! Each check is named and stands alone, so that a block whose transactions were exported with a loss can still be
//! shown to carry the right header. `refiner-evm` adds the checks that need execution, under the names declared here.

mod bytes;
mod chain_id;
mod codes;
mod fields;
mod header;
mod roots;
mod rows;
mod segment;

use std::fmt;

use alloy_primitives::{Address, B256, Bloom, U256};

use crate::Specimen;

pub use bytes::{canonical_encoding, specimen_hash};
pub use chain_id::chain_id;
pub use codes::code_hashes;
pub use fields::transaction_fields;
pub use header::{block_hash, ommers_hash};
pub use roots::{transactions_root, transactions_root_of, withdrawals_root};
pub use rows::state_rows;
pub use segment::segment;

/// Every check that needs only the decoded specimen, in a fixed order. `refiner-evm`'s gate adds those that need the
/// chain's schedule or receipts.
///
/// [`canonical_encoding`] and [`specimen_hash`] need the bytes too, and stand alone.
pub fn all(specimen: &Specimen) -> Vec<Check> {
    vec![
        segment(specimen),
        block_hash(specimen),
        ommers_hash(specimen),
        transactions_root(specimen),
        transaction_fields(specimen),
        chain_id(specimen),
        withdrawals_root(specimen),
        state_rows(specimen),
        code_hashes(specimen),
    ]
}

/// The comparison that a check makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CheckName {
    /// The segment states exactly the one block that it holds.
    Segment,
    /// keccak256 of the RLP of the header is the block hash.
    BlockHash,
    /// The block hash is one that is known from elsewhere: an announcement, a list, or a neighbour's parent hash.
    KnownBlock,
    /// The header obeys the rules of its fork as far as it shows without its parent.
    HeaderRules,
    /// The header's `sha3Uncles` is the hash of the ommers.
    OmmersHash,
    /// The header's `transactionsRoot` is the root of the transactions.
    TransactionsRoot,
    /// Transaction fields that repeat others agree with them.
    TransactionFields,
    /// Every signature is for the chain that the specimen names.
    ChainId,
    /// Every stated sender is the address that signed.
    Senders,
    /// The header's `withdrawalsRoot` is the root of the withdrawals.
    WithdrawalsRoot,
    /// No two state rows contradict or repeat each other.
    StateRows,
    /// The receipts that the specimen carries give the header's `receiptsRoot` and `logsBloom`.
    RecordedReceipts,
    /// Every `CodeRead` hash is keccak256 of its code.
    CodeHashes,
    /// The specimen's bytes hash to the announced specimen hash.
    SpecimenHash,
    /// Re-encoding the decoded specimen gives the same bytes.
    CanonicalEncoding,
    /// The block was executed; its result does not rest on recorded receipts alone.
    Execution,
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
            Self::Segment => "segment",
            Self::BlockHash => "blockHash",
            Self::KnownBlock => "knownBlock",
            Self::HeaderRules => "headerRules",
            Self::OmmersHash => "ommersHash",
            Self::TransactionsRoot => "transactionsRoot",
            Self::TransactionFields => "transactionFields",
            Self::ChainId => "chainId",
            Self::Senders => "senders",
            Self::WithdrawalsRoot => "withdrawalsRoot",
            Self::StateRows => "stateRows",
            Self::RecordedReceipts => "recordedReceipts",
            Self::CodeHashes => "codeHashes",
            Self::SpecimenHash => "specimenHash",
            Self::CanonicalEncoding => "canonicalEncoding",
            Self::Execution => "execution",
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
    /// The comparison that was made.
    pub name: CheckName,
    /// Outcome of the comparison.
    pub outcome: Outcome,
}

/// The outcome of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The two agree.
    Passed,
    /// The two differ.
    Failed {
        /// The part of the block that fails, where the check covers more than one value.
        subject: Subject,
        /// The quantity that the block states.
        stated: Quantity,
        /// The quantity that was recomputed.
        computed: Quantity,
    },
    /// The block has nothing of the kind, for this reason.
    NotApplicable(&'static str),
    /// The block has what is checked, and the specimen lacks what the check needs, for this reason.
    NotCheckable(&'static str),
}

/// The part of a block that a failed check is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Subject {
    /// The whole subject of the check.
    #[default]
    Whole,
    /// A field, by its name in the schema.
    Field(&'static str),
    /// An item of a list, by the list's name in the schema.
    Item {
        /// The list.
        list: &'static str,
        /// Position in it.
        index: usize,
    },
}

/// One side of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// A hash or a root.
    Hash(B256),
    /// A number, such as gas or a position.
    Number(u64),
    /// A number of any size.
    Big(U256),
    /// An upper bound.
    AtMost(u64),
    /// A lower bound.
    AtLeast(u64),
    /// An account.
    Address(Address),
    /// A requirement of the protocol, in words.
    Words(&'static str),
    /// A logs bloom.
    Bloom(Box<Bloom>),
    /// One byte of the file.
    Byte {
        /// Its offset.
        offset: u64,
        /// The byte that was found.
        byte: u8,
    },
    /// Not there at all.
    Absent,
}

impl Check {
    /// Compares two quantities under a name.
    pub fn compare(name: CheckName, stated: Quantity, computed: Quantity) -> Self {
        if stated == computed { Self::passed(name) } else { Self::failure(name, Subject::Whole, stated, computed) }
    }

    /// A check that passed.
    pub const fn passed(name: CheckName) -> Self {
        Self { name, outcome: Outcome::Passed }
    }

    /// A check that failed.
    pub const fn failure(name: CheckName, subject: Subject, stated: Quantity, computed: Quantity) -> Self {
        Self { name, outcome: Outcome::Failed { subject, stated, computed } }
    }

    /// True when the check was made and failed.
    pub const fn failed(&self) -> bool {
        matches!(self.outcome, Outcome::Failed { .. })
    }
}

impl Quantity {
    /// The part it plays beside what is stated: `"computed"`, or `"expected"` for a bound or a requirement.
    pub const fn role(&self) -> &'static str {
        match self {
            Self::AtMost(_) | Self::AtLeast(_) | Self::Words(_) => "expected",
            _ => "computed",
        }
    }
}

impl fmt::Display for Subject {
    /// Written before the statement about it: `"Transactions[3]: "`, and nothing for the whole.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => Ok(()),
            Self::Field(name) => write!(f, "{name}: "),
            Self::Item { list, index } => write!(f, "{list}[{index}]: "),
        }
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hash(hash) => write!(f, "{hash}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Big(number) => write!(f, "{number}"),
            Self::AtMost(bound) => write!(f, "at most {bound}"),
            Self::AtLeast(bound) => write!(f, "at least {bound}"),
            Self::Address(address) => write!(f, "{address}"),
            Self::Words(words) => f.write_str(words),
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
            Outcome::Failed { subject, stated, computed } => {
                write!(f, "{} failed: {subject}stated {stated}, {} {computed}", self.name, computed.role())
            }
            Outcome::NotApplicable(reason) => write!(f, "{} not applicable: {reason}", self.name),
            Outcome::NotCheckable(reason) => write!(f, "{} not checkable: {reason}", self.name),
        }
    }
}
