//! Our results beside those that other operators proved for the same specimens, before anything is signed.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::B256;
use refiner_journal::{Item, ItemId};
use refiner_proofchain::Prepared;

use super::{ProofSubmitter, TickError, intent::ProofIntent, peers::PeerSource};
use crate::observe::{
    metrics::Compared,
    status::{Difference, PeerResult},
};

/// An intent of one turn, and what would be sent.
pub(super) struct Ready {
    pub intent: ProofIntent,
    pub prepared: Prepared,
}

/// Everything known of the others' proofs.
pub(super) struct Comparison {
    peers: Box<dyn PeerSource>,
    /// Items that were counted: one that is held is looked at again and again.
    counted: BTreeSet<ItemId>,
}

impl Comparison {
    pub(super) fn new(peers: Box<dyn PeerSource>) -> Self {
        Self { peers, counted: BTreeSet::new() }
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
            let (item, ours) = (one.intent.item(), one.intent.result_hash());
            let theirs = comparison.peers.of(item.specimen_hash);
            let outcome = outcome(ours, &theirs);
            let is_new = comparison.counted.insert(item.id);
            let in_a_row = self.counted(item, ours, &theirs, outcome, is_new)?;
            let most = self.terms.max_differences;
            if most > 0 && in_a_row >= most {
                held += 1;
            } else {
                comparison.counted.remove(&one.intent.item().id);
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
        outcome: Compared,
        is_new: bool,
    ) -> Result<u64, TickError> {
        let before = self.journal.with(|journal| journal.differences(item.rule))?;
        let in_a_row = match outcome {
            Compared::Agreed => 0,
            Compared::Differed if is_new => before + 1,
            Compared::Differed | Compared::Alone => before,
        };
        if in_a_row != before {
            self.journal.with(|journal| journal.set_differences(item.rule, in_a_row))?;
        }
        let mut now = self.status.now();
        let compared = &mut now.compared;
        compared.in_a_row = in_a_row;
        if is_new {
            match outcome {
                Compared::Alone => compared.alone += 1,
                Compared::Agreed => compared.agreed += 1,
                Compared::Differed => compared.differed += 1,
            }
            self.journal.metrics.compared(outcome);
        }
        if outcome == Compared::Differed {
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
        let compared = self.status.now().compared.clone();
        let last = compared.last_difference.map(|last| format!(", the last one at {last}")).unwrap_or_default();
        let reason = format!("{} results in a row differ from those of other operators{last}", compared.in_a_row);
        let hint = "compare format, rules and version with the other operators'; after a change results are made anew; with max-differences = 0 they are proved as they are";
        self.pause(reason, Some(hint));
    }

    /// True where the others deny the results made here. Then all intents are looked at, because any may end it.
    pub(super) fn is_denied(&self) -> bool {
        let most = self.terms.max_differences;
        most > 0 && self.status.now().compared.in_a_row >= most
    }
}

fn outcome(ours: B256, theirs: &BTreeMap<B256, usize>) -> Compared {
    match (theirs.values().max(), theirs.get(&ours)) {
        (None, _) => Compared::Alone,
        (Some(most), Some(agreeing)) if agreeing == most => Compared::Agreed,
        (Some(_), _) => Compared::Differed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn result_agrees_where_no_other_was_proved_more_often() {
        let [ours, other, third] = [1, 2, 3].map(B256::repeat_byte);
        for (theirs, expected) in [
            (vec![], Compared::Alone),
            (vec![(ours, 1)], Compared::Agreed),
            (vec![(ours, 1), (other, 1)], Compared::Agreed),
            (vec![(ours, 2), (other, 1)], Compared::Agreed),
            (vec![(ours, 1), (other, 2)], Compared::Differed),
            (vec![(other, 1), (third, 1)], Compared::Differed),
        ] {
            assert_eq!(outcome(ours, &theirs.iter().copied().collect()), expected, "{theirs:?}");
        }
    }
}
