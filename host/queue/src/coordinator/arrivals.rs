//! Results on their way in: to the task that waits, or compared with what is known already.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use async_nats::jetstream::Message;
use refiner_diagnostics::ErrorChain;
use refiner_text::UntrustedText;

use super::{Arrived, Known, Shared, lock};
use crate::{
    limits::{EARLY_MAX, REMEMBERED},
    message::{Outcome, TaskId, TaskResult},
};

/// The results of tasks that ended lately.
#[derive(Default)]
pub(super) struct Memory {
    results: HashMap<TaskId, Remembered>,
    oldest_first: VecDeque<TaskId>,
}

struct Remembered {
    result: TaskResult,
    publications: u32,
}

impl Memory {
    /// Remembers the verdict. What else there is of the run may be a hundred times as long, and is compared with nothing.
    pub fn remember(&mut self, result: TaskResult, publications: u32) {
        let task = result.task;
        let result = TaskResult { spans: Vec::new(), report: None, ..result };
        if self.results.insert(task, Remembered { result, publications }).is_none() {
            self.oldest_first.push_back(task);
        }
        while self.results.len() > REMEMBERED {
            if let Some(oldest) = self.oldest_first.pop_front() {
                self.results.remove(&oldest);
            }
        }
    }

    /// Publications of a task that ended lately. NATS drops what comes again under the name of one.
    pub fn publications(&self, task: TaskId) -> u32 {
        self.results.get(&task).map_or(0, |remembered| remembered.publications)
    }
}

/// Results that came before their tasks were waited for.
#[derive(Default)]
pub(super) struct Early {
    results: HashMap<TaskId, Arrived>,
    oldest_first: VecDeque<TaskId>,
}

impl Early {
    /// The result of a task, where one came early.
    pub fn take(&mut self, task: TaskId) -> Option<Arrived> {
        self.results.remove(&task)
    }

    /// Keeps a result, and gives back one that there is no room for.
    fn keep(&mut self, arrived: Arrived) -> Option<Arrived> {
        let task = arrived.result.task;
        if self.results.insert(task, arrived).is_none() {
            self.oldest_first.push_back(task);
        }
        while self.results.len() > EARLY_MAX || self.oldest_first.len() > 2 * EARLY_MAX {
            // A task that was taken has left its name.
            let given_up = self.results.remove(&self.oldest_first.pop_front()?);
            if given_up.is_some() {
                return given_up;
            }
        }
        None
    }
}

impl Shared {
    /// A message of the stream of results.
    pub(super) async fn arrived(&self, message: Message) {
        let (message, acker) = message.split();
        let result = match TaskResult::read_from(&message.subject, &message.payload) {
            Ok(result) => result,
            Err(error) => {
                self.count(|counters| &counters.refused_messages);
                let subject = UntrustedText::new(&message.subject);
                tracing::error!(%subject, error = %ErrorChain(&error), "result refused");
                // Delivered again it would be the same.
                let _ = acker.ack().await;
                return;
            }
        };
        if !result.is_passed_on() {
            self.count(|counters| &counters.results);
        }
        if result.delivered > 1 {
            self.count(|counters| &counters.redeliveries);
            tracing::info!(task = %result.task, worker = %result.worker, delivered = result.delivered, "task was delivered again");
        }
        let arrived = Arrived { result, acker: Arc::new(acker) };
        if !self.is_claimed(&arrived) {
            self.unclaimed(arrived).await;
        }
    }

    /// Hands a result to everyone who waits for it.
    fn is_claimed(&self, arrived: &Arrived) -> bool {
        let pending = lock(&self.pending);
        let waiting = pending.get(&arrived.result.task).map_or(&[][..], |pending| &pending.waiting);
        // Any of them may end at this moment.
        waiting.iter().filter(|results| results.send(arrived.clone()).is_ok()).count() > 0
    }

    /// A result that no task waits for: too early after a restart, or too late.
    async fn unclaimed(&self, arrived: Arrived) {
        let result = &arrived.result;
        if result.is_passed_on() {
            // Whoever wants the task publishes it.
            let _ = arrived.acker.ack().await;
            return;
        }
        let first = lock(&self.memory).results.get(&result.task).map(|remembered| remembered.result.clone());
        match first {
            Some(first) => {
                self.compare(&first, result);
            }
            None => match self.records.known(result.chain, result.specimen, result.rule) {
                Known::Waiting => {
                    // Its item is claimed in a moment. Until then it stays unacknowledged.
                    let given_up = lock(&self.early).keep(arrived);
                    if let Some(Arrived { result, acker }) = given_up {
                        tracing::debug!(task = %result.task, "result that nothing claimed was given up");
                        let _ = acker.ack().await;
                    }
                    return;
                }
                Known::Done(artifacts) => self.compare_with_journal(&artifacts, result),
                Known::Gone => tracing::debug!(task = %result.task, "result of a task that nothing waits for"),
            },
        }
        let _ = arrived.acker.ack().await;
    }

    /// Two verdicts of one task are the same on every machine.
    pub(super) fn compare(&self, first: &TaskResult, second: &TaskResult) -> bool {
        let agree = !first.is_verdict() || !second.is_verdict() || first.agrees_with(second);
        if !agree {
            self.count(|counters| &counters.disagreements);
            let (one, other) = (shown(first), shown(second));
            tracing::error!(task = %first.task, first = %first.worker, second = %second.worker, %one, %other,
                "hosts disagree about a task");
        }
        agree
    }

    fn compare_with_journal(&self, known: &[(String, alloy_primitives::B256)], result: &TaskResult) {
        let Outcome::Produced { artifacts, .. } = &result.outcome else { return };
        let found = artifacts.iter().map(|artifact| (&artifact.name, &artifact.sha256));
        if !known.is_empty() && !found.eq(known.iter().map(|(name, sha256)| (name, sha256))) {
            self.count(|counters| &counters.disagreements);
            let other = shown(result);
            tracing::error!(task = %result.task, second = %result.worker, %other, "a host disagrees with the journal about a task");
        }
    }
}

/// A result for a line of the log.
pub(super) fn shown(result: &TaskResult) -> UntrustedText {
    match &result.outcome {
        Outcome::Produced { artifacts, .. } => {
            let hashes: Vec<_> =
                artifacts.iter().map(|artifact| format!("{} {:x}", artifact.name, artifact.sha256)).collect();
            UntrustedText::at_most(&format!("produced {}", hashes.join(", ")), 400)
        }
        Outcome::Refused { reason, .. } => UntrustedText::at_most(&format!("refused: {reason}"), 400),
        Outcome::Failed { text, .. } => UntrustedText::at_most(&format!("failed: {text}"), 400),
        Outcome::Poisoned => UntrustedText::new("poisoned"),
        Outcome::PassedOn => UntrustedText::new("passed on"),
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::B256;

    use super::*;
    use crate::message::{SpanTime, VERSION};

    #[test]
    fn verdicts_of_the_last_tasks_are_remembered_without_the_reports_of_their_runs() {
        let result = |number: u64| TaskResult {
            v: VERSION,
            task: TaskId::of(number, B256::ZERO, B256::ZERO),
            attempt: String::new(),
            chain: number,
            specimen: B256::ZERO,
            rule: B256::ZERO,
            worker: "one".parse().unwrap(),
            version: String::new(),
            outcome: Outcome::Refused { reason: number.to_string(), class: None },
            from: Vec::new(),
            delivered: 1,
            elapsed_ms: 1,
            fuel: None,
            memory_bytes: None,
            spans: vec![SpanTime { phase: 0, start_us: 1, duration_us: 2 }],
            report: Some("AAAA".to_owned()),
        };
        let mut memory = Memory::default();
        let count = REMEMBERED as u64 + 2;
        (0..count).for_each(|number| memory.remember(result(number), 3));
        assert_eq!((memory.results.len(), memory.oldest_first.len()), (REMEMBERED, REMEMBERED));
        assert!(!memory.results.contains_key(&result(1).task));
        assert_eq!((memory.publications(result(1).task), memory.publications(result(2).task)), (0, 3));
        let last = &memory.results[&result(count - 1).task].result;
        assert!(last.agrees_with(&result(count - 1)) && !last.agrees_with(&result(2)));
        assert!(last.report.is_none() && last.spans.is_empty());
    }
}
