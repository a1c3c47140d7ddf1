//! From signed transactions to the node's pool, in the order of their nonces.

use std::time::Duration;

use refiner_journal::{Item, State, Step};
use refiner_proofchain::{NodeError, Sent, Settlement, Signed};

use super::{ProofSubmitter, TickError, sign::stored};
use crate::engine::clock::{milliseconds, now_ms};

/// Transactions that are sent before the journal records which of them arrived.
const AT_ONCE: usize = 32;
/// Transactions of one item from which on one that the node refuses is not signed anew: a signer may give other bytes each time.
const SIGNED_ANEW_MAX: usize = 16;
/// The name in the status of a pool that does not take what it is sent.
const POOL: &str = "pool";

impl ProofSubmitter {
    /// Sends what is signed and not known to have arrived: the very bytes that are in the journal.
    pub(super) async fn send(&self) -> Result<(), TickError> {
        let outbox = self.journal.with(|journal| journal.outbox())?;
        let (mut items, mut signed) = (Vec::new(), Vec::new());
        for item in outbox.into_iter().filter(|item| item.state == State::Signed) {
            if let Some(newest) = self.open_transactions(&item)?.into_iter().next() {
                signed.push(newest);
                items.push(item);
            }
        }
        for (items, signed) in items.chunks(AT_ONCE).zip(signed.chunks(AT_ONCE)) {
            let sent = self.prover.send_all(signed).await?;
            let arrived =
                items.iter().zip(&sent).filter(|(_, sent)| matches!(sent, Sent::Accepted | Sent::AlreadyKnown));
            let arrived: Vec<_> = arrived.map(|(item, _)| (item.id, Step::Broadcast)).collect();
            self.journal.advance_all(&arrived)?;
            let mut go_on = true;
            for ((item, signed), sent) in items.iter().zip(signed).zip(sent) {
                go_on &= self.sent(item, signed, sent).await?;
            }
            if !go_on {
                // Later nonces cannot go before these.
                break;
            }
        }
        Ok(())
    }

    /// False when the following need not be tried.
    async fn sent(&self, item: &Item, signed: &Signed, sent: Sent) -> Result<bool, TickError> {
        match sent {
            Sent::Accepted | Sent::AlreadyKnown => {
                self.status.clear_blocked(POOL);
                self.resume();
                Ok(true)
            }
            Sent::Banned => self.banned(item, signed).await,
            Sent::PoolFull => self.pool_is_full(item, signed).await,
            Sent::NonceTooHigh => {
                let what = format!("the node takes nonce {} only after an earlier one", signed.nonce);
                self.status.set_blocked(POOL, what);
                Ok(false)
            }
            // Mined already, or another's: the settlement tells.
            Sent::NonceTooLow => {
                self.settle_one(item).await?;
                Ok(true)
            }
            Sent::Underpriced => self.bump(item, signed).await,
            Sent::InsufficientFunds => {
                self.pause_for_funds();
                Ok(false)
            }
            Sent::Rejected(refusal) => {
                self.rejected(item, signed, &refusal).await?;
                Ok(false)
            }
            Sent::Unreachable(error) => Err(error.into()),
        }
    }

    /// The node refuses these very bytes, perhaps for their signature: the same call is signed anew at the same nonce, with which at most
    /// one transaction is mined. No more often than proving is tried while it is paused; a key that gives the same bytes again changes
    /// nothing.
    pub(super) async fn rejected(&self, item: &Item, signed: &Signed, refusal: &NodeError) -> Result<(), TickError> {
        let is_time = self.may_sign();
        self.pause(format!("the node refuses transaction {}: {refusal}", signed.hash), None);
        let of_item = self.journal.with(|journal| journal.transactions(item.id))?;
        if !is_time || of_item.len() >= SIGNED_ANEW_MAX {
            return Ok(());
        }
        let anew = self.prover.sign(&signed.prepared, signed.nonce, &signed.fees).await?;
        if of_item.iter().any(|known| known.hash == anew.hash) {
            return Ok(());
        }
        tracing::info!(item = %item.id, nonce = signed.nonce, transaction = %anew.hash, "refused transaction signed anew");
        Ok(self.journal.advance(item.id, &Step::Signed(stored(&anew)))?)
    }

    /// The pool remembers the bytes and does not hold them. Perhaps they were mined; else others are taken at the same nonce.
    async fn banned(&self, item: &Item, signed: &Signed) -> Result<bool, TickError> {
        let transactions = self.open_transactions(item)?;
        let settlement = self.settlement(&self.prover.outlook().await?, &transactions).await;
        match self.found(item, settlement)? {
            None => Ok(true),
            Some(Settlement::Pending | Settlement::Dropped) => self.raise_banned(item, signed).await,
            Some(settlement) => {
                self.settled(item, &transactions, settlement).await?;
                Ok(true)
            }
        }
    }

    pub(super) async fn raise_banned(&self, item: &Item, signed: &Signed) -> Result<bool, TickError> {
        let what = format!("the node's pool bans transaction {} for a while; its fees are raised", signed.hash);
        self.status.set_blocked(POOL, what);
        self.raise_after(item, signed, self.terms.policy.recheck).await
    }

    /// Room comes by itself, or for a higher price.
    pub(super) async fn pool_is_full(&self, item: &Item, signed: &Signed) -> Result<bool, TickError> {
        self.status.set_blocked(POOL, format!("the node's pool has no room for transaction {}", signed.hash));
        self.raise_after(item, signed, self.terms.bump_after).await?;
        Ok(false)
    }

    async fn raise_after(&self, item: &Item, signed: &Signed, after: Duration) -> Result<bool, TickError> {
        let transactions = self.journal.with(|journal| journal.transactions(item.id))?;
        let signed_ms = transactions.first().map_or(0, |newest| newest.signed_ms);
        // A clock that was wrong may have left a time to come.
        if now_ms().abs_diff(signed_ms) < milliseconds(after) {
            return Ok(true);
        }
        self.bump(item, signed).await
    }

    /// Signs the same at the same nonce with higher fees; the next turn sends it.
    pub(super) async fn bump(&self, item: &Item, signed: &Signed) -> Result<bool, TickError> {
        let Some(fees) = self.prover.bump(signed).await? else {
            self.pause_for_fees(signed);
            return Ok(false);
        };
        if self.affordable(&[(signed.nonce, signed.prepared.most_wei(&fees))])? == 0 {
            return Ok(false);
        }
        let bumped = self.prover.sign(&signed.prepared, signed.nonce, &fees).await?;
        tracing::info!(item = %item.id, nonce = signed.nonce, transaction = %bumped.hash, max_fee_wei = fees.most_wei(), "proof fees raised");
        self.journal.advance(item.id, &Step::Signed(stored(&bumped)))?;
        Ok(true)
    }
}
