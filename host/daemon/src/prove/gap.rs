//! Nonces that nothing uses: all later transactions would wait for ever.

use refiner_journal::{Holder, Purpose, State, Step};
use refiner_proofchain::{ChainSnapshot, FeeQuote, NonceAt};
use tokio::time::Instant;

use super::{Due, ProofSubmitter, TickError};

/// The name in the status of transactions that wait for a nonce.
const PART: &str = "nonce";

/// Nonces that are filled at once. A node that counted far too many transactions once leaves a gap of any length.
const FILLED_AT_ONCE: usize = 32;

/// A nonce that the chain waits for and that is none of the open ones.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gap {
    nonce: u64,
    since: Instant,
}

impl ProofSubmitter {
    /// Sees a gap before the lowest open nonce, names it in the status, and closes it once it has lasted.
    pub(super) async fn close_gap(&self, outlook: &ChainSnapshot, due: &mut Due) -> Result<(), TickError> {
        let lowest = self.journal.with(|journal| journal.lowest_open_nonce())?;
        let missing = outlook.next_nonce;
        let Some(lowest) = lowest.filter(|lowest| *lowest > missing) else {
            if due.gap.take().is_some() {
                tracing::info!(nonce = missing, "nonce gap closed");
            }
            self.status.clear_blocked(PART);
            return Ok(());
        };
        let known = due.gap.filter(|gap| gap.nonce == missing);
        let gap = *due.gap.insert(known.unwrap_or_else(|| Gap { nonce: missing, since: Instant::now() }));
        let in_pool = self.prover.nonce(NonceAt::Pending).await? > missing;
        let holder =
            if in_pool { "held by a transaction in the node's pool that is not ours" } else { "used by nothing" };
        let waiting = format!("nonce {missing} is {holder}, and {lowest} and later wait for it");
        if in_pool {
            self.status.set_foreign(format!("nonce {missing} is {holder}"));
        }
        if known.is_none() {
            tracing::warn!(missing, lowest, in_pool, "nonce gap found");
        }
        self.status.set_blocked(PART, waiting);
        // A node that lags behind shows gaps that are none, and the pool's transaction may be mined yet.
        if in_pool || gap.since.elapsed() < self.terms.policy.recheck {
            return Ok(());
        }
        match self.journal.with(|journal| journal.settled_holder(missing))? {
            Some(Holder::Item(item)) => {
                tracing::warn!(%item, nonce = missing, "final proof's transaction not on chain, sent again");
                self.journal.advance(item, &Step::Broadcast)?;
                Ok(())
            }
            Some(Holder::Side) => Ok(self.journal.with(|journal| journal.reopen_side(missing))?),
            // The next proof takes the smallest free nonce.
            None if !self.is_paused() && !self.due(State::ProofIntent, 1)?.is_empty() => Ok(()),
            None => self.fill(missing, lowest).await,
        }
    }

    /// Uses up the nonces from `missing` to before `lowest`, the next of them first.
    async fn fill(&self, missing: u64, lowest: u64) -> Result<(), TickError> {
        let fees = match self.prover.fees().await? {
            FeeQuote::Fees(fees) => fees,
            FeeQuote::AboveCap { needed_wei, cap_wei } => {
                self.pause_for_price(needed_wei, cap_wei);
                return Ok(());
            }
        };
        let filler = self.prover.filler();
        // A settled transaction among them is sent again when its turn comes.
        let mut costs = Vec::new();
        for nonce in (missing..lowest).take(FILLED_AT_ONCE) {
            if self.journal.with(|journal| journal.settled_holder(nonce))?.is_none() {
                costs.push((nonce, filler.most_wei(&fees)));
            }
        }
        let affordable = self.affordable(&costs)?;
        for (nonce, _) in costs.into_iter().take(affordable) {
            let signed = self.prover.sign(&filler, nonce, &fees).await?;
            tracing::warn!(nonce, transaction = %signed.hash, "nonce gap filled with an empty transaction");
            self.send_new_side(Purpose::Gap, &signed).await?;
        }
        Ok(())
    }
}
