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
mod pause;
mod send;
mod settle;
mod side;
mod sign;

pub use self::{
    budget::{coins, spent_in_a_day},
    compare::Outcome as Compared,
};

use self::compare::Comparison;

use std::{sync::Arc, time::Duration};

use refiner_diagnostics::ErrorChain;
use refiner_journal::{Item, JournalError, State, Step};
use refiner_proofchain::{OpenedSessions, Prover, RpcError, SignError, Signed};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::{
    config::Settings,
    context::PipelineContext,
    engine::{clock::now_ms, outage::Outage, policy::pause_ms},
};

/// The part's name in the status.
const PART: &str = "prove";
/// How often the operator's balance is looked at.
const BALANCE_EVERY: Duration = Duration::from_secs(60);
/// Questions to the node about different items at once.
const QUESTIONS_AT_ONCE: usize = 8;
/// How long a turn waits for more proofs when one has just ended: a request for many costs a node little more than one for one.
const GATHER: Duration = Duration::from_millis(50);
/// Transactions of one item that were mined and failed, or lost their nonce, before a person has to look: each costs gas.
const FAILED_TRANSACTIONS_MAX: usize = 3;

/// Why a turn ended early.
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
        /// Which item.
        item: refiner_journal::ItemId,
    },
    /// The same of a transaction that is no proof.
    #[error("the journal's transaction with nonce {nonce} cannot be read")]
    UnreadableAside {
        /// Its nonce.
        nonce: u64,
    },
}

/// Proves what is pinned, until `stop`.
///
/// # Errors
///
/// The journal's: without it nothing can go on.
pub async fn prove(
    context: Arc<PipelineContext>,
    settings: Arc<Settings>,
    prover: Prover,
    stop: CancellationToken,
) -> Result<(), JournalError> {
    let submitter = ProofSubmitter { context, settings, prover };
    // What happens after is this loop's own doing.
    let mut pinned = submitter.context.journal.arrivals(State::Pinned);
    let (mut failures, mut due, mut outage) = (0, Due::default(), Outage::default());
    let chain = submitter.prover.chain();
    let mut peers = Peers { comparison: Comparison::new(chain.clone()), opened: OpenedSessions::new(chain.clone()) };
    loop {
        pinned.mark_unchanged();
        let tick = tokio::select! {
            tick = submitter.tick(&mut due, &mut peers) => tick,
            // Dropping a turn loses nothing: what was signed is in the journal, what was sent is found on chain.
            () = stop.cancelled() => return Ok(()),
        };
        let pause = match tick {
            Ok(()) => {
                failures = 0;
                if let Some(failures) = outage.over() {
                    tracing::info!(failures, "proving resumed");
                }
                submitter.context.status.clear_blocked(PART);
                submitter.settings.poll
            }
            Err(TickError::Journal(error)) => return Err(error),
            Err(error) => {
                let pause = Duration::from_millis(pause_ms(submitter.settings.retry, failures));
                failures += 1;
                let told = ErrorChain(&error).to_string();
                if outage.failed() {
                    tracing::warn!(error = told, retry_in = ?pause, failures, "proving failed, retrying");
                }
                submitter.context.status.set_blocked(PART, told);
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
            () = next, if failures == 0 => {}
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
    finalize: Option<Instant>,
    gap: Option<gap::Gap>,
}

/// Everything known of other operators.
struct Peers {
    comparison: Comparison,
    opened: OpenedSessions,
}

fn is_due(at: Option<Instant>) -> bool {
    at.is_none_or(|at| at <= Instant::now())
}

/// Where proofs are made.
struct ProofSubmitter {
    context: Arc<PipelineContext>,
    settings: Arc<Settings>,
    prover: Prover,
}

impl ProofSubmitter {
    /// Everything that can be done now: what is under way first, because it holds nonces.
    async fn tick(&self, due: &mut Due, peers: &mut Peers) -> Result<(), TickError> {
        let mut pinned = self.context.journal.arrivals(State::Pinned);
        if is_due(due.balance) {
            let balance = self.prover.balance().await?;
            self.context.status.now().balance_wei = Some(balance);
            due.balance = Some(Instant::now() + BALANCE_EVERY);
        }
        // The bell rings for every item of every stage; the chain has news only now and then.
        if is_due(due.settle) {
            self.settle(due).await?;
            due.settle = Some(Instant::now() + self.settings.poll);
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
            self.finalize(&mut peers.opened).await?;
            due.finalize = Some(Instant::now() + self.settings.recheck);
        }
        if is_due(due.again) {
            tokio::select! {
                looked = self.look_again() => looked?,
                // A look that is broken off loses nothing; what it took up again is settled like everything else.
                _ = pinned.changed() => {}
            }
            due.again = Some(Instant::now() + self.settings.recheck);
        }
        Ok(())
    }

    /// Pinned results become intents, which take no nonce yet.
    fn intend(&self) -> Result<(), TickError> {
        let pinned = self.due(State::Pinned, self.settings.unsettled)?;
        let steps: Vec<_> = pinned.iter().map(|item| (item.id, Step::ProofIntent)).collect();
        if !steps.is_empty() {
            self.context.journal.advance_all(&steps)?;
        }
        Ok(())
    }

    fn due(&self, state: State, limit: usize) -> Result<Vec<Item>, JournalError> {
        self.context.journal.with(|journal| journal.due(state, now_ms(), limit))
    }

    /// The item's transactions that can still be mined, the last signed first. Never empty for an item that is signed or later.
    fn open_transactions(&self, item: &Item) -> Result<Vec<Signed>, TickError> {
        let transactions = self.context.journal.with(|journal| journal.transactions(item.id))?;
        let open = transactions.iter().filter(|transaction| transaction.open);
        open.map(|transaction| Signed::read(&transaction.raw).map_err(|_| TickError::Unreadable { item: item.id }))
            .collect()
    }
}
