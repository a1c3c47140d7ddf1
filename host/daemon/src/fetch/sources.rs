//! The pinner and the gateways: which of them cannot be reached, and what their return wakes.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use refiner_content::{FetchBackend as _, Gateway, Origin, Pinner};
use refiner_journal::{JournalError, State};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{
    engine::{
        policy::StageError,
        poller::pause,
        unreachable::{FailureObserver, failed_upload, unreachable_sources},
    },
    observe::status::Status,
    state::journal_handle::JournalHandle,
};

/// The parts' names in the status.
const PINNER: &str = "pinner";
const GATEWAYS: &str = "gateways";
/// The first pause before a source is asked how it is, and the longest, as multiples of the first pause after a failure.
const PROBE_FACTORS: (u32, u32) = (2, 60);
/// Pause between two looks for probes that are due.
const LOOK: Duration = Duration::from_millis(100);

/// The sources that are known by name, and how they are.
pub struct Sources {
    pinner: Option<Pinner>,
    gateways: Vec<Gateway>,
    status: Status,
    /// Those that could not be reached at last. A lock because every stage meets them; held for one look.
    unwell: Mutex<BTreeMap<String, Unwell>>,
    /// The failure of the last upload, until one succeeds: a pinner that answers may answer nonsense, or keep nothing. Locked likewise.
    upload: Mutex<Option<String>>,
}

/// A source that could not be reached.
#[derive(Clone, Debug)]
struct Unwell {
    error: String,
    /// Probes so far; kept until the source did some work, as a probe may succeed where work fails.
    probes: u32,
    probe: Probe,
}

/// The next probe of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Probe {
    /// None: the last found it well.
    None,
    /// Once it had a moment, for it has only just failed.
    Soon,
    /// At this time, by a steady clock.
    At(Instant),
}

impl Sources {
    pub fn new(pinner: Option<Pinner>, gateways: Vec<Gateway>, status: Status) -> Self {
        Self { pinner, gateways, status, unwell: Mutex::default(), upload: Mutex::default() }
    }

    /// A source did what it was asked.
    pub fn well(&self, origin: &Origin) {
        let was_unwell = self.unwell().remove(&origin.to_string()).is_some();
        if was_unwell {
            self.report();
        }
    }

    /// The pinner has what it was sent.
    pub fn uploaded(&self, origin: &Origin) {
        self.well(origin);
        let has_failed = self.upload().take().is_some();
        if has_failed {
            self.report();
        }
    }

    fn is_unwell(&self, origin: &Origin, error: &str) {
        if !self.is_known(origin) {
            return;
        }
        let mut unwell = self.unwell();
        let source = unwell.entry(origin.to_string()).or_insert_with(|| {
            tracing::warn!(source = %origin, error, "source unreachable");
            Unwell { error: error.to_owned(), probes: 0, probe: Probe::None }
        });
        error.clone_into(&mut source.error);
        if source.probe == Probe::None {
            source.probe = Probe::Soon;
        }
        drop(unwell);
        self.report();
    }

    fn is_known(&self, origin: &Origin) -> bool {
        self.pinner.iter().any(|pinner| pinner.origin() == origin)
            || self.gateways.iter().any(|gateway| gateway.origin() == origin)
    }

    /// The pinner is waited for alone; a gateway only when none is left.
    fn report(&self) {
        let unwell = self.unwell().clone();
        let error_of = |origin: &Origin| {
            let source = unwell.get(&origin.to_string())?;
            (source.probe != Probe::None).then(|| source.error.clone())
        };
        let pinner = self.pinner.as_ref().and_then(|pinner| error_of(pinner.origin()));
        match pinner.or_else(|| self.upload().clone()) {
            Some(error) => self.status.set_blocked(PINNER, error),
            None => self.status.clear_blocked(PINNER),
        }
        let errors: Vec<_> = self.gateways.iter().filter_map(|gateway| error_of(gateway.origin())).collect();
        if !errors.is_empty() && errors.len() == self.gateways.len() {
            self.status.set_blocked(GATEWAYS, errors.join("; "));
        } else {
            self.status.clear_blocked(GATEWAYS);
        }
    }

    /// Those whose probe is due; each gets its next time.
    fn due(&self, retry: Duration) -> Vec<String> {
        let (now, (first, most)) = (Instant::now(), PROBE_FACTORS);
        let mut due = Vec::new();
        for (origin, source) in self.unwell().iter_mut() {
            match source.probe {
                Probe::None => continue,
                Probe::At(at) if at > now => continue,
                Probe::At(_) => due.push(origin.clone()),
                Probe::Soon => {}
            }
            let factor = first.saturating_mul(1 << source.probes.min(10)).min(most);
            source.probe = Probe::At(now + retry.saturating_mul(factor));
            source.probes += 1;
        }
        due
    }

    async fn probe(&self, origin: &str) -> bool {
        let is = |candidate: &Origin| candidate.to_string() == origin;
        if let Some(pinner) = self.pinner.as_ref().filter(|pinner| is(pinner.origin())) {
            return pinner.health().await.is_ok();
        }
        match self.gateways.iter().find(|gateway| is(gateway.origin())) {
            Some(gateway) => gateway.health().await.is_ok(),
            None => false,
        }
    }

    fn answers(&self, origin: &str) {
        if let Some(source) = self.unwell().get_mut(origin) {
            source.probe = Probe::None;
        }
        self.report();
    }

    fn upload(&self) -> MutexGuard<'_, Option<String>> {
        self.upload.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unwell(&self) -> MutexGuard<'_, BTreeMap<String, Unwell>> {
        self.unwell.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FailureObserver for Sources {
    /// Learns from a stage's failure which sources cannot be reached, and whether uploads fail.
    fn failed(&self, error: &StageError) {
        if let Some(reason) = failed_upload(error) {
            *self.upload() = Some(reason);
            self.report();
        }
        for (origin, error) in unreachable_sources(error) {
            self.is_unwell(origin, &error);
        }
    }
}

/// Asks sources that could not be reached how they are, and wakes what waits for those that answer, until `stop`.
///
/// # Errors
///
/// The journal's: without it nothing can go on.
pub async fn watch(
    sources: Arc<Sources>,
    journal: JournalHandle,
    retry: Duration,
    stop: CancellationToken,
) -> Result<(), JournalError> {
    loop {
        for origin in sources.due(retry) {
            if !sources.probe(&origin).await {
                continue;
            }
            sources.answers(&origin);
            let woken = journal.with(|journal| journal.wake(Some(&origin)))?;
            tracing::info!(source = origin, waiting = woken.waiting, failed = woken.failed, "source reachable again");
            for state in [State::Waiting, State::Announced, State::Produced] {
                journal.notify(state);
            }
        }
        if !pause(&stop, LOOK).await {
            return Ok(());
        }
    }
}
