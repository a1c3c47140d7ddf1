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
    time::{sleep, timeout},
};

use super::{
    Arrived, Coordinator, Finished, Link, Shared, Verdict, arrivals::shown, lock, passed_on::PassedOn,
    registered::Registered,
};
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
    Recheck,
    /// A second host is still to look: the task came to the first one, at this delivery.
    PassedOn(HostName, u32),
    /// The result is of no use.
    Again(HostName, UntrustedText),
}

impl Coordinator {
    /// Has a host run the task, and gives its verdict with every artifact. Its results are acknowledged by [`Coordinator::settle`], once the
    /// outcome is in the journal. `failures` are those of the item before, so that a further try is no duplicate. Dropping the future gives up.
    /// The same task may be submitted again, also while it is under way.
    ///
    /// # Errors
    ///
    /// [`TaskFailure`]
    pub async fn submit(&self, mut task: Task, failures: u32) -> Result<Finished, TaskFailure> {
        let shared = &*self.0;
        let (results, mut arrivals) = mpsc::unbounded_channel();
        let id = task.id();
        let _registered = Registered::new(shared, &task, results.clone());
        let early = lock(&shared.early).take(id);
        task.from.clone_from(&shared.settings.from);
        let sweep = shared.sweep(&task);
        let (mut unusable, mut first, mut passed_on) = (0, None, PassedOn::default());
        let mut number = lock(&shared.memory).publications(id);
        if let Some(early) = early {
            // The receiver is here.
            let _ = results.send(early);
        }
        loop {
            let arrived = match arrivals.try_recv() {
                // Of an earlier publication, and the next one is due.
                Ok(arrived) if is_overtaken(&arrived, &task) => {
                    shared.pass_over(arrived).await;
                    continue;
                }
                Ok(arrived) => arrived,
                Err(_) => shared.published(&task, &mut arrivals, sweep, &mut number, failures).await?,
            };
            match shared.judge(arrived, &mut first, task.report, number + 1).await? {
                Next::Done(finished) => return Ok(*finished),
                Next::Recheck => task.not = first.as_ref().map(|(one, _)| one.worker.clone()),
                Next::PassedOn(worker, delivered) => {
                    let pause = passed_on.by(delivered);
                    let pause = pause.map_err(|deliveries| TaskFailure::Poisoned { worker, deliveries })?;
                    sleep(pause).await;
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
            task.attempt = self.attempt(&task, failures, *number);
            let bytes = task.write()?;
            let message_id = format!("{}.{}", task.id(), task.attempt);
            // A result may come before the answer to the publication.
            let (sequence, stream, mut generation) = tokio::select! {
                published = self.publish(&task, &message_id, &bytes) => published,
                Some(arrived) = self.next(arrivals, &task) => return Ok(arrived),
            };
            let mut link = self.link.subscribe();
            loop {
                let made_anew =
                    link.wait_for(|link| matches!(link, Link::Ready { generation: now, .. } if *now != generation));
                tokio::select! {
                    Some(arrived) = self.next(arrivals, &task) => return Ok(arrived),
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

    /// The name of a publication. That of an earlier coordinator is used again where its publication counts as well, and NATS drops the second
    /// of both. Not so for second opinions: NATS would drop each of the many that an earlier coordinator published until a host took one.
    fn attempt(&self, task: &Task, failures: u32, number: u32) -> String {
        let is_of_this_run = self.settings.starts_anew || task.not.is_some();
        match self.holder.get().filter(|_| is_of_this_run) {
            Some(holder) => format!("{holder}.{failures}.{number}"),
            None => format!("{failures}.{number}"),
        }
    }

    /// The stream's number for the task, once NATS has it.
    async fn publish(&self, task: &Task, message_id: &str, bytes: &[u8]) -> (u64, Stream, u64) {
        loop {
            let (context, declared, generation) = self.streams().await;
            match self.publish_once(&context, task, message_id, bytes).await {
                Ok(sequence) => {
                    self.publications.succeeded();
                    return (sequence, declared.tasks, generation);
                }
                Err(error) => {
                    self.publications.failed(&error, *self.is_connected.borrow());
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

    /// The next result that counts while this publication is under way.
    async fn next(&self, arrivals: &mut UnboundedReceiver<Arrived>, task: &Task) -> Option<Arrived> {
        loop {
            let arrived = arrivals.recv().await?;
            if arrived.result.attempt == task.attempt || !is_overtaken(&arrived, task) {
                return Some(arrived);
            }
            self.pass_over(arrived).await;
        }
    }

    /// Leaves a result out. A verdict stays unacknowledged until its task is settled: it may be what the outcome rests on, delivered again.
    async fn pass_over(&self, Arrived { result, acker }: Arrived) {
        if result.is_passed_on() {
            let _ = acker.ack().await;
        } else {
            lock(&self.unacknowledged).entry(result.task).or_default().push(acker);
        }
    }

    /// Looks at a result, fetches its artifacts, and has it acknowledged when the outcome is in the journal.
    async fn judge(
        &self,
        arrived: Arrived,
        first: &mut Option<(TaskResult, Finished)>,
        with_report: bool,
        publications: u32,
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
            Outcome::PassedOn => {
                // The task is published again, so nothing waits for this one.
                let _ = acker.ack().await;
                return Ok(match first {
                    Some((one, _)) if one.worker == worker => Next::PassedOn(worker, result.delivered),
                    _ => Next::Again(worker, UntrustedText::new("the host may run the task, and passed it on")),
                });
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
        match first.take() {
            // The same host twice is one opinion, and a host that repeats its own is not asked without end.
            Some((one, before)) if one.worker == worker => {
                *first = Some((one, before));
                Ok(Next::Again(worker, UntrustedText::new("a second opinion is wanted, and the host gave the first")))
            }
            Some((one, _)) if !self.compare(&one, &result) => Err(TaskFailure::Disagreement {
                first: shown(&one),
                one: one.worker,
                second: shown(&result),
                other: worker,
            }),
            None if self.is_rechecked(result.task) => {
                *first = Some((result, finished));
                Ok(Next::Recheck)
            }
            Some(_) | None => {
                lock(&self.memory).remember(result, publications);
                Ok(Next::Done(Box::new(finished)))
            }
        }
    }

    fn is_rechecked(&self, task: TaskId) -> bool {
        self.settings.recheck.is_some_and(|(share, of)| task.number() % of.max(1) < share)
    }
}

/// True for a result of an earlier publication that is of no interest any more: it was passed on, or the host of the first opinion repeats it
/// where a second is wanted.
fn is_overtaken(Arrived { result, .. }: &Arrived, task: &Task) -> bool {
    result.is_passed_on() || task.not.as_ref() == Some(&result.worker)
}

/// True while the stream has the task; an answer that says neither counts as yes.
async fn is_queued(stream: &Stream, sequence: u64, task: &Task) -> bool {
    match stream.get_raw_message(sequence).await {
        Ok(message) => Task::read(&message.payload).is_ok_and(|found| found.id() == task.id()),
        Err(error) => error.kind() != RawMessageErrorKind::NoMessageFound,
    }
}
