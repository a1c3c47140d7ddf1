//! Sessions past their deadline: they pay once an account finalizes them, and every account may.

use alloy_primitives::{Address, keccak256};
use refiner_config::FinalizePolicy;
use refiner_diagnostics::ErrorChain;
use refiner_journal::{Purpose, SessionKey, SessionOutcome};
use refiner_proofchain::{FeeQuote, NonceAt, Preparation, Revert};

use super::{ProofSubmitter, TickError, peers::SessionSource};
use crate::engine::clock::now_ms;

/// Blocks over which operators spread, so that not all of them pay for the same session.
const STAGGER_BLOCKS: u64 = 20;
/// Blocks after which a session is asked for again that could not be finalized yet.
const AGAIN_BLOCKS: u64 = 10;
/// Sessions of one turn.
const AT_ONCE: usize = 8;
/// The time in which proofs became final whose sessions are looked for.
const PROOFS_MS: u64 = 2 * 24 * 3_600_000;

impl ProofSubmitter {
    /// Follows sessions, and finalizes those whose time has come.
    pub(super) async fn finalize(&self, opened: &mut dyn SessionSource) -> Result<(), TickError> {
        match self.terms.finalize {
            FinalizePolicy::None => return Ok(()),
            FinalizePolicy::Own => self.follow_own().await?,
            FinalizePolicy::All => self.follow_all(opened).await?,
        }
        if !self.may_spend() {
            return Ok(());
        }
        let head = self.prover.head().await?;
        let due = self.journal.with(|journal| journal.sessions_due(head, AT_ONCE))?;
        for session in due {
            if !self.finalize_one(session, head).await? {
                break;
            }
        }
        Ok(())
    }

    async fn follow_own(&self) -> Result<(), TickError> {
        let since = now_ms().saturating_sub(PROOFS_MS);
        let new = self.journal.with(|journal| journal.sessions_of_proofs(since))?;
        if new.is_empty() {
            return Ok(());
        }
        // The session was opened by our proof, or before it.
        let blocks = self.prover.session_blocks().await?;
        let from = |(session, proved): (SessionKey, u64)| (session, self.turn(session, proved.saturating_add(blocks)));
        let new: Vec<_> = new.into_iter().map(from).collect();
        Ok(self.journal.with(|journal| journal.follow_sessions(&new))?)
    }

    async fn follow_all(&self, opened: &mut dyn SessionSource) -> Result<(), TickError> {
        let sessions = opened.read().await?;
        let new: Vec<_> = sessions
            .iter()
            .map(|session| {
                let key = SessionKey { chain: session.chain_id, height: session.height };
                (key, self.turn(key, session.deadline))
            })
            .collect();
        if !new.is_empty() {
            self.journal.with(|journal| journal.follow_sessions(&new))?;
        }
        Ok(())
    }

    /// The block of this operator's turn for a session with this deadline.
    fn turn(&self, session: SessionKey, deadline: u64) -> u64 {
        deadline.saturating_add(1).saturating_add(stagger(self.prover.address(), session))
    }

    /// Asks the contract, then signs and sends at once. False when nothing more can be sent now.
    async fn finalize_one(&self, session: SessionKey, head: u64) -> Result<bool, TickError> {
        let journal = &self.journal;
        let prepared = match self.prover.prepare_finalize(session.chain, session.height).await {
            Ok(Preparation::Ready(prepared)) => prepared,
            Ok(Preparation::Refused(Revert::SessionFinalized)) => {
                journal.with(|journal| journal.end_session(session, Some(SessionOutcome::Ended)))?;
                return Ok(true);
            }
            Ok(Preparation::Refused(Revert::SessionNotStarted)) => {
                journal.with(|journal| journal.end_session(session, Some(SessionOutcome::Unknown)))?;
                return Ok(true);
            }
            Ok(Preparation::Refused(revert)) => {
                tracing::debug!(height = session.height, %revert, "session not ready to be finalized");
                journal.with(|journal| journal.put_session_off(session, head.saturating_add(AGAIN_BLOCKS)))?;
                return Ok(true);
            }
            // The node has just given its head, so that the others do not wait for this one.
            Err(error) => {
                tracing::warn!(height = session.height, error = %ErrorChain(&error), "node failed for one session, retrying");
                journal.with(|journal| journal.put_session_off(session, head.saturating_add(AGAIN_BLOCKS)))?;
                return Ok(true);
            }
        };
        let under_way = journal.with(|journal| journal.open_transactions())?;
        if usize::try_from(under_way).unwrap_or(usize::MAX) >= self.terms.unsettled {
            return Ok(false);
        }
        let at = if under_way == 0 { NonceAt::Pending } else { NonceAt::Latest };
        let (quote, count) = self.prover.fees_and_nonce(at).await?;
        let fees = match quote {
            FeeQuote::Fees(fees) => fees,
            FeeQuote::AboveCap { needed_wei, cap_wei } => {
                self.pause_for_price(needed_wei, cap_wei);
                return Ok(false);
            }
        };
        let nonce = journal.with(|journal| journal.next_nonce(count))?;
        if self.affordable(&[(nonce, prepared.most_wei(&fees))])? == 0 {
            return Ok(false);
        }
        let signed = self.prover.sign(&prepared, nonce, &fees).await?;
        tracing::info!(height = session.height, nonce, transaction = %signed.hash, "session finalization sent");
        self.send_new_side(Purpose::Finalize(session), &signed).await?;
        Ok(true)
    }

    /// The end of a transaction that was mined.
    pub(super) fn side_is_settled(&self, purpose: Purpose, succeeded: bool) -> Result<(), TickError> {
        let Purpose::Finalize(session) = purpose else { return Ok(()) };
        let outcome = if succeeded { SessionOutcome::Finalized } else { SessionOutcome::Ended };
        Ok(self.journal.with(|journal| journal.end_session(session, Some(outcome)))?)
    }
}

/// Blocks that an operator leaves to others: the same for one session always, others for other sessions.
fn stagger(operator: Address, session: SessionKey) -> u64 {
    let mut text = operator.to_vec();
    text.extend(session.chain.to_be_bytes());
    text.extend(session.height.to_be_bytes());
    let hash = keccak256(text);
    u64::from(hash[0]) % STAGGER_BLOCKS
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn operators_spread_over_the_blocks_after_a_deadline() {
        let session = |height| SessionKey { chain: 1, height };
        let operators = (0..100).map(Address::with_last_byte);
        let turns: BTreeSet<_> = operators.map(|operator| stagger(operator, session(7))).collect();
        assert!(turns.len() > 15 && turns.iter().all(|turn| *turn < STAGGER_BLOCKS), "{turns:?}");
        let of_one: BTreeSet<_> = (0..100).map(|height| stagger(Address::with_last_byte(1), session(height))).collect();
        assert!(of_one.len() > 15, "no operator is always the first: {of_one:?}");
    }
}
