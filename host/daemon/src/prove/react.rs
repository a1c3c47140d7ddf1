//! The one reaction to a proof that the contract did not take, whether that was found out for free or paid for.

use std::collections::BTreeSet;

use refiner_journal::{Item, State, Step};
use refiner_proofchain::{Reaction, Revert};

use super::{FAILED_TRANSACTIONS_MAX, ProofSubmitter, TickError};
use crate::engine::clock::milliseconds;

/// The way in which the contract's refusal was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// When the proof was prepared; nothing was paid.
    BeforeSigning,
    /// In a block.
    OnChain,
}

impl ProofSubmitter {
    pub(super) fn react(&self, item: &Item, revert: &Revert, refused: Refused) -> Result<(), TickError> {
        let journal = &self.journal;
        match (revert.reaction(), refused) {
            (Reaction::Done, _) => {
                journal.advance(item.id, &Step::Skipped { reason: format!("on chain already: {revert}") })?;
            }
            (Reaction::Skip, _) => journal.advance(item.id, &Step::Skipped { reason: revert.to_string() })?,
            (Reaction::Retry { .. }, Refused::OnChain) => self.intend_again(item)?,
            (Reaction::Retry { .. }, Refused::BeforeSigning) if *revert == Revert::StorageUrl => {
                journal.advance(item.id, &Step::PinAgain)?;
            }
            (Reaction::Retry { slow }, Refused::BeforeSigning) => {
                let pause = if slow { milliseconds(self.terms.policy.recheck) } else { 0 };
                let pause = pause.max(self.terms.policy.pause_ms(item.attempts));
                journal.failed(item.id, State::ProofIntent, &revert.to_string(), pause)?;
            }
            (Reaction::Stop, Refused::OnChain) => {
                self.intend_again(item)?;
                self.pause_for(revert);
            }
            (Reaction::Stop, Refused::BeforeSigning) => {
                journal.failed(item.id, State::ProofIntent, &revert.to_string(), 0)?;
                self.pause_for(revert);
            }
        }
        Ok(())
    }

    /// Items whose transaction failed, after a crash or when another transaction took the nonce.
    pub(super) fn react_to_failures(&self) -> Result<(), TickError> {
        for state in [State::Reverted, State::Replaced] {
            for item in self.due(state, self.terms.unsettled)? {
                self.intend_again(&item)?;
            }
        }
        Ok(())
    }

    /// Preparing finds out for free whether another transaction can succeed; but not for ever.
    fn intend_again(&self, item: &Item) -> Result<(), TickError> {
        if self.targets.of(item).is_err() {
            // The result is of a rule or a format that is not this daemon's any more.
            let reason = format!("superseded: rule {} changed", item.rule_name);
            return Ok(self.journal.advance(item.id, &Step::Skipped { reason })?);
        }
        let transactions = self.journal.with(|journal| journal.transactions(item.id))?;
        let failed: BTreeSet<_> =
            transactions.iter().filter(|transaction| !transaction.open).map(|transaction| transaction.nonce).collect();
        let step = if failed.len() < FAILED_TRANSACTIONS_MAX {
            Step::ProofIntent
        } else {
            Step::Quarantined { reason: format!("{} transactions failed", failed.len()) }
        };
        self.journal.advance(item.id, &step)?;
        Ok(())
    }
}
