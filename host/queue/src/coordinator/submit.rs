//! One task, from its first publication to a result whose artifacts are here.

use std::time::Duration;

use async_nats::jetstream::{
    Context,
    message::PublishMessage,
    stream::{RawMessageErrorKind, Stream},
};
use refiner_diagnostics::ErrorChain;
use refiner_text::UntrustedText;
use tokio::{
    sync::mpsc::{self, UnboundedReceiver},
    time::{Instant, sleep, timeout},
};

use super::{Arrived, Coordinator, Finished, Link, Pending, Shared, Verdict, arrivals::shown, lock};
use crate::{
    limits::{AGAIN, REASON_BYTES_MAX, UNUSABLE_RESULTS_MAX},
    message::{Blame, Message as _, MessageError, Outcome, Task, TaskId, TaskResult},
    names::HostName,
};

/// Reasons for which a task has no verdict.
#[derive(Debug, thiserror::Error)]
pub enum TaskFailure {
    /// A host has none.
    #[error("worker host {worker}: {text}")]
    Host {
        /// Name of the host.
        worker: HostName,
        /// The part that is to blame.
        blame: Blame,
        /// The reason that the host gives.
        text: UntrustedText,
    },
    /// It may be what ended the hosts that had it.
    #[error(
        "{deliveries} worker hosts were given the specimen and none came to an end with it; not run again (the last is {worker})"
    )]
    Poisoned {
        /// The host that gave it up.
        worker: HostName,
        /// Deliveries of the task.
        deliveries: u32,
    },
    /// Two hosts came to different verdicts.
    #[error("worker hosts disagree: {one}: {first}; {other}: {second}")]
    Disagreement {
        /// The host whose result came first.
        one: HostName,
        /// Its verdict.
        first: UntrustedText,
        /// Name of the other host.
        other: HostName,
        /// Its verdict.
        second: UntrustedText,
    },
    /// No result could be used.
    #[error("{results} results in a row could not be used, the last from worker host {worker}: {reason}")]
    Unusable {
        /// Number of results.
        results: u32,
        /// The host of the last.
        worker: HostName,
        /// The fault of the last.
        reason: UntrustedText,
    },
    /// A task that cannot be written down: a bug of ours.
    #[error("the task cannot be published: {reason}")]
    Task {
        /// The bound that it breaks.
        reason: UntrustedText,
    },
}

impl TaskFailure {
    /// The part that is to blame.
    #[must_use]
    pub const fn blame(&self) -> Blame {
        match self {
            Self::Host { blame, .. } => *blame,
            Self::Unusable { .. } => Blame::Infrastructure,
            Self::Poisoned { .. } | Self::Disagreement { .. } | Self::Task { .. } => Blame::Final,
        }
    }
}

impl From<MessageError> for TaskFailure {
    fn from(error: MessageError) -> Self {
        Self::Task { reason: UntrustedText::new(&ErrorChain(&error).to_string()) }
    }
}

/// The next step of a task after a result.
enum Next {
    Done(Box<Finished>),
    /// A second host is to look.
    Recheck(Box<(TaskResult, Finished)>),
    /// The result is of no use.
    Again(HostName, UntrustedText),
}

/// Takes the task out of the map when its future ends, or is dropped.
struct Registered<'a>(&'a Shared, TaskId);

impl Drop for Registered<'_> {
    fn drop(&mut self) {
        lock(&self.0.pending).remove(&self.1);
    }
}

impl Coordinator {
    /// Has a host run the task, and gives its verdict with every artifact. Its results are acknowledged by [`Coordinator::settle`], once the
    /// outcome is in the journal. `failures` are those of the item before, so that a further try is no duplicate. Dropping the future gives up.
    ///
    /// # Errors
    ///
    /// [`TaskFailure`]
    pub async fn submit(&self, mut task: Task, failures: u32) -> Result<Finished, TaskFailure> {
        let shared = &*self.0;
        let (results, mut arrivals) = mpsc::unbounded_channel();
        let id = task.id();
        lock(&shared.pending).insert(id, Pending { results: results.clone(), rule: task.rule, since: Instant::now() });
        let _registered = Registered(shared, id);
        let early = lock(&shared.early).take(id);
        task.from.clone_from(&shared.settings.from);
        let sweep = shared.sweep(&task);
        let (mut number, mut unusable, mut first) = (0_u32, 0, None);
        if let Some(early) = early {
            // The receiver is here.
            let _ = results.send(early);
        }
        loop {
            let arrived = match arrivals.try_recv() {
                Ok(arrived) => arrived,
                Err(_) => shared.published(&task, &mut arrivals, sweep, &mut number, failures).await?,
            };
            match shared.judge(arrived, first.take(), task.report).await? {
                Next::Done(finished) => return Ok(*finished),
                Next::Recheck(result) => {
                    task.not = Some(result.0.worker.clone());
                    first = Some(*result);
                }
                Next::Again(worker, reason) => {
                    unusable += 1;
                    shared.count(|counters| &counters.unusable);
                    tracing::warn!(task = %id, %worker, %reason, unusable, "result cannot be used, the task is published again");
                    if unusable >= UNUSABLE_RESULTS_MAX {
                        return Err(TaskFailure::Unusable { results: unusable, worker, reason });
                    }
                    sleep(AGAIN * unusable).await;
                    shared.count(|counters| &counters.republished);
                }
            }
            number += 1;
        }
    }
}

impl Shared {
    /// Time after which a task without a result is looked for.
    fn sweep(&self, task: &Task) -> Duration {
        let usual = (Duration::from_millis(task.wall_ms) + self.settings.ack_wait) * 2;
        self.settings.sweep.unwrap_or(usual)
    }

    /// Publishes the task until a result comes: again when it is neither in the stream nor answered, because servers lost it.
    async fn published(
        &self,
        task: &Task,
        arrivals: &mut UnboundedReceiver<Arrived>,
        sweep: Duration,
        number: &mut u32,
        failures: u32,
    ) -> Result<Arrived, TaskFailure> {
        let mut task = task.clone();
        loop {
            task.attempt = format!("{}{failures}.{number}", self.run.get().map_or("", String::as_str));
            let bytes = task.write()?;
            let message_id = format!("{}.{}", task.id(), task.attempt);
            // A result may come before the answer to the publication.
            let (sequence, stream, mut generation) = tokio::select! {
                published = self.publish(&task, &message_id, &bytes) => published,
                Some(arrived) = arrivals.recv() => return Ok(arrived),
            };
            let mut link = self.link.subscribe();
            loop {
                let made_anew =
                    link.wait_for(|link| matches!(link, Link::Ready { generation: now, .. } if *now != generation));
                tokio::select! {
                    Some(arrived) = arrivals.recv() => return Ok(arrived),
                    _ = timeout(sweep, made_anew) => {}
                }
                if !is_queued(&stream, sequence, &task).await {
                    break;
                }
                // Streams may have been made anew without this task's.
                if let Link::Ready { generation: now, .. } = &*self.link.borrow() {
                    generation = *now;
                }
            }
            self.count(|counters| &counters.republished);
            tracing::info!(task = %task.id(), attempt = task.attempt, "task without a result is published again");
            *number += 1;
        }
    }

    /// The stream's number for the task, once NATS has it.
    async fn publish(&self, task: &Task, message_id: &str, bytes: &[u8]) -> (u64, Stream, u64) {
        loop {
            let (context, declared, generation) = self.streams().await;
            match self.publish_once(&context, task, message_id, bytes).await {
                Ok(sequence) => return (sequence, declared.tasks, generation),
                Err(error) => {
                    tracing::debug!(error = %ErrorChain(&error), task = %task.id(), "task not published, tried again");
                    sleep(AGAIN).await;
                }
            }
        }
    }

    async fn publish_once(
        &self,
        context: &Context,
        task: &Task,
        message_id: &str,
        bytes: &[u8],
    ) -> Result<u64, async_nats::jetstream::context::PublishError> {
        let message = PublishMessage::build().payload(bytes.to_vec().into()).message_id(message_id);
        let acknowledged = context.send_publish(self.settings.queue.tasks_of(&task.rule), message).await?.await?;
        Ok(acknowledged.sequence)
    }

    /// Looks at a result, fetches its artifacts, and has it acknowledged when the outcome is in the journal.
    async fn judge(
        &self,
        arrived: Arrived,
        first: Option<(TaskResult, Finished)>,
        with_report: bool,
    ) -> Result<Next, TaskFailure> {
        let Arrived { result, acker } = arrived;
        let worker = result.worker.clone();
        let keep = |acker| lock(&self.unacknowledged).entry(result.task).or_default().push(acker);
        let verdict = match &result.outcome {
            Outcome::Produced { artifacts, basis, basis_reason } => match self.fetch(&result, artifacts).await {
                Ok(artifacts) => Verdict::Produced {
                    artifacts,
                    basis: basis.clone(),
                    basis_reason: basis_reason.as_deref().map(UntrustedText::new),
                },
                Err(error) => {
                    // The task is published again, so nothing waits for this one.
                    let _ = acker.ack().await;
                    return Ok(Next::Again(worker, UntrustedText::new(&ErrorChain(&error).to_string())));
                }
            },
            Outcome::Refused { reason, class } => {
                Verdict::Refused { reason: UntrustedText::at_most(reason, REASON_BYTES_MAX), class: class.clone() }
            }
            Outcome::Failed { blame, text } => {
                keep(acker);
                return Err(TaskFailure::Host { worker, blame: *blame, text: UntrustedText::new(text) });
            }
            Outcome::Poisoned => {
                keep(acker);
                return Err(TaskFailure::Poisoned { worker, deliveries: result.delivered });
            }
        };
        let report = match self.report(&result, with_report) {
            Ok(report) => report,
            Err(error) => {
                let _ = acker.ack().await;
                return Ok(Next::Again(worker, UntrustedText::new(&ErrorChain(&error).to_string())));
            }
        };
        keep(acker);
        let finished = Finished {
            verdict,
            worker: worker.clone(),
            elapsed: Duration::from_millis(result.elapsed_ms),
            spans: result.spans.clone(),
            report,
        };
        match first {
            // The same host twice is one opinion: a result of an earlier attempt that came late.
            Some((one, before)) if one.worker == worker => Ok(Next::Recheck(Box::new((one, before)))),
            Some((one, _)) if !self.compare(&one, &result) => Err(TaskFailure::Disagreement {
                first: shown(&one),
                one: one.worker,
                second: shown(&result),
                other: worker,
            }),
            None if self.is_rechecked(result.task) => Ok(Next::Recheck(Box::new((result, finished)))),
            Some(_) | None => {
                lock(&self.memory).remember(result);
                Ok(Next::Done(Box::new(finished)))
            }
        }
    }

    fn is_rechecked(&self, task: TaskId) -> bool {
        self.settings.recheck.is_some_and(|(share, of)| task.number() % of.max(1) < share)
    }
}

/// True while the stream has the task; an answer that says neither counts as yes.
async fn is_queued(stream: &Stream, sequence: u64, task: &Task) -> bool {
    match stream.get_raw_message(sequence).await {
        Ok(message) => Task::read(&message.payload).is_ok_and(|found| found.id() == task.id()),
        Err(error) => error.kind() != RawMessageErrorKind::NoMessageFound,
    }
}
