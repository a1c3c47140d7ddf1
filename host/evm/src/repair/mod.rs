//! Stands in for what the producer dropped of a block, where the block's receipts prove it.
//!
//! **Inputs**: a block whose layout or producer dropped fields that execution needs: blob hashes and blob fee cap of type-3
//! transactions (layout 0.36), authorizations of type-4 ones (layout 0.38). **Outputs**: the outcome of the one candidate
//! that gives the header's gas, bloom, receiptsRoot and requestsHash, and a record of what was supplied.
//! **Invariants**: no candidate is accepted beside another; every execution counts against the bounds of the block; a
//! block without dropped fields is executed once, as ever.
//!
//! The search space, in order:
//!
//! * `BlobHashes`: stand-ins for all hashes; then, in the first j places for j = 1, 2, .., hashes of the KZG commitments
//!   in the transaction's own calldata ([`blobs`]), stand-ins behind them. A block that comes out with stand-ins, which
//!   are hashes of nothing, does not depend on the hashes in their place, so the smallest j ends the search.
//! * `AuthList`: one authorization ([`authorizations`]).
//!
//! The recorded receipts, where they give the header's receiptsRoot, tell after each transaction which candidates remain.

mod authorizations;
mod blobs;
mod candidate;
mod candidates;
mod choice;
mod recorded;
mod repaired;
mod search;
mod supplied;

use refiner_specimen::{DroppedPart, Layout, Transaction};

pub(crate) use self::repaired::Repaired;
use self::search::Search;
pub use self::supplied::{Supplied, SupplySource};
use crate::{
    diagnosis,
    error::{ExecuteError, Unsupported},
    runner::{self, Job},
    transaction::{Supplement, lacks_authorizations, lacks_blob_hashes},
};

/// Executes the block of a job, whose own supplement is not looked at.
///
/// Where a field was dropped, the outcome agrees with the header. Otherwise it is what it is.
pub(crate) fn execute(job: &Job<'_>, layout: Layout) -> Result<Repaired, ExecuteError> {
    let Job { block, rules, .. } = *job;
    if block.lacks_state() {
        return Err(Unsupported::NoState { transactions: block.transactions.len() }.into());
    }
    let supplement = Supplement::default();
    let job = &Job { supplement: &supplement, ..*job };
    let dropped: Vec<Option<DroppedPart>> = block.transactions.iter().map(dropped).collect();
    let first = dropped.iter().enumerate().find_map(|(index, field)| Some((index, (*field)?)));
    let Some(first) = first else {
        let outcome = runner::run(job).map_err(|error| match error {
            ExecuteError::Rejected(rejected) => diagnosis::explain(job, rejected),
            unsupported => unsupported,
        })?;
        return Ok(Repaired { outcome, supplement, supplied: Vec::new(), commitments: None });
    };
    let stand_ins = Supplement::dummy_blobs(block, rules);
    let unrecorded = Job { recording: None, ..*job };
    let mut repaired = Search::new(&unrecorded, layout, &stand_ins, dropped, first).solve()?;
    if job.recording.is_some() {
        repaired.outcome = runner::run(&Job { supplement: &repaired.supplement, ..*job })?;
    }
    Ok(repaired)
}

/// The field that a transaction lacks, if any.
fn dropped(transaction: &Transaction) -> Option<DroppedPart> {
    if lacks_blob_hashes(transaction) {
        Some(DroppedPart::BlobHashes)
    } else if lacks_authorizations(transaction) {
        Some(DroppedPart::Authorizations)
    } else {
        None
    }
}
