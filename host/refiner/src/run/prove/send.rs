//! From signed transactions to the node's pool, in the order of their nonces.

use refiner_journal::{Item, State, Step};
use refiner_proofchain::{Sent, Signed};

use super::{ProofSubmitter, TickError, sign::stored};

/// Transactions that are sent before the journal is told which of them arrived.
const AT_ONCE: usize = 32;

impl ProofSubmitter {
    /// Sends what is signed and not known to have arrived: the very bytes that are in the journal.
    pub(super) async fn send(&self) -> Result<(), TickError> {
        let outbox = self.context.journal.with(|journal| journal.outbox())?;
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
            self.context.journal.advance_all(&arrived)?;
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
                self.resume();
                Ok(true)
            }
            // Mined already, or another's: the settlement tells.
            Sent::NonceTooLow => {
                self.settle_one(item).await?;
                Ok(true)
            }
            Sent::Underpriced => self.bump(item, signed).await,
            Sent::InsufficientFunds => {
                let reason = format!("{} cannot pay for gas", self.prover.address());
                self.pause(reason, Some("send the proof chain's coin to the operator's address"));
                Ok(false)
            }
            Sent::Rejected(refusal) => {
                self.pause(format!("the node refuses transaction {}: {refusal}", signed.hash), None);
                Ok(false)
            }
            Sent::Unreachable(error) => Err(error.into()),
        }
    }

    /// Signs the same at the same nonce with higher fees; the next turn sends it.
    pub(super) async fn bump(&self, item: &Item, signed: &Signed) -> Result<bool, TickError> {
        let Some(fees) = self.prover.bump(signed).await? else {
            let reason = format!("transaction {} needs more than the fees allowed", signed.hash);
            self.pause(reason, Some("wait, or raise max-fee-gwei"));
            return Ok(false);
        };
        let bumped = self.prover.sign(&signed.prepared, signed.nonce, &fees).await?;
        tracing::info!(item = %item.id, nonce = signed.nonce, transaction = %bumped.hash, max_fee_wei = fees.most_wei(), "proof fees raised");
        self.context.journal.advance(item.id, &Step::Signed(stored(&bumped)))?;
        Ok(true)
    }
}
