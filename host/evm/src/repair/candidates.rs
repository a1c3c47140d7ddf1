//! The search space of one transaction, as groups of candidates.

use alloy_eips::eip4844::DATA_GAS_PER_BLOB;
use refiner_specimen::{Block, DroppedPart};

use super::{authorizations, blobs, candidate::Candidate};
use crate::{
    meter::BudgetExceeded,
    runner::{Job, Run},
    transaction::{DUMMY_BLOB_HASH, SuppliedFields, lacks_blob_hashes},
};

/// Blobs of one transaction that are tried where the header gives their number only together with others.
const MOST_BLOBS: usize = 6;

/// The candidates that a search tries.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// Stand-ins for all blob hashes; every authorization.
    StandIns,
    /// Everything.
    Full,
}

/// The candidates for a transaction that is the next to execute. A group is tried only when none before it leads to the
/// header.
pub(super) fn groups(
    job: &Job<'_>,
    run: &Run<'_>,
    (transaction, field): (usize, DroppedPart),
    stand_ins: SuppliedFields,
    scope: Scope,
) -> Result<Vec<Vec<Candidate>>, BudgetExceeded> {
    Ok(match (field, scope) {
        // Nothing that is searched for.
        (DroppedPart::Signature, _) => Vec::new(),
        (DroppedPart::Authorizations, _) => vec![authorizations::candidates(job, run, transaction)],
        (DroppedPart::BlobHashes, Scope::StandIns) => vec![vec![Candidate { fields: stand_ins, found: 0 }]],
        (DroppedPart::BlobHashes, Scope::Full) => {
            let hashes = blobs::hashes(&job.block.transactions[transaction].input, job.budget)?;
            let counts = blob_counts(job.block, stand_ins.blob_hashes.len());
            let groups = counts.into_iter().flat_map(|count| {
                let mut fields = stand_ins.clone();
                fields.blob_hashes.resize(count, DUMMY_BLOB_HASH);
                let hashes = &hashes;
                (0..=count).map(move |found| match found {
                    0 => vec![Candidate { fields: fields.clone(), found }],
                    _ => blobs::candidates(hashes, &fields, found),
                })
            });
            groups.filter(|group| !group.is_empty()).collect()
        }
    })
}

/// The numbers of blobs that a transaction may have: exactly its share where it alone lacks hashes.
fn blob_counts(block: &Block, share: usize) -> Vec<usize> {
    let others_lacking = block.transactions.iter().filter(|transaction| lacks_blob_hashes(transaction)).skip(1).count();
    let blobs = block.header.blob_gas_used.unwrap_or_default() / DATA_GAS_PER_BLOB;
    let most = usize::try_from(blobs).unwrap_or(usize::MAX).saturating_sub(others_lacking).min(MOST_BLOBS);
    let others = (1..=most).filter(|count| others_lacking > 0 && *count != share);
    std::iter::once(share).chain(others).collect()
}
