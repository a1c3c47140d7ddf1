//! From intents to signed transactions on the disk.

use refiner_journal::{Artifact, Item, State, Step};
use refiner_proofchain::{FeeQuote, Fees, NonceAt, Preparation, Proof, Reaction, Revert, RpcError, Signed};

use alloy_primitives::B256;

use super::{
    ProofSubmitter, TickError,
    compare::{Comparison, Ready},
};
use crate::engine::{clock::milliseconds, policy::pause_ms};

/// An item, the hash of its result, and the outcome of preparing its proof.
type Attempt = (Item, B256, Result<Preparation, RpcError>);

/// Intents prepared in one turn: what is prepared long before it is signed may no longer be true.
const BATCH: usize = 32;

impl ProofSubmitter {
    /// Prepares, numbers, signs and stores as many intents as may be under way.
    pub(super) async fn sign(&self, comparison: &mut Comparison) -> Result<(), TickError> {
        let under_way = self.context.journal.with(|journal| journal.open_transactions())?;
        let room = self.settings.unsettled.saturating_sub(usize::try_from(under_way).unwrap_or(usize::MAX));
        let limit = if self.is_paused() && !self.is_denied() { 1 } else { room.min(BATCH) };
        let intents = self.due(State::ProofIntent, limit)?;
        if intents.is_empty() || room == 0 {
            return Ok(());
        }
        let mut ready = Vec::new();
        for (item, result_hash, prepared) in self.prepare(intents).await? {
            match prepared? {
                Preparation::Ready(prepared) => ready.push((item, prepared, result_hash)),
                Preparation::Refused(revert) => self.refused(&item, &revert)?,
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
    async fn prepare(&self, intents: Vec<Item>) -> Result<Vec<Attempt>, TickError> {
        let (mut items, mut proofs) = (Vec::with_capacity(intents.len()), Vec::with_capacity(intents.len()));
        for item in intents {
            let artifacts = self.context.journal.with(|journal| journal.artifacts(item.id))?;
            if let Some(artifact) = artifacts.first() {
                proofs.push(proof(&item, artifact, self.context.result_url(&artifact.cid)));
                items.push((item, artifact.sha256));
            }
        }
        let prepared = self.prover.prepare_all(&proofs).await?;
        Ok(items.into_iter().zip(prepared).map(|((item, hash), prepared)| (item, hash, prepared)).collect())
    }

    /// Nonces are given in the order of the items, and are on the disk before anything is sent.
    async fn sign_all(&self, ready: &[Ready], fees: &Fees, count: u64) -> Result<(), TickError> {
        let nonces = self.context.journal.with(|journal| journal.next_nonces(count, ready.len()))?;
        let costs: Vec<_> =
            ready.iter().zip(&nonces).map(|((_, prepared, _), nonce)| (*nonce, prepared.most_wei(fees))).collect();
        let affordable = self.affordable(&costs)?;
        let mut steps = Vec::with_capacity(affordable);
        for ((item, prepared, _), nonce) in ready.iter().zip(nonces).take(affordable) {
            let signed = self.prover.sign(prepared, nonce, fees).await?;
            tracing::info!(item = %item.id, height = item.height, nonce, transaction = %signed.hash, "proof signed");
            steps.push((item.id, Step::Signed(stored(&signed))));
        }
        self.context.journal.advance_all(&steps)?;
        Ok(())
    }

    /// The contract would not take the proof now. Nothing was paid.
    fn refused(&self, item: &Item, revert: &Revert) -> Result<(), TickError> {
        tracing::warn!(item = %item.id, height = item.height, %revert, hint = revert.hint(), "proof refused by the contract");
        let journal = &self.context.journal;
        match revert.reaction() {
            Reaction::Done => {
                journal.advance(item.id, &Step::Skipped { reason: format!("on chain already: {revert}") })?;
            }
            Reaction::Skip => journal.advance(item.id, &Step::Skipped { reason: revert.to_string() })?,
            Reaction::Retry { .. } if *revert == Revert::StorageUrl => journal.advance(item.id, &Step::PinAgain)?,
            Reaction::Retry { slow } => {
                let pause = if slow { milliseconds(self.settings.recheck) } else { 0 };
                let pause = pause.max(pause_ms(self.settings.retry, item.attempts));
                journal.failed(item.id, State::ProofIntent, &revert.to_string(), pause)?;
            }
            Reaction::Stop => {
                journal.failed(item.id, State::ProofIntent, &revert.to_string(), 0)?;
                self.pause_for(revert);
            }
        }
        Ok(())
    }
}

fn proof(item: &Item, artifact: &Artifact, url: String) -> Proof {
    Proof {
        chain_id: item.chain,
        height: item.height,
        specimen_hash: item.specimen_hash,
        result_hash: artifact.sha256,
        url,
    }
}

/// A signed transaction as the journal keeps it.
pub(super) fn stored(signed: &Signed) -> refiner_journal::SignedTransaction {
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
