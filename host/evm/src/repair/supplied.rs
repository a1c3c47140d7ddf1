//! The record of what stands in for dropped fields.

use std::fmt;

use refiner_specimen::{DroppedPart, check::CheckName};

/// The origin of what stands in for a dropped field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SupplySource {
    /// Values of the right form, on which the block's outcome does not depend.
    StandIns {
        /// Number of blob hashes.
        blobs: usize,
    },
    /// Hashes of KZG commitments in the transaction's calldata, and stand-ins behind them.
    Commitments {
        /// Number of hashes that were found.
        found: usize,
        /// Number of candidates among which they were the only ones that fit.
        candidates: usize,
    },
    /// The only authorization that fits.
    Authorization {
        /// Number of candidates.
        candidates: usize,
    },
}

impl fmt::Display for SupplySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StandIns { blobs } => write!(f, "{blobs} stand-ins, on which the outcome does not depend"),
            Self::Commitments { found, candidates } => {
                write!(f, "{found} KZG commitments in calldata, the only fit of {candidates} candidates")
            }
            Self::Authorization { candidates } => write!(f, "the only fit of {candidates} candidates"),
        }
    }
}

/// The stand-in for one dropped field of one transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Supplied {
    /// Position in the block.
    pub transaction: usize,
    /// The dropped field.
    pub field: DroppedPart,
    /// Its origin.
    pub source: SupplySource,
}

impl Supplied {
    /// The check of the block's header that proves what follows from it.
    pub const PROVEN_BY: CheckName = CheckName::ReceiptsRoot;
}

impl fmt::Display for Supplied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { transaction, field, source } = self;
        write!(f, "{} of transaction {transaction}: {source} (proven by {})", field.field(), Self::PROVEN_BY)
    }
}
