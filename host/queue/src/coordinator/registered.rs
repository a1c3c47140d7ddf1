//! The submissions that wait for a task.

use tokio::{sync::mpsc::UnboundedSender, time::Instant};

use super::{Arrived, Pending, Shared, lock};
use crate::message::{Task, TaskId};

/// A future's place among those that wait for a task. It is given up when the future ends, or is dropped.
pub(super) struct Registered<'a> {
    shared: &'a Shared,
    task: TaskId,
    results: UnboundedSender<Arrived>,
}

impl<'a> Registered<'a> {
    /// A place from now on.
    pub fn new(shared: &'a Shared, task: &Task, results: UnboundedSender<Arrived>) -> Self {
        let (id, rule) = (task.id(), task.rule);
        let mut pending = lock(&shared.pending);
        let pending = pending.entry(id);
        let pending = pending.or_insert_with(|| Pending { waiting: Vec::new(), rule, since: Instant::now() });
        pending.waiting.push(results.clone());
        Self { shared, task: id, results }
    }
}

impl Drop for Registered<'_> {
    fn drop(&mut self) {
        let mut pending = lock(&self.shared.pending);
        let Some(task) = pending.get_mut(&self.task) else { return };
        task.waiting.retain(|results| !results.same_channel(&self.results));
        if task.waiting.is_empty() {
            pending.remove(&self.task);
        }
    }
}
