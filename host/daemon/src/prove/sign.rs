//! From intents to signed transactions on the disk.

use refiner_journal::{Item, State, Step};
use refiner_proofchain::{FeeQuote, Fees, NonceAt, Preparation, Revert, RpcError};

use super::{
    ProofSubmitter, TickError,
    compare::{Comparison, Ready},
    intent::ProofIntent,
    react::Refused,
};

/// An intent, and the outcome of preparing its proof.
type Attempt = (ProofIntent, Result<Preparation, RpcError>);

/// Intents prepared in one turn: what is prepared long before it is signed may no longer be true.
const BATCH: usize = 32;

impl ProofSubmitter {
    /// Prepares, numbers, signs and stores as many intents as may be under way.
    pub(super) async fn sign(&self, comparison: &mut Comparison) -> Result<(), TickError> {
        let under_way = self.journal.with(|journal| journal.open_transactions())?;
        let room = self.terms.unsettled.saturating_sub(usize::try_from(under_way).unwrap_or(usize::MAX));
        let limit = if self.is_paused() && !self.is_denied() { 1 } else { room.min(BATCH) };
        let intents = self.due(State::ProofIntent, limit)?;
        if intents.is_empty() || room == 0 {
            return Ok(());
        }
        let mut ready = Vec::new();
        let attempts = self.prepare(intents).await?;
        let is_answered = |(_, prepared): &Attempt| prepared.as_ref().map_or_else(RpcError::is_answer, |_| true);
        let any_is_answered = attempts.iter().any(is_answered);
        for (intent, prepared) in attempts {
            match prepared {
                Ok(Preparation::Ready(prepared)) => ready.push(Ready { intent, prepared }),
                Ok(Preparation::Refused(revert)) => self.refused(intent.item(), &revert)?,
                // The node answers, so that the others do not wait for this one.
                Err(error) if any_is_answered => self.put_off(intent.item(), &error)?,
                Err(error) => return Err(error.into()),
            }
        }
        let ready = self.compare(ready, comparison).await?;
        if ready.is_empty() {
            return Ok(());
        }
        // Without transactions of our own under way, what the pool holds is another's, or a lost journal's: it comes first.
        let at = if under_way == 0 { NonceAt::Pending } else { NonceAt::Latest };
        let (quote, count) = self.prover.fees_and_nonce(at).await?;
        match quote {
            FeeQuote::Fees(fees) => self.sign_all(&ready, &fees, count).await,
            FeeQuote::AboveCap { needed_wei, cap_wei } => {
                self.pause_for_price(needed_wei, cap_wei);
                Ok(())
            }
        }
    }

    /// Lets the node try each; in the order of the items.
    async fn prepare(&self, items: Vec<Item>) -> Result<Vec<Attempt>, TickError> {
        let mut intents = Vec::with_capacity(items.len());
        for item in items {
            intents.extend(ProofIntent::read(&self.journal, &self.urls, item)?);
        }
        let proofs: Vec<_> = intents.iter().map(|intent| intent.proof().clone()).collect();
        let prepared = self.prover.prepare_all(&proofs).await?;
        Ok(intents.into_iter().zip(prepared).collect())
    }

    /// Nonces are given in the order of the items, and are on the disk before anything is sent.
    async fn sign_all(&self, ready: &[Ready], fees: &Fees, count: u64) -> Result<(), TickError> {
        let nonces = self.journal.with(|journal| journal.next_nonces(count, ready.len()))?;
        let costs: Vec<_> =
            ready.iter().zip(&nonces).map(|(ready, nonce)| (*nonce, ready.prepared.most_wei(fees))).collect();
        let affordable = self.affordable(&costs)?;
        let mut steps = Vec::with_capacity(affordable);
        for (Ready { intent, prepared }, nonce) in ready.iter().zip(nonces).take(affordable) {
            let item = intent.item();
            let signed = self.prover.sign(prepared, nonce, fees).await?;
            tracing::info!(item = %item.id, height = item.height, nonce, transaction = %signed.hash, "proof signed");
            steps.push((item.id, Step::Signed(stored(&signed))));
        }
        self.journal.advance_all(&steps)?;
        Ok(())
    }

    /// The contract would not take the proof now. Nothing was paid.
    fn refused(&self, item: &Item, revert: &Revert) -> Result<(), TickError> {
        tracing::warn!(item = %item.id, height = item.height, %revert, hint = revert.hint(), "proof refused by the contract");
        self.react(item, revert, Refused::BeforeSigning)
    }
}

/// A signed transaction as the journal keeps it.
pub(super) fn stored(signed: &refiner_proofchain::Signed) -> refiner_journal::SignedTransaction {
    let priority_fee = match signed.fees {
        Fees::Dynamic { tip_wei, .. } => tip_wei,
        Fees::Legacy { gas_price_wei } => gas_price_wei,
    };
    refiner_journal::SignedTransaction {
        hash: signed.hash,
        nonce: signed.nonce,
        raw: signed.raw.clone(),
        max_fee: signed.fees.most_wei(),
        priority_fee,
    }
}
