//! The queue for people and monitors.

use std::sync::atomic::Ordering;

use serde::Serialize;

use super::{Coordinator, HostView, lock};

/// Tasks of one rule that wait for a result.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Waiting {
    /// Name of the rule.
    pub rule: String,
    /// Number of tasks.
    pub tasks: u64,
    /// Milliseconds for which the oldest waits.
    pub oldest_ms: u64,
    /// Hosts that serve the rule.
    pub hosts: usize,
}

/// The queue as it is now.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// Its id, as in the names of its streams.
    pub id: String,
    /// True while NATS answers.
    pub connected: bool,
    /// Tasks in NATS at the last look.
    pub tasks: u64,
    /// Tasks that wait for a result, by rule.
    pub waiting: Vec<Waiting>,
    /// Number of results that came.
    pub results: u64,
    /// Results of tasks that were delivered more than once.
    pub redeliveries: u64,
    /// Tasks that were published again because no result came, or none that could be used.
    pub republished: u64,
    /// Results whose artifacts could not be fetched, or were not what was stated.
    pub unusable: u64,
    /// Messages that are none of ours.
    pub refused_messages: u64,
    /// Pairs of results that differ.
    pub disagreements: u64,
    /// The hosts there are.
    pub hosts: Vec<HostView>,
}

impl Snapshot {
    /// The thing that its tasks wait for on the side of hosts, in words.
    #[must_use]
    pub fn waits_for(&self) -> Option<String> {
        self.unserved().or_else(|| self.unpublished())
    }

    /// A host whose results NATS refuses.
    fn unpublished(&self) -> Option<String> {
        let mut refused = self.hosts.iter().filter_map(|host| Some((&host.name, host.unpublished.as_ref()?)));
        refused.next().map(|(name, reason)| format!("results of worker host {name} are not published: {reason}"))
    }

    /// Tasks that no host is there for.
    fn unserved(&self) -> Option<String> {
        let waiting = self.waiting.iter().find(|waiting| waiting.hosts == 0)?;
        let Waiting { rule, tasks, oldest_ms, .. } = waiting;
        Some(format!("no worker host for rule {rule}: {tasks} items, the oldest for {} s", oldest_ms / 1_000))
    }
}

impl Coordinator {
    /// The queue as it is now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let shared = &self.0;
        let counters = &shared.counters;
        let hosts = lock(&shared.hosts);
        let waiting = shared.waiting().into_iter().map(|(rule, (tasks, since))| Waiting {
            rule: shared.rule(&rule).map(|(rule, _)| rule.name.clone()).unwrap_or_default(),
            tasks,
            oldest_ms: u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX),
            hosts: hosts.serving(&rule),
        });
        Snapshot {
            id: shared.settings.queue.to_string(),
            connected: *shared.is_connected.borrow(),
            tasks: counters.depth.load(Ordering::Relaxed),
            waiting: waiting.collect(),
            results: counters.results.load(Ordering::Relaxed),
            redeliveries: counters.redeliveries.load(Ordering::Relaxed),
            republished: counters.republished.load(Ordering::Relaxed),
            unusable: counters.unusable.load(Ordering::Relaxed),
            refused_messages: counters.refused_messages.load(Ordering::Relaxed),
            disagreements: counters.disagreements.load(Ordering::Relaxed),
            hosts: hosts.views(),
        }
    }
}
