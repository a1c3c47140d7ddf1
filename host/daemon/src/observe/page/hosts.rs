//! Worker hosts and their queue.

use refiner_queue::{HostView, Snapshot};
use refiner_status_page::{Host, Hosts};

/// Hosts of the page; `/status` has all.
const HOSTS_SHOWN: usize = 50;

pub fn hosts(queue: &Snapshot) -> Hosts {
    Hosts {
        queue: queue.id.clone(),
        connected: queue.connected,
        tasks: queue.tasks,
        waiting: queue.waiting.iter().map(|rule| rule.tasks).sum(),
        oldest_ms: queue.waiting.iter().map(|rule| rule.oldest_ms).max().unwrap_or_default(),
        redeliveries: queue.redeliveries,
        republished: queue.republished,
        unusable: queue.unusable,
        refused_messages: queue.refused_messages,
        disagreements: queue.disagreements,
        total: queue.hosts.len() as u64,
        first: queue.hosts.iter().take(HOSTS_SHOWN).map(host).collect(),
    }
}

fn host(view: &HostView) -> Host {
    let not_permitted = || format!("results are not fetched from {}: name it by --host-origin", view.origin);
    let mut faults: Vec<_> = view.refuses.iter().map(|refuses| format!("does not serve {refuses}")).collect();
    faults.extend(view.unpublished.iter().map(|reason| format!("results are not published: {reason}")));
    faults.extend((!view.permitted).then(not_permitted));
    Host {
        name: view.name.to_string(),
        version: view.version.clone(),
        workers: view.workers.into(),
        running: view.running.into(),
        done: view.done,
        seen_ms: view.seen_ms,
        faults,
    }
}
