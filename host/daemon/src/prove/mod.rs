//! From pinned results to settled proofs. The only owner of key and nonce, and one loop: what is decided here is decided once.
//!
//! ```text
//! pinned ─► proof_intent ─► prepare ─► nonce, sign ─► journal, on the disk ─► send ─► settlement ─► final
//! ```

mod again;
mod budget;
mod compare;
mod finalize;
mod gap;
mod intent;
mod pause;
mod peers;
mod react;
mod send;
mod settle;
mod side;
mod sign;
mod steps;

#[cfg(test)]
mod tests;

pub use self::{
    budget::{coins, spent_in_a_day},
    intent::ResultUrls,
    peers::{PeerSource, SessionSource},
    steps::ProofSteps,
};

use self::compare::Comparison;

use std::{sync::Arc, time::Duration};

use refiner_config::FinalizePolicy;
use refiner_journal::{Item, JournalError, State, Step};
use refiner_proofchain::{RpcError, SignError, Signed};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::{
    engine::{
        clock::now_ms,
        policy::FailurePolicy,
        poller::{PollFailure, Poller},
    },
    observe::{remedy, status::Status},
    state::{journal_handle::JournalHandle, targets::Targets},
};

/// The part's name in the status.
const PART: &str = "prove";
/// Interval of looks at the operator's balance.
const BALANCE_EVERY: Duration = Duration::from_secs(60);
/// Questions to the node about different items at once.
const QUESTIONS_AT_ONCE: usize = 8;
/// Time for which a turn waits for more proofs when one has just ended: a request for many costs a node little more than one for one.
const GATHER: Duration = Duration::from_millis(50);
/// Second looks at final proofs in a row that newly pinned results break off.
const BROKEN_OFF_MAX: usize = 3;
/// Transactions of one item that were mined and failed, or lost their nonce, before a person has to look: each costs gas.
const FAILED_TRANSACTIONS_MAX: usize = 3;

/// Reasons for which a turn ends early.
#[derive(Debug, thiserror::Error)]
enum TickError {
    /// Nothing can go on.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The node could not be asked; the next turn asks again.
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// The Web3Signer did not sign; likewise.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// Bytes in the journal are no transaction of ours.
    #[error("item {item} holds bytes that are no transaction")]
    Unreadable {
        /// Number of the item.
        item: refiner_journal::ItemId,
    },
    /// The same of a transaction that is no proof.
    #[error("the journal's transaction with nonce {nonce} cannot be read")]
    UnreadableAside {
        /// Its nonce.
        nonce: u64,
    },
}

impl TickError {
    /// The remedy, by who did not answer as it should.
    fn remedy(&self) -> &'static str {
        match self {
            Self::Sign(_) => remedy::SIGNER,
            Self::Journal(_) | Self::Rpc(_) | Self::Unreadable { .. } | Self::UnreadableAside { .. } => {
                remedy::of(PART)
            }
        }
    }
}

/// Proves what is pinned, until `stop`.
///
/// # Errors
///
/// The journal's: without it nothing can go on.
pub async fn prove(submitter: ProofSubmitter, mut peers: Peers, stop: CancellationToken) -> Result<(), JournalError> {
    // What happens after is this loop's own doing.
    let mut pinned = submitter.journal.arrivals(State::Pinned);
    let mut poller = Poller::new(PART, submitter.status.clone(), submitter.terms.policy.retry);
    let mut due = Due::default();
    loop {
        pinned.mark_unchanged();
        let tick = tokio::select! {
            tick = submitter.tick(&mut due, &mut peers) => tick,
            // Dropping a turn loses nothing: what was signed is in the journal, what was sent is found on chain.
            () = stop.cancelled() => return Ok(()),
        };
        let pause = match tick {
            Ok(()) => {
                if let Some(failures) = poller.succeeded() {
                    tracing::info!(failures, "proving resumed");
                }
                submitter.terms.poll
            }
            Err(TickError::Journal(error)) => return Err(error),
            Err(error) => {
                let hint = error.remedy();
                let PollFailure { error, pause, failures, is_news } = poller.failed_with(&error, hint);
                if is_news {
                    tracing::warn!(error, hint, retry_in = ?pause, failures, "proving failed, retrying");
                }
                pause
            }
        };
        let gathered = Instant::now() + GATHER;
        let next = async {
            if pinned.changed().await.is_ok() {
                sleep_until(gathered).await;
            }
        };
        tokio::select! {
            () = sleep(pause) => {}
            () = next, if poller.failures() == 0 => {}
            () = stop.cancelled() => return Ok(()),
        }
    }
}

/// Times of the work that is not done in every turn, by a monotonic clock.
#[derive(Default)]
struct Due {
    balance: Option<Instant>,
    settle: Option<Instant>,
    again: Option<Instant>,
    /// Second looks that were broken off since the last that came to its end.
    broken_off: usize,
    finalize: Option<Instant>,
    gap: Option<gap::Gap>,
}

/// Everything known of other operators.
pub struct Peers {
    comparison: Comparison,
    opened: Box<dyn SessionSource>,
}

impl Peers {
    /// Nothing is known yet.
    pub fn new(proofs: Box<dyn PeerSource>, opened: Box<dyn SessionSource>) -> Self {
        Self { comparison: Comparison::new(proofs), opened }
    }
}

fn is_due(at: Option<Instant>) -> bool {
    at.is_none_or(|at| at <= Instant::now())
}

/// Where proofs are made.
pub struct ProofSubmitter {
    pub journal: JournalHandle,
    pub status: Status,
    /// The rules whose results are proved.
    pub targets: Arc<Targets>,
    pub urls: ResultUrls,
    /// Each step on chain; the only user of the key.
    pub prover: Box<dyn ProofSteps>,
    pub terms: ProveTerms,
}

/// The terms on which proofs are submitted.
#[derive(Clone, Copy, Debug)]
pub struct ProveTerms {
    /// Pause between two looks at the chain.
    pub poll: Duration,
    /// Pauses after failures.
    pub policy: FailurePolicy,
    /// The most transactions that wait at once.
    pub unsettled: usize,
    /// Blocks on top of a proof that is final.
    pub proof_depth: u64,
    /// The time after which a transaction's fees are raised.
    pub bump_after: Duration,
    /// Wei that the transactions of 24 hours may cost.
    pub max_spend_wei: Option<u128>,
    /// Results in a row that others deny before proving pauses; 0 for any number.
    pub max_differences: u64,
    /// Sessions that are finalized.
    pub finalize: FinalizePolicy,
}

impl ProofSubmitter {
    /// Everything that can be done now: what is under way first, because it holds nonces.
    async fn tick(&self, due: &mut Due, peers: &mut Peers) -> Result<(), TickError> {
        if is_due(due.balance) {
            let balance = self.prover.balance().await?;
            self.status.now().balance_wei = Some(balance);
            due.balance = Some(Instant::now() + BALANCE_EVERY);
        }
        // Every result that is pinned begins a tick; the chain has news only with its next block.
        if is_due(due.settle) {
            self.settle(due).await?;
            due.settle = Some(Instant::now() + self.terms.poll);
        }
        self.react_to_failures()?;
        self.send().await?;
        self.intend()?;
        if self.may_sign() {
            self.sign(&mut peers.comparison).await?;
            self.send().await?;
        }
        // New proofs do not wait for these.
        if is_due(due.finalize) {
            self.finalize(peers.opened.as_mut()).await?;
            due.finalize = Some(Instant::now() + self.terms.policy.recheck);
        }
        if is_due(due.again) {
            self.look_again_between(due).await?;
        }
        Ok(())
    }

    /// A second look at final proofs, which a result that is pinned meanwhile breaks off so that it need not wait. Where that happens
    /// again and again, one look goes on to its end.
    async fn look_again_between(&self, due: &mut Due) -> Result<(), TickError> {
        // Made here, so that only what is pinned during the look counts.
        let mut pinned = self.journal.arrivals(State::Pinned);
        tokio::select! {
            looked = self.look_again() => {
                looked?;
                due.again = Some(Instant::now() + self.terms.policy.recheck);
                due.broken_off = 0;
            }
            // A look that is broken off loses nothing: what it took up again is settled like everything else, and it stays due.
            _ = pinned.changed(), if due.broken_off < BROKEN_OFF_MAX => due.broken_off += 1,
        }
        Ok(())
    }

    /// Pinned results become intents, which take no nonce yet.
    fn intend(&self) -> Result<(), TickError> {
        let pinned = self.due(State::Pinned, self.terms.unsettled)?;
        let steps: Vec<_> = pinned.iter().map(|item| (item.id, Step::ProofIntent)).collect();
        if !steps.is_empty() {
            self.journal.advance_all(&steps)?;
        }
        Ok(())
    }

    fn due(&self, state: State, limit: usize) -> Result<Vec<Item>, JournalError> {
        self.journal.with(|journal| journal.due(state, now_ms(), limit))
    }

    /// The item's transactions that can still be mined, the last signed first. Never empty for an item that is signed or later.
    fn open_transactions(&self, item: &Item) -> Result<Vec<Signed>, TickError> {
        let transactions = self.journal.with(|journal| journal.transactions(item.id))?;
        let open = transactions.iter().filter(|transaction| transaction.open);
        open.map(|transaction| Signed::read(&transaction.raw).map_err(|_| TickError::Unreadable { item: item.id }))
            .collect()
    }
}
