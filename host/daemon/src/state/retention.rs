//! Old items out of the journal and their content out of the store, a few at a time.

use std::time::{Duration, SystemTime};

use refiner_content::{ContentId, LocalStore};
use refiner_diagnostics::ErrorChain;
use refiner_journal::{JournalError, PruneStep};
use tokio_util::sync::CancellationToken;

use super::journal_handle::JournalHandle;
use crate::engine::{
    clock::{milliseconds, now_ms},
    poller::pause,
};

/// Pause between two looks through the journal.
const ROUND_EVERY: Duration = Duration::from_secs(600);
/// Items of one step, for which the journal is held.
const AT_ONCE: usize = 200;
/// Pause between two steps.
const STEP_EVERY: Duration = Duration::from_millis(50);

/// The finished items that the journal keeps; `None` for all.
#[derive(Clone, Copy, Debug)]
pub struct KeptItems {
    /// So many of them,
    pub items: Option<u64>,
    /// and those that are younger.
    pub age: Option<Duration>,
}

/// Drops finished items beyond what is kept, until `stop`. Where everything is kept there is nothing to do.
///
/// # Errors
///
/// The journal's: without it nothing can go on.
pub async fn prune(
    journal: JournalHandle,
    store: LocalStore,
    kept: KeptItems,
    stop: CancellationToken,
) -> Result<(), JournalError> {
    if kept.items.is_none() && kept.age.is_none() {
        return Ok(());
    }
    loop {
        round(&journal, &store, kept, &stop).await?;
        if !pause(&stop, ROUND_EVERY).await {
            return Ok(());
        }
    }
}

async fn round(
    journal: &JournalHandle,
    store: &LocalStore,
    kept: KeptItems,
    stop: &CancellationToken,
) -> Result<(), JournalError> {
    let surplus = match kept.items {
        Some(items) => journal.with(|journal| journal.finished())?.saturating_sub(items),
        None => 0,
    };
    let finished_by_ms = kept.age.map_or(0, |age| now_ms().saturating_sub(milliseconds(age)));
    let mut step = PruneStep { after: None, surplus, finished_by_ms };
    let (mut dropped, mut removed) = (0, 0);
    while step.surplus > 0 || step.finished_by_ms > 0 {
        let pruned = journal.with(|journal| journal.prune(&step, now_ms(), AT_ONCE))?;
        dropped += pruned.dropped;
        removed += remove(store.clone(), pruned.unneeded).await;
        step.surplus = step.surplus.saturating_sub(pruned.dropped);
        let Some(last) = pruned.last else { break };
        step.after = Some(last);
        if !pause(stop, STEP_EVERY).await {
            return Ok(());
        }
    }
    if dropped > 0 {
        tracing::info!(items = dropped, contents = removed, "finished items dropped");
    }
    Ok(())
}

/// Removes content from the store. What cannot be removed goes with its age.
async fn remove(store: LocalStore, unneeded: Vec<String>) -> u64 {
    let removing = tokio::task::spawn_blocking(move || {
        let ids = unneeded.iter().filter_map(|id| id.parse::<ContentId>().ok());
        let removed = ids.map(|id| store.remove(&id, SystemTime::now()));
        removed.fold(0, |count, removed| match removed {
            Ok(is_removed) => count + u64::from(is_removed),
            Err(error) => {
                tracing::warn!(error = %ErrorChain(&error), "content not removed");
                count
            }
        })
    });
    removing.await.unwrap_or_default()
}
