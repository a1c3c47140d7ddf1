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
use refiner_diagnostics::ErrorChain;
use refiner_text::UntrustedText;
use tokio::{
    task::AbortHandle,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

use super::{
    Host,
    feed::{Acknowledgement, Feed, split},
    publish, run,
    served::{Served, Serving},
};
use crate::{
    limits::{ACK_WAIT, AGAIN, MISMATCH_AFTER, POISON_DELIVERIES, PROGRESS_PER_ACK_WAIT},
    message::{Message as _, Outcome, Task},
};

/// Time of one question for a task, where one rule is served.
const PULL: Duration = Duration::from_secs(2);
/// The first question for a task of one rule where several are served and none has a task, and the longest.
const WAIT_FIRST: Duration = Duration::from_millis(250);
const WAIT_MAX: Duration = Duration::from_secs(1);
/// Time for which a rule that had no task is not asked for one while others have some.
const EMPTY_FOR: Duration = Duration::from_millis(250);

/// Works until `stop`, and then to the end of the task in hand.
pub(super) async fn work(host: Arc<Host>, stop: CancellationToken) {
    let (mut serving, mut turns) = (host.serving.subscribe(), Turns::default());
    while !stop.is_cancelled() {
        let now = Arc::clone(&serving.borrow_and_update());
        if now.rules.is_empty() {
            tokio::select! {
                _ = serving.changed() => {}
                () = stop.cancelled() => {}
            }
            continue;
        }
        turns.serve(&host, &now).await;
        let Some((which, message)) = turns.next().await else { continue };
        let feed = &mut turns.feeds[which];
        host.running.fetch_add(1, Ordering::Relaxed);
        let done = handle(&host, &feed.rule, message).await;
        host.running.fetch_sub(1, Ordering::Relaxed);
        match done {
            // A task of another rule may be due next, or none.
            Some(done) if now.rules.len() > 1 || stop.is_cancelled() => feed.acknowledge(&done).await,
            Some(done) => feed.acknowledge_and_ask(done, PULL).await,
            None => {}
        }
    }
}

/// The rules' turns in a slot.
struct Turns {
    feeds: Vec<Feed>,
    turn: usize,
    /// Rules that had no task a moment ago: they do not hold up the others.
    empty: HashMap<B256, Instant>,
    wait: Duration,
}

impl Default for Turns {
    fn default() -> Self {
        Self { feeds: Vec::new(), turn: 0, empty: HashMap::new(), wait: WAIT_FIRST }
    }
}

impl Turns {
    /// Opens a feed for each rule that is served now, and closes those of others.
    async fn serve(&mut self, host: &Host, serving: &Serving) {
        self.feeds.retain(|feed| serving.rules.iter().any(|rule| Arc::ptr_eq(rule, &feed.rule)));
        for rule in &serving.rules {
            if self.feeds.iter().any(|feed| Arc::ptr_eq(rule, &feed.rule)) {
                continue;
            }
            match Feed::open(host, Arc::clone(rule)).await {
                Ok(feed) => self.feeds.push(feed),
                Err(error) => {
                    tracing::debug!(%error, "tasks are asked for again");
                    sleep(AGAIN).await;
                }
            }
        }
    }

    /// The next task and the feed that it came from, of each rule in turn. Where none has one, waits for a while, the longer the longer there
    /// is none.
    async fn next(&mut self) -> Option<(usize, Message)> {
        if let [only] = &mut self.feeds[..] {
            return Some((0, only.next(Some(PULL)).await?));
        }
        for _ in 0..self.feeds.len() {
            let which = self.turn()?;
            let feed = &mut self.feeds[which];
            let identity = feed.rule.record.identity;
            if self.empty.get(&identity).is_some_and(|since| since.elapsed() < EMPTY_FOR) {
                continue;
            }
            if let Some(message) = feed.next(None).await {
                self.wait = WAIT_FIRST;
                return Some((which, message));
            }
            self.empty.insert(identity, Instant::now());
        }
        let which = self.turn()?;
        let message = self.feeds[which].next(Some(self.wait)).await;
        self.empty.clear();
        self.wait = if message.is_some() { WAIT_FIRST } else { (self.wait * 2).min(WAIT_MAX) };
        Some((which, message?))
    }

    fn turn(&mut self) -> Option<usize> {
        let which = self.turn.checked_rem(self.feeds.len());
        self.turn = self.turn.wrapping_add(1);
        which
    }
}

/// Runs a task; gives the means to acknowledge one that came to its end here.
async fn handle(host: &Arc<Host>, rule: &Arc<Served>, message: Message) -> Option<Acknowledgement> {
    let delivered = message.info().map_or(1, |info| u32::try_from(info.delivered).unwrap_or(u32::MAX));
    let (payload, acker, acknowledgement) = split(message);
    let acker = Arc::new(acker);
    let task = match Task::read(&payload) {
        Ok(task) => task,
        Err(error) => {
            tracing::error!(error = %ErrorChain(&error), "task refused, it is none of ours");
            end(&acker, AckKind::Term).await;
            return None;
        }
    };
    if task.rule != rule.record.identity {
        let (asked, served) = (task.rule, rule.record.identity);
        tracing::warn!(task = %task.id(), %asked, %served, "task of another rule or build, passed on");
        end(&acker, AckKind::Nak(Some(MISMATCH_AFTER))).await;
        return None;
    }
    if task.not.as_ref() == Some(&host.settings.name) {
        tracing::debug!(task = %task.id(), "second opinion wanted, passed on");
        // Left in the queue it would be delivered again and again while the other hosts are away, and deliveries are what a specimen that ends
        // hosts is known by. The coordinator publishes it anew, and every earlier delivery was to a host that may run it.
        publish::result(host, &task, delivered, run::Ended::of(Outcome::PassedOn)).await;
        return Some(acknowledgement);
    }
    if delivered > POISON_DELIVERIES {
        tracing::error!(task = %task.id(), height = task.height, delivered, "task delivered too often, not run again");
        publish::result(host, &task, delivered, run::Ended::of(Outcome::Poisoned)).await;
        end(&acker, AckKind::Term).await;
        return None;
    }
    let ack_wait = rule.tasks.cached_info().config.ack_wait;
    let progress = Progress::of(&acker, if ack_wait.is_zero() { ACK_WAIT } else { ack_wait });
    let ended = run::run(host, rule, &task).await;
    log(&task, delivered, &ended);
    // Acknowledged only when NATS has the result: whatever ends this host before, the task goes to another.
    publish::result(host, &task, delivered, ended).await;
    host.done.fetch_add(1, Ordering::Relaxed);
    drop(progress);
    Some(acknowledgement)
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
        Outcome::Poisoned | Outcome::PassedOn => {}
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
