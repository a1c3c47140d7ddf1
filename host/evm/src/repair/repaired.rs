//! The outcome of a repair.

use super::Supplied;
use crate::{outcome::Outcome, receipts::Commitments, transaction::Supplement};

/// An execution with all that stands in for dropped fields.
#[derive(Debug)]
pub(crate) struct Repaired {
    pub(crate) outcome: Outcome,
    /// With this supplement, the block executes to the outcome.
    pub(crate) supplement: Supplement,
    /// In order of transactions.
    pub(crate) supplied: Vec<Supplied>,
    /// Of the outcome's receipts, where they were computed on the way.
    pub(crate) commitments: Option<Commitments>,
}
