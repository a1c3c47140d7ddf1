//! A second look at final proofs, for a day: a reorganisation deeper than `proof-depth` takes them away.

use refiner_diagnostics::ErrorChain;
use refiner_journal::{Item, JournalError, Step};
use refiner_proofchain::{Settlement, Signed};

use super::{ProofSubmitter, TickError};
use crate::engine::clock::{milliseconds, now_ms};

/// The time for which a final proof is looked at again.
const DAY_MS: u64 = 24 * 3_600_000;
/// Proofs of one look.
const AT_ONCE: usize = 64;
/// The next look comes when a proof is this many times as old as at the last one: seven looks in a day.
const AGE_FACTOR: u64 = 3;

impl ProofSubmitter {
    /// Looks at the final proofs that were left alone long enough, and takes up again those that are not on chain.
    pub(super) async fn look_again(&self) -> Result<(), TickError> {
        let now = now_ms();
        let first = milliseconds(self.terms.policy.recheck);
        let finals =
            |journal: &mut refiner_journal::Journal| journal.finals(now.saturating_sub(DAY_MS), now, first, AT_ONCE);
        let items = self.journal.with(finals)?;
        if items.is_empty() {
            return Ok(());
        }
        let mut outlook = self.prover.outlook().await?;
        let mined: Vec<_> = items.iter().filter_map(|item| item.mined_tx).collect();
        self.prover.look_at(&mut outlook, &mined).await?;
        for item in items {
            let settled_at = item.mined_block.unwrap_or(0).saturating_add(self.terms.proof_depth);
            if outlook.head < settled_at {
                // A node that lags behind, or a chain that is shorter now: the next look tells.
                continue;
            }
            let transactions = self.transactions_of_mined(&item)?;
            let settlement = match self.settlement(&outlook, &transactions).await {
                Ok(settlement) => settlement,
                // The node has just answered for the outlook, so that the others do not wait for this one.
                Err(error) => {
                    tracing::warn!(item = %item.id, height = item.height, error = %ErrorChain(&error), "node failed for one final proof, retrying");
                    self.journal.with(|journal| journal.looked_at(item.id, now.saturating_add(first)))?;
                    continue;
                }
            };
            // One node of several may not have it; that alone takes nothing away.
            let is_as_it_was = match &settlement {
                Settlement::Final { hash, block, .. } | Settlement::Mined { hash, block, .. } => {
                    Some(*hash) == item.mined_tx && Some(block.number) == item.mined_block
                }
                _ => false,
            };
            if transactions.is_empty() || is_as_it_was {
                let age = now.abs_diff(item.state_ms).max(first);
                let next = item.state_ms.saturating_add(age.saturating_mul(AGE_FACTOR)).max(now.saturating_add(first));
                self.journal.with(|journal| journal.looked_at(item.id, next))?;
            } else {
                self.take_up_again(item, &transactions, settlement).await?;
            }
        }
        Ok(())
    }

    async fn take_up_again(
        &self,
        item: Item,
        transactions: &[Signed],
        settlement: Settlement,
    ) -> Result<(), TickError> {
        tracing::warn!(item = %item.id, height = item.height, block = item.mined_block, "final proof lost to a reorganisation");
        match self.journal.advance(item.id, &Step::Broadcast) {
            Err(JournalError::NonceTaken { nonce, .. } | JournalError::NonceTakenAside { nonce }) => {
                tracing::error!(item = %item.id, nonce, "nonce of a lost proof is used by another of our transactions, please report");
                let tomorrow = now_ms().saturating_add(DAY_MS);
                return Ok(self.journal.with(|journal| journal.looked_at(item.id, tomorrow))?);
            }
            advanced => advanced?,
        }
        match self.journal.with(|journal| journal.item(item.id))? {
            Some(item) => self.settled(&item, transactions, settlement).await,
            None => Ok(()),
        }
    }

    /// The transactions with the nonce of the one that was mined, the last signed first.
    fn transactions_of_mined(&self, item: &Item) -> Result<Vec<Signed>, TickError> {
        let all = self.journal.with(|journal| journal.transactions(item.id))?;
        let nonce = all.iter().find(|transaction| Some(transaction.hash) == item.mined_tx).map(|mined| mined.nonce);
        let of_nonce = all.iter().filter(|transaction| Some(transaction.nonce) == nonce);
        of_nonce
            .map(|transaction| Signed::read(&transaction.raw).map_err(|_| TickError::Unreadable { item: item.id }))
            .collect()
    }
}
