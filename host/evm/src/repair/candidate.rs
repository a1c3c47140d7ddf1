//! A candidate for what was dropped.

use crate::transaction::SuppliedFields;

/// Values for the dropped fields of one transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) fields: SuppliedFields,
    /// Blob hashes that were found and are no stand-ins.
    pub(super) found: usize,
}
