//! The queue that a server has.

use async_nats::jetstream::Context;
use futures_util::TryStreamExt as _;
use refiner_diagnostics::ErrorChain;
use tokio::time::sleep;

use crate::{
    QueueError,
    limits::{AGAIN, LOOK},
    names::QueueId,
};

/// Looks without the queue after which it was removed.
const MISSED: u32 = 3;

/// Every queue of the server's account.
pub(crate) async fn all(context: &Context) -> Result<Vec<QueueId>, QueueError> {
    let names: Vec<String> = context.stream_names().try_collect().await.map_err(QueueError::of("listing streams"))?;
    let mut queues: Vec<_> = names.iter().filter_map(|name| QueueId::of_stream(name)).collect();
    queues.sort_unstable_by_key(ToString::to_string);
    Ok(queues)
}

/// The queue that is named, or the only one there is; waits for a coordinator to make one.
pub(crate) async fn queue(context: &Context, named: Option<QueueId>) -> Result<QueueId, QueueError> {
    if let Some(named) = named {
        return Ok(named);
    }
    let mut waits = false;
    loop {
        match all(context).await {
            Ok(queues) => match queues.as_slice() {
                [queue] => return Ok(*queue),
                [] => {
                    if !waits {
                        tracing::info!(
                            "no queue yet, waiting for a coordinator (`refiner run --queue` or `refiner replay --queue`)"
                        );
                    }
                    waits = true;
                    sleep(LOOK / 5).await;
                }
                _ => return Err(QueueError::Several { have: queues }),
            },
            Err(error) if error.is_passing() => sleep(AGAIN).await,
            Err(error) => return Err(error),
        }
    }
}

/// Waits until the queue has not been there at several looks in a row: one whose servers lost everything comes again.
pub(crate) async fn removed(context: &Context, queue: QueueId) {
    let mut missed = 0;
    while missed < MISSED {
        sleep(LOOK).await;
        match all(context).await {
            Ok(queues) if !queues.contains(&queue) => missed += 1,
            Ok(_) => missed = 0,
            Err(error) => tracing::debug!(error = %ErrorChain(&error), "queues are looked for again"),
        }
    }
}
