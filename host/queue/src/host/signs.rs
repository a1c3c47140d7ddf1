//! Signs of life: every few seconds, and when a coordinator calls.

use std::sync::{Arc, atomic::Ordering};

use async_nats::Subscriber;
use futures_util::StreamExt as _;
use refiner_diagnostics::ErrorChain;
use tokio::time::{sleep, timeout};

use super::Host;
use crate::{
    limits::{AGAIN, HEARTBEAT},
    message::{Heartbeat, VERSION},
};

/// Shows the host for as long as it works.
pub(super) async fn beat(host: Arc<Host>) {
    let mut serving = host.serving.subscribe();
    let mut calls = calls(&host).await;
    loop {
        publish(&host).await;
        // Whichever comes first.
        let called = async {
            tokio::select! {
                _ = calls.next() => {}
                _ = serving.changed() => {}
            }
        };
        let _ = timeout(HEARTBEAT, called).await;
    }
}

async fn calls(host: &Host) -> Subscriber {
    loop {
        match host.client.subscribe(host.queue.roll_call()).await {
            Ok(calls) => return calls,
            Err(error) => {
                tracing::debug!(%error, "roll calls are asked for again");
                sleep(AGAIN).await;
            }
        }
    }
}

async fn publish(host: &Host) {
    let serving = Arc::clone(&host.serving.borrow());
    let heartbeat = Heartbeat {
        v: VERSION,
        worker: host.settings.name.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        workers: u32::try_from(host.settings.workers).unwrap_or(u32::MAX),
        running: host.running.load(Ordering::Relaxed),
        done: host.done.load(Ordering::Relaxed),
        serves: serving.rules.iter().map(|rule| rule.record.identity).collect(),
        refuses: serving.refuses.clone(),
        unpublished: host.publications.refusal().map(|reason| reason.to_string()),
        origin: host.origin.clone(),
    };
    let published = match heartbeat.write_within_bounds() {
        Ok(bytes) => host.client.publish(host.queue.heartbeat_of(&host.settings.name), bytes.into()).await,
        Err(error) => {
            tracing::error!(error = %ErrorChain(&error), "heartbeat cannot be published");
            return;
        }
    };
    if let Err(error) = published {
        tracing::debug!(%error, "heartbeat not published");
    }
}
