//! Our results beside those that other operators proved for the same specimens, before anything is signed.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::B256;
use refiner_journal::{Item, ItemId};
use refiner_proofchain::{PeerProofs, Prepared, ProofChain};

use super::{ProofSubmitter, TickError};
use crate::observe::status::{Difference, PeerResult};

/// Items of one turn, with what would be sent and the hash of their result.
pub(super) type Ready = (Item, Prepared, B256);

/// Everything known of the others' proofs.
pub(super) struct Comparison {
    peers: PeerProofs,
    /// Items that were counted: one that is held is looked at again and again.
    counted: BTreeSet<ItemId>,
}

/// The outcome for one item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// No other operator proved a result of this specimen.
    Alone,
    /// None of the others' results was proved more often than ours.
    Agreed,
    /// Another result was.
    Differed,
}

impl Comparison {
    pub(super) fn new(chain: ProofChain) -> Self {
        Self { peers: PeerProofs::new(chain), counted: BTreeSet::new() }
    }
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 3] = [Self::Alone, Self::Agreed, Self::Differed];

    /// The word for it in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Alone => "alone",
            Self::Agreed => "agreed",
            Self::Differed => "differed",
        }
    }
}

impl ProofSubmitter {
    /// Those that may be signed. After `max-differences` results in a row that others deny none may, until one agrees; which a
    /// result of another rule or format starts from the beginning.
    pub(super) async fn compare(
        &self,
        ready: Vec<Ready>,
        comparison: &mut Comparison,
    ) -> Result<Vec<Ready>, TickError> {
        if ready.is_empty() {
            return Ok(ready);
        }
        comparison.peers.read().await?;
        let (mut kept, mut held) = (Vec::with_capacity(ready.len()), 0_usize);
        for one in ready {
            let (item, _, ours) = &one;
            let theirs = comparison.peers.of(item.specimen_hash);
            let outcome = outcome(*ours, &theirs);
            let is_new = comparison.counted.insert(item.id);
            let in_a_row = self.counted(item, *ours, &theirs, outcome, is_new)?;
            let most = self.settings.max_differences;
            if most > 0 && in_a_row >= most {
                held += 1;
            } else {
                comparison.counted.remove(&item.id);
                kept.push(one);
            }
        }
        if held > 0 {
            self.pause_for_differences();
        }
        Ok(kept)
    }

    /// Counts an outcome, and gives the differences in a row for the item's rule.
    fn counted(
        &self,
        item: &Item,
        ours: B256,
        theirs: &BTreeMap<B256, usize>,
        outcome: Outcome,
        is_new: bool,
    ) -> Result<u64, TickError> {
        let before = self.context.journal.with(|journal| journal.differences(item.rule))?;
        let in_a_row = match outcome {
            Outcome::Agreed => 0,
            Outcome::Differed if is_new => before + 1,
            Outcome::Differed | Outcome::Alone => before,
        };
        if in_a_row != before {
            self.context.journal.with(|journal| journal.set_differences(item.rule, in_a_row))?;
        }
        let mut now = self.context.status.now();
        let compared = &mut now.compared;
        compared.in_a_row = in_a_row;
        if is_new {
            match outcome {
                Outcome::Alone => compared.alone += 1,
                Outcome::Agreed => compared.agreed += 1,
                Outcome::Differed => compared.differed += 1,
            }
            self.context.journal.metrics.compared(outcome);
        }
        if outcome == Outcome::Differed {
            let theirs =
                theirs.iter().map(|(result_hash, proofs)| PeerResult { result_hash: *result_hash, proofs: *proofs });
            let (height, specimen_hash) = (item.height, item.specimen_hash);
            let last = Difference { height, specimen_hash, ours, theirs: theirs.collect() };
            if is_new {
                tracing::warn!(%last, in_a_row, "result differs from other operators' proofs");
            }
            compared.last_difference = Some(last);
        }
        Ok(in_a_row)
    }

    fn pause_for_differences(&self) {
        let compared = self.context.status.now().compared.clone();
        let last = compared.last_difference.map(|last| format!(", the last one at {last}")).unwrap_or_default();
        let reason = format!("{} results in a row differ from those of other operators{last}", compared.in_a_row);
        let hint = "compare format, rules and version with the other operators'; after a change results are made anew; with max-differences = 0 they are proved as they are";
        self.pause(reason, Some(hint));
    }

    /// Whether the others deny the results made here. Then all intents are looked at, because any may end it.
    pub(super) fn is_denied(&self) -> bool {
        let most = self.settings.max_differences;
        most > 0 && self.context.status.now().compared.in_a_row >= most
    }
}

fn outcome(ours: B256, theirs: &BTreeMap<B256, usize>) -> Outcome {
    match (theirs.values().max(), theirs.get(&ours)) {
        (None, _) => Outcome::Alone,
        (Some(most), Some(agreeing)) if agreeing == most => Outcome::Agreed,
        (Some(_), _) => Outcome::Differed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn result_agrees_where_no_other_was_proved_more_often() {
        let [ours, other, third] = [1, 2, 3].map(B256::repeat_byte);
        for (theirs, expected) in [
            (vec![], Outcome::Alone),
            (vec![(ours, 1)], Outcome::Agreed),
            (vec![(ours, 1), (other, 1)], Outcome::Agreed),
            (vec![(ours, 2), (other, 1)], Outcome::Agreed),
            (vec![(ours, 1), (other, 2)], Outcome::Differed),
            (vec![(other, 1), (third, 1)], Outcome::Differed),
        ] {
            assert_eq!(outcome(ours, &theirs.iter().copied().collect()), expected, "{theirs:?}");
        }
    }
}
