//! One task at a time: pulled, run, its result published, and only then acknowledged.

use std::{
    collections::HashMap,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use alloy_primitives::B256;
use async_nats::jetstream::{
    AckKind,
    message::{Acker, Message},
};
use futures_util::StreamExt as _;
use refiner_diagnostics::ErrorChain;
use refiner_text::UntrustedText;
use tokio::{
    task::AbortHandle,
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{Host, publish, run, served::Served};
use crate::{
    limits::{
        ACK_WAIT, AGAIN, MISMATCH_AFTER, PASS_ON_AFTER, POISON_DELIVERIES, PROGRESS_PER_ACK_WAIT, RECHECK_DELIVERIES,
        REQUEST,
    },
    message::{Message as _, Outcome, Task},
};

/// Time of one question for a task, where one rule is served.
const PULL: Duration = Duration::from_secs(2);
/// The first question for a task of one rule where several are served and none has a task, and the longest.
const WAIT_FIRST: Duration = Duration::from_millis(250);
const WAIT_MAX: Duration = Duration::from_secs(1);
/// Time for which a rule that had no task is not asked for one while others have some.
const EMPTY_FOR: Duration = Duration::from_millis(250);
/// Time for the answer of a server, beside that of the question.
const PULL_MARGIN: Duration = Duration::from_secs(3);
/// Tries to acknowledge a task whose result was published.
const ACKNOWLEDGEMENTS: u32 = 3;

/// Works until `stop`, and then to the end of the task in hand.
pub(super) async fn work(host: Arc<Host>, stop: CancellationToken) {
    let (mut serving, mut turns) = (host.serving.subscribe(), Turns::default());
    while !stop.is_cancelled() {
        let rules = Arc::clone(&serving.borrow_and_update());
        if rules.rules.is_empty() {
            tokio::select! {
                _ = serving.changed() => {}
                () = stop.cancelled() => {}
            }
            continue;
        }
        if let Some((rule, message)) = turns.next(&rules.rules).await {
            host.running.fetch_add(1, Ordering::Relaxed);
            handle(&host, rule, message).await;
            host.running.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// The rules' turns in a slot.
struct Turns {
    turn: usize,
    /// Rules that had no task a moment ago: they do not hold up the others.
    empty: HashMap<B256, Instant>,
    wait: Duration,
}

impl Default for Turns {
    fn default() -> Self {
        Self { turn: 0, empty: HashMap::new(), wait: WAIT_FIRST }
    }
}

impl Turns {
    /// The next task, of each rule in turn. Where none has one, waits for a while, the longer the longer there is none.
    async fn next<'r>(&mut self, rules: &'r [Arc<Served>]) -> Option<(&'r Arc<Served>, Message)> {
        if let [only] = rules {
            return Some((only, pull(only, Some(PULL)).await?));
        }
        for _ in rules {
            let rule = self.turn(rules)?;
            let identity = rule.record.identity;
            if self.empty.get(&identity).is_some_and(|since| since.elapsed() < EMPTY_FOR) {
                continue;
            }
            if let Some(message) = pull(rule, None).await {
                self.wait = WAIT_FIRST;
                return Some((rule, message));
            }
            self.empty.insert(identity, Instant::now());
        }
        let rule = self.turn(rules)?;
        let message = pull(rule, Some(self.wait)).await;
        self.empty.clear();
        self.wait = if message.is_some() { WAIT_FIRST } else { (self.wait * 2).min(WAIT_MAX) };
        Some((rule, message?))
    }

    fn turn<'r>(&mut self, rules: &'r [Arc<Served>]) -> Option<&'r Arc<Served>> {
        let rule = rules.get(self.turn % rules.len().max(1));
        self.turn = self.turn.wrapping_add(1);
        rule
    }
}

/// The next task of a rule, where one comes in time, or is there.
async fn pull(rule: &Served, wait: Option<Duration>) -> Option<Message> {
    let batch = match wait {
        Some(wait) => rule.tasks.batch().max_messages(1).expires(wait).messages().await,
        None => rule.tasks.fetch().max_messages(1).messages().await,
    };
    let mut batch = match batch {
        Ok(batch) => batch,
        Err(error) => {
            tracing::debug!(%error, "tasks are asked for again");
            sleep(AGAIN).await;
            return None;
        }
    };
    // A server that ends in the middle of an answer sends no end of it.
    match timeout(wait.unwrap_or_default() + PULL_MARGIN, batch.next()).await.ok()?? {
        Ok(message) => Some(message),
        Err(error) => {
            tracing::debug!(%error, "tasks are asked for again");
            sleep(AGAIN).await;
            None
        }
    }
}

async fn handle(host: &Arc<Host>, rule: &Arc<Served>, message: Message) {
    let delivered = message.info().map_or(1, |info| u32::try_from(info.delivered).unwrap_or(u32::MAX));
    let (message, acker) = message.split();
    let acker = Arc::new(acker);
    let task = match Task::read(&message.payload) {
        Ok(task) => task,
        Err(error) => {
            tracing::error!(error = %ErrorChain(&error), "task refused, it is none of ours");
            end(&acker, AckKind::Term).await;
            return;
        }
    };
    if task.rule != rule.record.identity {
        let (asked, served) = (task.rule, rule.record.identity);
        tracing::warn!(task = %task.id(), %asked, %served, "task of another rule or build, passed on");
        end(&acker, AckKind::Nak(Some(MISMATCH_AFTER))).await;
        return;
    }
    if task.not.as_ref() == Some(&host.settings.name) {
        tracing::debug!(task = %task.id(), "second opinion wanted, passed on");
        end(&acker, AckKind::Nak(Some(PASS_ON_AFTER))).await;
        return;
    }
    let most = if task.not.is_some() { RECHECK_DELIVERIES } else { POISON_DELIVERIES };
    if delivered > most {
        tracing::error!(task = %task.id(), height = task.height, delivered, "task delivered too often, not run again");
        publish::result(host, &task, delivered, run::Ended::of(Outcome::Poisoned)).await;
        end(&acker, AckKind::Term).await;
        return;
    }
    let ack_wait = rule.tasks.cached_info().config.ack_wait;
    let progress = Progress::of(&acker, if ack_wait.is_zero() { ACK_WAIT } else { ack_wait });
    let ended = run::run(host, rule, &task).await;
    log(&task, delivered, &ended);
    // Acknowledged only when NATS has the result: whatever ends this host before, the task goes to another.
    publish::result(host, &task, delivered, ended).await;
    host.done.fetch_add(1, Ordering::Relaxed);
    drop(progress);
    acknowledge(&acker).await;
}

fn log(task: &Task, delivered: u32, ended: &run::Ended) {
    let (id, height, elapsed_ms) = (task.id(), task.height, ended.elapsed.as_millis());
    match &ended.outcome {
        Outcome::Failed { blame, text } => {
            let reason = UntrustedText::new(text);
            tracing::warn!(task = %id, height, delivered, ?blame, %reason, "task failed");
        }
        Outcome::Refused { reason, .. } => {
            let reason = UntrustedText::new(reason);
            tracing::info!(task = %id, height, delivered, %reason, "task refused by the rule");
        }
        Outcome::Produced { artifacts, .. } => {
            tracing::info!(task = %id, height, delivered, artifacts = artifacts.len(), elapsed_ms, "task completed");
        }
        Outcome::Poisoned => {}
    }
}

/// Acknowledged by NATS in turn: a lost acknowledgement would have the task run again.
async fn acknowledge(acker: &Acker) {
    for _ in 0..ACKNOWLEDGEMENTS {
        match timeout(REQUEST, acker.double_ack()).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => tracing::debug!(%error, "task not acknowledged, tried again"),
            Err(_) => tracing::debug!("task not acknowledged in time, tried again"),
        }
        sleep(AGAIN).await;
    }
}

async fn end(acker: &Acker, kind: AckKind) {
    if let Err(error) = acker.ack_with(kind).await {
        tracing::debug!(%error, "task not passed on, it is when its time is over");
    }
}

/// Tells NATS that the task is in hand, until it is dropped.
struct Progress(AbortHandle);

impl Progress {
    fn of(acker: &Arc<Acker>, ack_wait: Duration) -> Self {
        let acker = Arc::clone(acker);
        let beat = tokio::spawn(async move {
            loop {
                sleep(ack_wait / PROGRESS_PER_ACK_WAIT).await;
                let _ = acker.ack_with(AckKind::Progress).await;
            }
        });
        Self(beat.abort_handle())
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.abort();
    }
}
