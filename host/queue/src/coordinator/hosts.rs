//! The hosts that give signs of life.

use std::{collections::BTreeMap, time::Duration};

use alloy_primitives::B256;
use refiner_text::UntrustedText;
use serde::Serialize;
use tokio::time::Instant;

use crate::{
    limits::{HOST_GONE, HOSTS_MAX, REFUSAL_BYTES_MAX},
    message::Heartbeat,
    names::HostName,
    origins::Origins,
};

/// A worker host, as it last showed itself.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HostView {
    /// Its name.
    pub name: HostName,
    /// Version of its program.
    pub version: String,
    /// Number of runs at once.
    pub workers: u32,
    /// Number of tasks in hand.
    pub running: u32,
    /// Tasks that came to their end there.
    pub done: u64,
    /// Number of rules that it serves.
    pub serves: usize,
    /// Rules that it does not serve, each with the reason.
    pub refuses: Vec<String>,
    /// The reason for which NATS takes none of its results, if it takes none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unpublished: Option<String>,
    /// Where its artifacts are.
    pub origin: String,
    /// True where they may be fetched from there.
    pub permitted: bool,
    /// Milliseconds since its last sign of life.
    pub seen_ms: u64,
}

impl HostView {
    pub(crate) fn of(heartbeat: &Heartbeat, permitted: bool, seen: Duration) -> Self {
        let text = |text: &str| UntrustedText::at_most(text, 500).to_string();
        Self {
            name: heartbeat.worker.clone(),
            version: text(&heartbeat.version),
            workers: heartbeat.workers,
            running: heartbeat.running,
            done: heartbeat.done,
            serves: heartbeat.serves.len(),
            refuses: heartbeat
                .refuses
                .iter()
                .map(|refuses| text(&format!("{}: {}", refuses.rule, refuses.reason)))
                .collect(),
            unpublished: heartbeat.unpublished.as_deref().map(text),
            origin: text(&heartbeat.origin),
            permitted,
            seen_ms: u64::try_from(seen.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

/// Hosts by name.
#[derive(Default)]
pub(super) struct Hosts(BTreeMap<HostName, Seen>);

struct Seen {
    heartbeat: Heartbeat,
    is_permitted: bool,
    last: Instant,
}

impl Hosts {
    pub fn seen(&mut self, heartbeat: Heartbeat, origins: &Origins) {
        let is_permitted = !origins.select(std::slice::from_ref(&heartbeat.origin)).is_empty();
        let name = heartbeat.worker.clone();
        let before = self.0.get(&name);
        if before.is_none() {
            if self.0.len() >= HOSTS_MAX {
                return;
            }
            let (version, workers) = (UntrustedVersion::of(&heartbeat), heartbeat.workers);
            tracing::info!(host = %name, version = %version.0, workers, "worker host came");
            if !is_permitted {
                tracing::error!(host = %name, hint = "name its origin or its network by --host-origin",
                    "a worker host's origin is not permitted, its results cannot be fetched");
            }
        }
        if before.is_none_or(|before| before.heartbeat.refuses != heartbeat.refuses) {
            for refuses in &heartbeat.refuses {
                let rule = UntrustedText::at_most(&refuses.rule, 100);
                let reason = UntrustedText::at_most(&refuses.reason, REFUSAL_BYTES_MAX);
                tracing::warn!(host = %name, %rule, %reason, "worker host does not serve a rule");
            }
        }
        if let Some(reason) = &heartbeat.unpublished
            && before.is_none_or(|before| before.heartbeat.unpublished.is_none())
        {
            let reason = UntrustedText::at_most(reason, REFUSAL_BYTES_MAX);
            tracing::warn!(host = %name, %reason, "results of a worker host are not published");
        }
        self.0.insert(name, Seen { heartbeat, is_permitted, last: Instant::now() });
    }

    /// Forgets hosts that gave no sign for too long.
    pub fn forget(&mut self) {
        self.0.retain(|name, seen| {
            let is_there = seen.last.elapsed() < HOST_GONE;
            if !is_there {
                tracing::warn!(host = %name, "worker host gone");
            }
            is_there
        });
    }

    pub fn serving(&self, rule: &B256) -> usize {
        self.0.values().filter(|seen| seen.heartbeat.serves.contains(rule)).count()
    }

    pub fn views(&self) -> Vec<HostView> {
        self.0.values().map(|seen| HostView::of(&seen.heartbeat, seen.is_permitted, seen.last.elapsed())).collect()
    }
}

struct UntrustedVersion(UntrustedText);

impl UntrustedVersion {
    fn of(heartbeat: &Heartbeat) -> Self {
        Self(UntrustedText::at_most(&heartbeat.version, 64))
    }
}
