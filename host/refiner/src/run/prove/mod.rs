//! From pinned results to settled proofs. The only owner of key and nonce, and one loop: what is decided here is decided once.
//!
//! ```text
//! pinned ─► proof_intent ─► prepare ─► nonce, sign ─► journal, on the disk ─► send ─► settlement ─► final
//! ```

mod pause;
mod send;
mod settle;
mod sign;

use std::{sync::Arc, time::Duration};

use refiner_diagnostics::ErrorChain;
use refiner_journal::{Item, JournalError, State, Step};
use refiner_proofchain::{Prover, RpcError, SignError, Signed};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::{
    clock::{milliseconds, now_ms},
    config::Settings,
    context::PipelineContext,
    outage::Outage,
    policy::pause_ms,
};

/// The part's name in the status.
const PART: &str = "prove";
/// How often the operator's balance is looked at.
const BALANCE_EVERY_MS: u64 = 60_000;
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
    loop {
        pinned.mark_unchanged();
        let tick = tokio::select! {
            tick = submitter.tick(&mut due) => tick,
            // Dropping a turn loses nothing: what was signed is in the journal, what was sent is found on chain.
            () = stop.cancelled() => return Ok(()),
        };
        let pause = match tick {
            Ok(()) => {
                failures = 0;
                if let Some(failures) = outage.over() {
                    tracing::info!(failures, "Proofs go on.");
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
                    tracing::warn!(error = told, ?pause, failures, "Proofs wait; everything is kept.");
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

/// When what is not done in every turn is due, milliseconds since 1970.
#[derive(Default)]
struct Due {
    balance_ms: u64,
    settle_ms: u64,
}

/// Where proofs are made.
struct ProofSubmitter {
    context: Arc<PipelineContext>,
    settings: Arc<Settings>,
    prover: Prover,
}

impl ProofSubmitter {
    /// Everything that can be done now: what is under way first, because it holds nonces.
    async fn tick(&self, due: &mut Due) -> Result<(), TickError> {
        if now_ms() >= due.balance_ms {
            let balance = self.prover.balance().await?;
            self.context.status.now().balance_wei = Some(balance);
            due.balance_ms = now_ms() + BALANCE_EVERY_MS;
        }
        // The bell rings for every item of every stage; the chain has news only now and then.
        if now_ms() >= due.settle_ms {
            self.settle().await?;
            due.settle_ms = now_ms() + milliseconds(self.settings.poll);
        }
        self.react_to_failures()?;
        self.send().await?;
        self.intend()?;
        if self.may_sign() {
            self.sign().await?;
            self.send().await?;
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
