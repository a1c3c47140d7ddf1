//! The size of the local store.

use std::time::{Duration, SystemTime};

use refiner_content::{ContentId, LocalStore, Retention};
use refiner_diagnostics::ErrorChain;
use refiner_journal::JournalError;
use tokio_util::sync::CancellationToken;

use crate::engine::poller::pause;

/// Interval of looks at the store: it grows by some GiB a day at most.
const PRUNE_EVERY: Duration = Duration::from_secs(600);

/// Keeps the local store within its size, until `stop`; `components` stay. Content of unfinished items is recent, and is made again if it is not.
pub async fn prune(
    store: LocalStore,
    components: Vec<ContentId>,
    total_bytes: u64,
    stop: CancellationToken,
) -> Result<(), JournalError> {
    let retention = Retention { total_bytes, ..Retention::default() };
    loop {
        let (store, components) = (store.clone(), components.clone());
        let pruned = tokio::task::spawn_blocking(move || {
            store.prune(&retention, SystemTime::now(), |id| components.contains(id))
        })
        .await;
        match pruned {
            Ok(Ok(pruned)) if pruned.removed == 0 => {}
            Ok(Ok(pruned)) => {
                tracing::info!(removed = pruned.removed, bytes = pruned.removed_bytes, "content store pruned");
            }
            Ok(Err(error)) => tracing::warn!(error = %ErrorChain(&error), "content store not pruned"),
            Err(error) => tracing::error!(%error, "pruning the content store panicked"),
        }
        if !pause(&stop, PRUNE_EVERY).await {
            return Ok(());
        }
    }
}
