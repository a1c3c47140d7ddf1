//! From signed transactions to the node's pool, in the order of their nonces.

use refiner_journal::{Item, State, Step};
use refiner_proofchain::{Sent, Signed};

use super::{Desk, TurnError, sign::stored};

impl Desk {
    /// Sends what is signed and not known to have arrived: the very bytes that are in the journal.
    pub(super) async fn send(&self) -> Result<(), TurnError> {
        let outbox = self.shop.ledger.with(|journal| journal.outbox())?;
        for item in outbox.into_iter().filter(|item| item.state == State::Signed) {
            let transactions = self.open_transactions(&item)?;
            let Some(signed) = transactions.first() else { continue };
            if !self.send_one(&item, signed).await? {
                // Later nonces cannot go before this one.
                break;
            }
        }
        Ok(())
    }

    /// False when the following need not be tried.
    pub(super) async fn send_one(&self, item: &Item, signed: &Signed) -> Result<bool, TurnError> {
        match self.prover.send(signed).await {
            Sent::Accepted | Sent::AlreadyKnown => {
                self.shop.ledger.advance(item.id, &Step::Broadcast)?;
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
    pub(super) async fn bump(&self, item: &Item, signed: &Signed) -> Result<bool, TurnError> {
        let Some(fees) = self.prover.bump(signed).await? else {
            let reason = format!("transaction {} needs more than the fees allowed", signed.hash);
            self.pause(reason, Some("wait, or raise max-fee-gwei"));
            return Ok(false);
        };
        let bumped = self.prover.sign(&signed.prepared, signed.nonce, &fees).await?;
        tracing::info!(item = %item.id, nonce = signed.nonce, transaction = %bumped.hash, max_fee_wei = fees.most_wei(), "Raised a proof's fees.");
        self.shop.ledger.advance(item.id, &Step::Signed(stored(&bumped)))?;
        Ok(true)
    }
}
