//! Transactions that are no proofs, from the journal to the chain.

use refiner_diagnostics::ErrorChain;
use refiner_journal::{Purpose, SideTransaction};
use refiner_proofchain::{ChainSnapshot, Sent, Settlement, Signed};

use super::{ProofSubmitter, TickError, sign::stored};
use crate::engine::clock::{milliseconds, now_ms};

/// Transactions with one nonce, the last signed first.
struct Group {
    purpose: Purpose,
    signed_ms: u64,
    signed: Vec<Signed>,
}

impl ProofSubmitter {
    /// Writes a transaction down, then sends it.
    pub(super) async fn send_new_side(&self, purpose: Purpose, signed: &Signed) -> Result<(), TickError> {
        self.journal.with(|journal| journal.sign_side(purpose, &stored(signed), now_ms()))?;
        match self.prover.send(signed).await {
            Sent::Accepted => self.resume_after_money(),
            Sent::InsufficientFunds => self.pause_for_funds(),
            Sent::Unreachable(error) => return Err(error.into()),
            Sent::Rejected(refusal) => {
                tracing::warn!(%refusal, nonce = signed.nonce, "transaction refused by the node");
            }
            // Whatever the pool did, the settlement looks whether it is there.
            _ => {}
        }
        Ok(())
    }

    /// Asks the chain about them, and sends again or raises those that wait.
    pub(super) async fn settle_side(&self, outlook: &ChainSnapshot) -> Result<(), TickError> {
        let open = self.journal.with(|journal| journal.open_side())?;
        for transactions in open.chunk_by(|one, other| one.transaction.nonce == other.transaction.nonce) {
            if let Some(group) = group(transactions)? {
                self.settle_group(outlook, &group).await?;
            }
        }
        Ok(())
    }

    async fn settle_group(&self, outlook: &ChainSnapshot, group: &Group) -> Result<(), TickError> {
        let Some(newest) = group.signed.first() else { return Ok(()) };
        let (nonce, journal) = (newest.nonce, &self.journal);
        let hashes: Vec<_> = group.signed.iter().map(|signed| signed.hash).collect();
        let settlement = match self.prover.settlement(outlook, &hashes, nonce, self.terms.proof_depth).await {
            Ok(settlement) => settlement,
            // The node has just answered for the outlook, so that the others do not wait for this one.
            Err(error) => {
                tracing::warn!(nonce, purpose = ?group.purpose, error = %ErrorChain(&error), "node failed for one transaction, retrying");
                return Ok(());
            }
        };
        match settlement {
            Settlement::Mined { .. } => {}
            Settlement::Pending => self.raise_side_if_late(group, newest).await?,
            Settlement::Dropped => match self.prover.send(newest).await {
                Sent::Underpriced | Sent::Banned | Sent::PoolFull => self.raise_side_if_late(group, newest).await?,
                Sent::InsufficientFunds => self.pause_for_funds(),
                Sent::Unreachable(error) => return Err(error.into()),
                Sent::Rejected(refusal) => {
                    tracing::warn!(%refusal, nonce, "transaction refused by the node");
                    // Other bytes at the same nonce, in case it is for their signature.
                    self.raise_side_if_late(group, newest).await?;
                }
                Sent::Accepted | Sent::AlreadyKnown | Sent::NonceTooLow | Sent::NonceTooHigh => {}
            },
            Settlement::Final { hash, paid_wei, .. } => {
                tracing::info!(nonce, transaction = %hash, purpose = ?group.purpose, "transaction final");
                journal.with(|journal| journal.close_side(nonce, Some((hash, paid_wei))))?;
                self.side_is_settled(group.purpose, true)?;
            }
            Settlement::Reverted { hash, paid_wei, revert, .. } => {
                tracing::warn!(nonce, transaction = %hash, purpose = ?group.purpose, %revert, "transaction reverted");
                journal.with(|journal| journal.close_side(nonce, Some((hash, paid_wei))))?;
                self.side_is_settled(group.purpose, false)?;
            }
            Settlement::Replaced => {
                tracing::warn!(nonce, "nonce used by another transaction: is the key used elsewhere?");
                self.status.set_foreign(format!("nonce {nonce} was used by another transaction"));
                journal.with(|journal| journal.close_side(nonce, None))?;
            }
        }
        Ok(())
    }

    async fn raise_side_if_late(&self, group: &Group, newest: &Signed) -> Result<(), TickError> {
        if now_ms().abs_diff(group.signed_ms) < milliseconds(self.terms.bump_after) {
            return Ok(());
        }
        let Some(fees) = self.prover.bump(newest).await? else {
            self.pause_for_fees(newest);
            return Ok(());
        };
        if self.affordable(&[(newest.nonce, newest.prepared.most_wei(&fees))])? == 0 {
            return Ok(());
        }
        let raised = self.prover.sign(&newest.prepared, newest.nonce, &fees).await?;
        self.send_new_side(group.purpose, &raised).await
    }
}

fn group(transactions: &[SideTransaction]) -> Result<Option<Group>, TickError> {
    let Some(newest) = transactions.first() else { return Ok(None) };
    let nonce = newest.transaction.nonce;
    let read = transactions.iter().map(|one| Signed::read(&one.transaction.raw));
    let signed = read.collect::<Result<_, _>>().map_err(|_| TickError::UnreadableAside { nonce })?;
    Ok(Some(Group { purpose: newest.purpose, signed_ms: newest.transaction.signed_ms, signed }))
}
