//! Candidates on the way to an outcome.

use refiner_specimen::DroppedPart;

use super::{Repaired, Supplied, SupplySource, candidate::Candidate};
use crate::{
    error::{ExecuteError, Unsupported},
    outcome::Outcome,
    receipts::Commitments,
    transaction::Supplement,
};

/// The candidate that a way takes at one transaction.
#[derive(Clone)]
pub(super) struct Choice {
    pub(super) transaction: usize,
    pub(super) field: DroppedPart,
    pub(super) candidate: Candidate,
    /// Candidates of its group.
    pub(super) among: usize,
}

/// The refusal of a block to whose header two ways lead, which names the first transaction at which they part.
pub(super) fn ambiguous(one: &[Choice], other: &[Choice]) -> ExecuteError {
    let parted = one.iter().zip(other).find(|(one, other)| one.candidate != other.candidate);
    let (transaction, field) = parted.map_or((0, DroppedPart::Authorizations), |(one, _)| (one.transaction, one.field));
    Unsupported::Ambiguous { transaction, field }.into()
}

/// The end of a way that gives the header.
pub(super) struct Arrival {
    pub(super) outcome: Outcome,
    pub(super) commitments: Commitments,
    pub(super) choices: Vec<Choice>,
}

/// The outcome at the end of a way, with a record of the way.
pub(super) fn repaired(arrival: Arrival) -> Repaired {
    let Arrival { outcome, commitments, choices } = arrival;
    let mut supplement = Supplement::default();
    let mut supplied = Vec::with_capacity(choices.len());
    for Choice { transaction, field, candidate, among } in choices {
        let source = match (field, candidate.found) {
            (DroppedPart::BlobHashes, 0) => SupplySource::StandIns { blobs: candidate.fields.blob_hashes.len() },
            (DroppedPart::BlobHashes, found) => SupplySource::Commitments { found, candidates: among },
            (DroppedPart::Authorizations | DroppedPart::Signature, _) => {
                SupplySource::Authorization { candidates: among }
            }
        };
        supplied.push(Supplied { transaction, field, source });
        supplement.set(transaction, candidate.fields);
    }
    Repaired { outcome, supplement, supplied, commitments: Some(commitments) }
}
