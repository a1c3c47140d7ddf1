//! One node: its address, its limits and its standing.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{
    Endpoint, NodeReport, RpcLimits, SetAside, batch_size::AdaptiveBatchSize, health::Consequence, rate::RateLimit,
};

/// A node of the pool.
#[derive(Debug)]
pub(super) struct Node {
    pub endpoint: Endpoint,
    /// Most questions in one request.
    pub together: AdaptiveBatchSize,
    pub rate: RateLimit,
    /// A lock because calls end side by side; held for an assignment.
    standing: Mutex<Standing>,
    /// Held while it is checked, so that calls side by side need one check.
    pub turn: tokio::sync::Mutex<()>,
}

/// The head of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub number: u64,
    /// Age of the block by our clock.
    pub age: Duration,
}

#[derive(Debug)]
pub(super) struct Standing {
    set_aside: Option<SetAside>,
    /// Another node may answer at the address than the one that was checked.
    unchecked: bool,
    since: Instant,
    /// Failures in a row.
    failures: u32,
    /// The time from which a node that is set aside is looked at again.
    look_again: Instant,
    /// The node asked not to be asked before.
    not_before: Option<Instant>,
    /// Methods that it did not answer, until when they go elsewhere.
    unfit: Vec<(&'static str, Instant)>,
    head: Option<Head>,
    /// When the head was seen last, and when it changed.
    head_seen: Instant,
    head_changed: Instant,
    checking: bool,
}

/// How well a node suits a question, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Suitability {
    /// Checked and well.
    Ready,
    /// To be checked before it is asked.
    Due,
    /// Well, but the method was not answered.
    Unfit,
    /// Failed a moment ago.
    Failed,
    /// Of the right chain, and behind.
    Behind,
    /// It asked not to be asked for this time.
    Later(Duration),
    /// Of another chain.
    No,
}

impl Node {
    pub fn new(endpoint: Endpoint, limits: &RpcLimits) -> Self {
        let now = Instant::now();
        let standing = Standing {
            set_aside: None,
            unchecked: true,
            since: now,
            failures: 0,
            look_again: now,
            not_before: None,
            unfit: Vec::new(),
            head: None,
            head_seen: now,
            head_changed: now,
            checking: false,
        };
        let rate = RateLimit::new(limits.questions_per_second);
        let together = AdaptiveBatchSize::up_to(rate.most());
        Self { endpoint, together, rate, standing: Mutex::new(standing), turn: tokio::sync::Mutex::default() }
    }

    pub fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn report(&self) -> NodeReport {
        let standing = self.standing();
        let now = Instant::now();
        NodeReport {
            endpoint: self.endpoint.clone(),
            checked: !standing.unchecked,
            set_aside: standing.set_aside.clone(),
            unchanged_for: standing.since.elapsed(),
            head: standing.head.map(|head| head.number),
            head_age: standing.head.map(|head| head.age + standing.head_seen.elapsed()),
            wait: standing.not_before.and_then(|time| time.checked_duration_since(now)),
        }
    }
}

impl Standing {
    /// How well the node suits a question. Without anything to compare it with, no node is checked.
    pub fn suitability(&self, method: &str, checks: bool, now: Instant) -> Suitability {
        if let Some(wait) = self.not_before.and_then(|time| time.checked_duration_since(now)) {
            return Suitability::Later(wait);
        }
        let is_due = self.look_again <= now;
        match &self.set_aside {
            None if self.unchecked && checks => Suitability::Due,
            None if self.unfit.iter().any(|(unfit, until)| *unfit == method && *until > now) => Suitability::Unfit,
            None => Suitability::Ready,
            // The same node, which only wanted to be asked later.
            Some(SetAside::Failed(_)) if is_due && !(checks && self.unchecked) => Suitability::Ready,
            Some(_) if is_due && checks => Suitability::Due,
            Some(reason) if reason.is_identity() => Suitability::No,
            Some(reason) if reason.is_behind() => Suitability::Behind,
            Some(_) => Suitability::Failed,
        }
    }

    /// Whether it has to be checked before it is asked.
    pub fn is_unchecked(&self) -> bool {
        self.unchecked
    }

    pub fn is_well(&self) -> bool {
        self.set_aside.is_none() && !self.unchecked
    }

    /// Whether a check may find it well: it is not, and no person has to change anything first.
    pub fn may_pass(&self, now: Instant) -> bool {
        !self.is_well() && (self.look_again <= now || !self.set_aside.as_ref().is_some_and(SetAside::is_identity))
    }

    /// Whether it passed a check, or only its head did not.
    pub fn is_of_chain(&self) -> bool {
        self.is_well() || self.set_aside.as_ref().is_some_and(SetAside::is_behind)
    }

    pub fn set_aside(&self) -> Option<&SetAside> {
        self.set_aside.as_ref()
    }

    pub fn wait(&self, now: Instant) -> Option<Duration> {
        self.not_before.and_then(|time| time.checked_duration_since(now))
    }

    /// Begins a check, if none is under way. `every` is the longest time between two looks at a head.
    pub fn begin_check(&mut self, every: Option<Duration>, now: Instant) -> bool {
        let waits = self.wait(now).is_some();
        let is_due = match self.set_aside {
            None => self.unchecked || every.is_some_and(|every| self.head_seen + every <= now),
            Some(_) => self.look_again <= now,
        };
        let begins = is_due && !waits && !self.checking;
        self.checking |= begins;
        begins
    }

    pub fn end_check(&mut self) {
        self.checking = false;
    }

    /// It must be checked before it is asked again.
    pub fn uncheck(&mut self) {
        self.unchecked = true;
    }

    /// An answer came. `true` where the node was set aside before.
    pub fn answered(&mut self) -> bool {
        self.failures = 0;
        match self.set_aside {
            Some(SetAside::Failed(_)) => self.well(),
            _ => false,
        }
    }

    /// A check passed.
    pub fn passed(&mut self) -> bool {
        self.unchecked = false;
        self.failures = 0;
        self.well()
    }

    /// It has the newest block that was seen.
    pub fn caught_up(&mut self) -> bool {
        self.set_aside.as_ref().is_some_and(SetAside::is_behind) && self.well()
    }

    fn well(&mut self) -> bool {
        let changed = self.set_aside.take().is_some();
        if changed {
            self.since = Instant::now();
        }
        changed
    }

    /// Sets the node aside until `pause` is over. `true` where the kind of the reason changed.
    pub fn put_aside(&mut self, reason: SetAside, pause: Duration) -> bool {
        let now = Instant::now();
        self.look_again = now + pause;
        let same = self
            .set_aside
            .as_ref()
            .is_some_and(|before| std::mem::discriminant(before) == std::mem::discriminant(&reason));
        if !same {
            self.since = now;
        }
        self.set_aside = Some(reason);
        !same
    }

    /// Takes note of an error. `true` where the node's standing changed.
    pub fn failed(&mut self, consequence: Consequence, method: &'static str, limits: &RpcLimits) -> bool {
        match consequence {
            Consequence::None => false,
            Consequence::MethodUnfit => {
                let now = Instant::now();
                self.unfit.retain(|(unfit, until)| *unfit != method && *until > now);
                self.unfit.push((method, now + limits.unfit_for()));
                false
            }
            Consequence::NodeFailed { failure, reconnects } => {
                self.unchecked |= reconnects;
                let pause = limits.failure_pause(self.failures);
                self.failures = self.failures.saturating_add(1);
                self.put_aside(SetAside::Failed(failure), pause)
            }
        }
    }

    /// Keeps a `Retry-After`.
    pub fn ask_not_before(&mut self, pause: Duration) {
        self.not_before = Some(Instant::now() + pause);
    }

    /// Takes note of a head.
    pub fn saw(&mut self, head: Head) {
        let now = Instant::now();
        if self.head.is_none_or(|before| before.number != head.number) {
            self.head_changed = now;
        }
        (self.head, self.head_seen) = (Some(head), now);
    }

    /// Takes note of a head that no header proves.
    pub fn claimed(&mut self, number: u64) {
        if self.head.is_none_or(|head| head.number != number) {
            self.saw(Head { number, age: Duration::ZERO });
        }
    }

    /// The time for which the head has not changed.
    pub fn head_still_for(&self) -> Duration {
        self.head_changed.elapsed()
    }
}
