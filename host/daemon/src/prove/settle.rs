//! Settlement of the transactions that were sent.

use alloy_primitives::B256;
use futures_util::{StreamExt as _, stream};
use refiner_diagnostics::ErrorChain;
use refiner_journal::{Item, State, Step};
use refiner_proofchain::{ChainSnapshot, RpcError, Settlement, Signed};

use super::{Due, ProofSubmitter, QUESTIONS_AT_ONCE, TickError, react::Refused};
use crate::engine::clock::{milliseconds, now_ms};

/// The part's name in the status.
const SETTLE: &str = "settle";

impl ProofSubmitter {
    /// Asks about everything that was sent and of which there may be news.
    pub(super) async fn settle(&self, due: &mut Due) -> Result<(), TickError> {
        let Some(lowest) = self.journal.with(|journal| journal.lowest_open_nonce())? else {
            self.report_disputes(0);
            return Ok(());
        };
        let mut items = self.due(State::Mined, usize::MAX >> 1)?;
        items.extend(self.due(State::Broadcast, usize::MAX >> 1)?);
        let mut outlook = self.prover.outlook().await?;
        // Higher fees do not help a transaction that waits for an earlier nonce.
        let may_raise = outlook.next_nonce >= lowest;
        let mut asked = Vec::with_capacity(items.len());
        for item in items {
            let transactions = self.open_transactions(&item)?;
            asked.push((item, transactions));
        }
        let waiting = |transactions: &[Signed]| transactions.first().map(|newest| newest.nonce);
        let next = asked.iter().filter(|(item, _)| item.state == State::Broadcast);
        let next = next.filter_map(|(_, transactions)| waiting(transactions)).min();
        asked.retain(|(item, transactions)| match waiting(transactions) {
            Some(nonce) => self.has_news(&outlook, item, nonce, next == Some(nonce)),
            None => false,
        });
        let mined = asked
            .iter()
            .filter(|(_, transactions)| waiting(transactions).is_some_and(|nonce| nonce < outlook.next_nonce));
        let mined: Vec<_> = mined.flat_map(|(_, transactions)| transactions).map(|signed| signed.hash).collect();
        self.prover.look_at(&mut outlook, &mined).await?;
        let mut answers = stream::iter(asked)
            .map(|(item, transactions)| {
                let outlook = &outlook;
                async move {
                    let settlement = self.settlement(outlook, &transactions).await;
                    (item, transactions, settlement)
                }
            })
            .buffered(QUESTIONS_AT_ONCE);
        while let Some((item, transactions, settlement)) = answers.next().await {
            let Some(settlement) = self.found(&item, settlement)? else { continue };
            let waits = settlement == Settlement::Pending;
            self.settled(&item, &transactions, settlement).await?;
            if waits && may_raise {
                self.bump_if_late(&item, &transactions).await?;
            }
        }
        drop(answers);
        if outlook.disputed() > 0 || !self.report_missing_receipts(&outlook)? {
            self.report_disputes(outlook.disputed());
        }
        self.settle_side(&outlook).await?;
        self.close_gap(&outlook, due).await
    }

    /// The settlement that the chain gave. Without one the failure is the item's own, because the node has just answered for the
    /// outlook: the item is asked about again after a pause, and no other waits for it.
    pub(super) fn found(
        &self,
        item: &Item,
        settlement: Result<Settlement, RpcError>,
    ) -> Result<Option<Settlement>, TickError> {
        match settlement {
            Ok(settlement) => Ok(Some(settlement)),
            Err(error) => self.put_off(item, &error).map(|()| None),
        }
    }

    /// Records a node's failure for one item, which is tried again after a pause.
    pub(super) fn put_off(&self, item: &Item, error: &RpcError) -> Result<(), TickError> {
        let text = ErrorChain(error).to_string();
        if item.last_error.as_ref() != Some(&text) {
            tracing::warn!(item = %item.id, height = item.height, state = %item.state, error = text, "node failed for one proof, retrying");
        }
        let pause_ms = self.terms.policy.pause_ms(item.attempts);
        Ok(self.journal.failed(item.id, item.state, &text, pause_ms)?)
    }

    /// Shows in the status that proofs are disputed: one that only one of several nodes has is not final, however deep it is.
    fn report_disputes(&self, disputed: u64) {
        if disputed == 0 {
            return self.status.clear_blocked(SETTLE);
        }
        let what = format!("two nodes that have the same receipt: of {disputed} proofs one has none or another one");
        self.status.set_blocked(SETTLE, what);
    }

    /// Shows in the status transactions that have no usable receipt although their nonces were used on chain. Returns whether
    /// there are any.
    fn report_missing_receipts(&self, outlook: &ChainSnapshot) -> Result<bool, TickError> {
        let mut missing = 0_usize;
        for item in self.journal.with(|journal| journal.outbox())? {
            match self.open_transactions(&item)?.first() {
                Some(newest) if newest.nonce < outlook.next_nonce => missing += 1,
                // Later ones have later nonces.
                Some(_) => break,
                None => {}
            }
        }
        if missing > 0 {
            let what = format!("receipts of {missing} transactions, whose nonces were used on chain, are missing");
            self.status.set_blocked(SETTLE, what);
        }
        Ok(missing > 0)
    }

    /// Whether it pays to ask. Of transactions that wait the `next` one speaks for those behind it, until they are late.
    fn has_news(&self, outlook: &ChainSnapshot, item: &Item, nonce: u64, next: bool) -> bool {
        let mined = nonce < outlook.next_nonce;
        match (item.state, item.mined_block) {
            // Nothing new about a block until it is deep enough, unless a reorganisation took it away.
            (State::Mined, Some(block)) if mined => block.saturating_add(self.terms.proof_depth) <= outlook.head,
            (State::Mined, _) => true,
            _ => mined || next || self.is_late(item),
        }
    }

    /// Asks about one item.
    pub(super) async fn settle_one(&self, item: &Item) -> Result<(), TickError> {
        let transactions = self.open_transactions(item)?;
        let settlement = self.settlement(&self.prover.outlook().await?, &transactions).await;
        match self.found(item, settlement)? {
            Some(settlement) => self.settled(item, &transactions, settlement).await,
            None => Ok(()),
        }
    }

    pub(super) async fn settlement(
        &self,
        outlook: &ChainSnapshot,
        transactions: &[Signed],
    ) -> Result<Settlement, RpcError> {
        let Some(newest) = transactions.first() else { return Ok(Settlement::Pending) };
        let hashes: Vec<_> = transactions.iter().map(|signed| signed.hash).collect();
        self.prover.settlement(outlook, &hashes, newest.nonce, self.terms.proof_depth).await
    }

    pub(super) async fn settled(
        &self,
        item: &Item,
        transactions: &[Signed],
        settlement: Settlement,
    ) -> Result<(), TickError> {
        let journal = &self.journal;
        let mined = |hash, block: u64| {
            let known = item.state == State::Mined && item.mined_block == Some(block) && item.mined_tx == Some(hash);
            let moved = item.state == State::Mined && !known;
            // In another block than before: it was back among the waiting in between.
            let steps = [moved.then_some(Step::Broadcast), (!known).then_some(Step::Mined { hash, block })];
            steps.into_iter().flatten().map(|step| (item.id, step)).collect::<Vec<_>>()
        };
        match settlement {
            Settlement::Pending => {
                if item.state == State::Mined {
                    journal.advance(item.id, &Step::Broadcast)?;
                }
            }
            Settlement::Mined { hash, block, .. } => {
                let steps = mined(hash, block.number);
                if !steps.is_empty() {
                    journal.advance_all(&steps)?;
                }
            }
            Settlement::Final { hash, block, paid_wei } => {
                self.paid(hash, paid_wei)?;
                let mut steps = mined(hash, block.number);
                steps.push((item.id, Step::Final));
                tracing::info!(item = %item.id, height = item.height, transaction = %hash, block = block.number, "proof final");
                journal.advance_all(&steps)?;
            }
            Settlement::Reverted { hash, block, paid_wei, revert } => {
                self.paid(hash, paid_wei)?;
                tracing::error!(item = %item.id, height = item.height, transaction = %hash, %revert, hint = revert.hint(), "proof reverted");
                let mut steps = mined(hash, block.number);
                steps.push((item.id, Step::Reverted { reason: revert.to_string() }));
                journal.advance_all(&steps)?;
                self.react(item, &revert, Refused::OnChain)?;
            }
            Settlement::Dropped => {
                if item.state == State::Mined {
                    journal.advance(item.id, &Step::Broadcast)?;
                }
                if let Some(newest) = transactions.first() {
                    tracing::warn!(item = %item.id, nonce = newest.nonce, "proof transaction dropped, sending again");
                    self.send_again(item, newest).await?;
                }
            }
            Settlement::Replaced => {
                tracing::error!(item = %item.id, "proof nonce used by another transaction, is the key used elsewhere?");
                if let Some(newest) = transactions.first() {
                    self.status.set_foreign(format!("nonce {} was used by another transaction", newest.nonce));
                }
                let reason = "another transaction took its nonce".to_owned();
                let back = (item.state == State::Mined).then_some(Step::Broadcast);
                let steps = back.into_iter().chain([Step::Replaced { reason }]);
                journal.advance_all(&steps.map(|step| (item.id, step)).collect::<Vec<_>>())?;
            }
        }
        Ok(())
    }

    fn paid(&self, hash: B256, wei: Option<u128>) -> Result<(), TickError> {
        if let Some(wei) = wei {
            self.journal.with(|journal| journal.paid(hash, wei))?;
        }
        Ok(())
    }

    /// A dropped transaction's state does not change when it is accepted again.
    async fn send_again(&self, item: &Item, signed: &Signed) -> Result<(), TickError> {
        use refiner_proofchain::Sent;
        match self.prover.send(signed).await {
            Sent::Accepted | Sent::AlreadyKnown | Sent::NonceTooLow | Sent::NonceTooHigh => Ok(()),
            Sent::Banned => self.raise_banned(item, signed).await.map(drop),
            Sent::PoolFull => self.pool_is_full(item, signed).await.map(drop),
            Sent::Underpriced => self.bump(item, signed).await.map(drop),
            Sent::InsufficientFunds => {
                self.pause_for_funds();
                Ok(())
            }
            Sent::Rejected(refusal) => self.rejected(item, signed, &refusal).await,
            Sent::Unreachable(error) => Err(error.into()),
        }
    }

    async fn bump_if_late(&self, item: &Item, transactions: &[Signed]) -> Result<(), TickError> {
        match transactions.first() {
            Some(newest) if self.is_late(item) => self.bump(item, newest).await.map(drop),
            _ => Ok(()),
        }
    }

    fn is_late(&self, item: &Item) -> bool {
        // Every entry into `broadcast` starts the time anew.
        // A time to come is a clock's that was wrong.
        item.state == State::Broadcast && now_ms().abs_diff(item.state_ms) >= milliseconds(self.terms.bump_after)
    }
}
