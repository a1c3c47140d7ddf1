//! The recent past in bounded memory: what was done in each interval, and how things stood at its end.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::{Value, json};

use crate::series::per_minute;

/// Version of the history's JSON.
const SCHEMA_VERSION: u32 = 1;
/// Recent samples that make one of the day.
const PER_DAY_SAMPLE: usize = 60;

/// States of the backlog, in the order of an item's life.
pub const BACKLOG: [&str; 5] = ["announced", "waiting", "fetched", "produced", "quarantined"];
/// States of proofs under way, in the order of an item's life.
pub const PROOFS: [&str; 4] = ["proof_intent", "signed", "broadcast", "mined"];

/// A stage that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// From a source to the local store.
    Fetch,
    /// A rule's run.
    Refine,
    /// Upload to the pinner.
    Pin,
    /// A whole item, from its announcement to a final proof.
    Prove,
}

impl Stage {
    /// Every stage in its order.
    pub const ALL: [Self; 4] = [Self::Fetch, Self::Refine, Self::Pin, Self::Prove];

    /// The word for it in the history and on the page.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fetch => "fetch",
            Self::Refine => "refine",
            Self::Pin => "pin",
            Self::Prove => "prove",
        }
    }
}

/// The time that is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Window {
    /// The last 15 minutes in steps of 5 seconds.
    #[default]
    Recent,
    /// The last 24 hours in steps of 5 minutes.
    Day,
}

impl Window {
    /// The word for it in a query.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Recent => "15m",
            Self::Day => "24h",
        }
    }

    /// The window of a query `window=…`; the recent one without.
    #[must_use]
    pub fn of_query(query: Option<&str>) -> Self {
        let is_day = query.is_some_and(|query| query.split('&').any(|part| part == "window=24h"));
        if is_day { Self::Day } else { Self::Recent }
    }

    /// The most samples that are kept.
    pub(crate) const fn capacity(self) -> usize {
        match self {
            Self::Recent => 180,
            Self::Day => 288,
        }
    }

    /// Duration of a sample.
    #[must_use]
    pub const fn step(self) -> Duration {
        match self {
            Self::Recent => Duration::from_secs(5),
            Self::Day => Duration::from_secs(300),
        }
    }
}

/// The work of one stage in an interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    pub count: u32,
    pub total_ms: u64,
    pub slowest_ms: u64,
}

impl Work {
    /// The mean duration, where anything was done.
    pub const fn mean_ms(self) -> Option<u64> {
        self.total_ms.checked_div(self.count as u64)
    }

    const fn add(&mut self, other: Self) {
        self.count = self.count.saturating_add(other.count);
        self.total_ms = self.total_ms.saturating_add(other.total_ms);
        if other.slowest_ms > self.slowest_ms {
            self.slowest_ms = other.slowest_ms;
        }
    }
}

/// The state of things at the end of an interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// The moment, milliseconds since 1970.
    pub at_ms: u64,
    /// Items in `announced`, `waiting`, `fetched`, `produced` and `quarantined`.
    pub backlog: [u32; BACKLOG.len()],
    /// Items in `proof_intent`, `signed`, `broadcast` and `mined`.
    pub proofs: [u32; PROOFS.len()],
    /// Proofs that the balance pays for.
    pub proofs_left: Option<u64>,
    /// Blocks of the proof chain that are not scanned yet.
    pub behind: Option<u64>,
}

/// An interval.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sample {
    pub reading: Reading,
    pub work: [Work; 4],
}

/// The history. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// A lock because every stage writes into it; held for an addition, or to copy what a page shows.
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    /// The current interval.
    work: [Work; 4],
    recent: VecDeque<Sample>,
    day: VecDeque<Sample>,
    /// Work of the day's current interval, and its samples so far.
    day_work: [Work; 4],
    day_samples: usize,
}

impl History {
    /// A stage did its part for an item.
    pub fn completed(&self, stage: Stage, took: Duration) {
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        self.inner().work[stage as usize].add(Work { count: 1, total_ms: ms, slowest_ms: ms });
    }

    /// Ends an interval. To be called every [`Window::step`] of the recent window.
    pub fn sample(&self, reading: Reading) {
        let mut inner = self.inner();
        let work = std::mem::take(&mut inner.work);
        push(&mut inner.recent, Sample { reading, work }, Window::Recent.capacity());
        inner.day_work.iter_mut().zip(work).for_each(|(sum, one)| sum.add(one));
        inner.day_samples += 1;
        if inner.day_samples == PER_DAY_SAMPLE {
            let work = std::mem::take(&mut inner.day_work);
            push(&mut inner.day, Sample { reading, work }, Window::Day.capacity());
            inner.day_samples = 0;
        }
    }

    /// Items that a stage completed in the recent window and since its last sample.
    pub(crate) fn recently(&self, stage: Stage) -> u64 {
        let inner = self.inner();
        let sampled: u64 = inner.recent.iter().map(|sample| u64::from(sample.work[stage as usize].count)).sum();
        sampled + u64::from(inner.work[stage as usize].count)
    }

    /// The samples of a window, the oldest first.
    pub(crate) fn samples(&self, window: Window) -> Vec<Sample> {
        let inner = self.inner();
        match window {
            Window::Recent => inner.recent.iter().copied().collect(),
            Window::Day => inner.day.iter().copied().collect(),
        }
    }

    /// The samples of a window as columns of JSON: at most 288 of each, whatever happened.
    #[must_use]
    pub fn to_json(&self, window: Window) -> Value {
        let samples = self.samples(window);
        let column = |of: &dyn Fn(&Sample) -> Value| Value::Array(samples.iter().map(of).collect());
        let by_stage = |of: &dyn Fn(Work) -> Value| -> Value {
            let columns = Stage::ALL.map(|stage| (stage.as_str().to_owned(), column(&|s| of(s.work[stage as usize]))));
            Value::Object(columns.into_iter().collect())
        };
        let by_state = |names: &[&str], of: &dyn Fn(&Sample, usize) -> u32| -> Value {
            let columns = names.iter().enumerate().map(|(i, name)| ((*name).to_owned(), column(&|s| of(s, i).into())));
            Value::Object(columns.collect())
        };
        let rates: serde_json::Map<_, _> = Stage::ALL
            .map(|stage| (stage.as_str().to_owned(), per_minute(&samples, window, stage).into()))
            .into_iter()
            .collect();
        json!({
            "schemaVersion": SCHEMA_VERSION,
            "window": window.as_str(),
            "stepMs": u64::try_from(window.step().as_millis()).unwrap_or(u64::MAX),
            "capacity": window.capacity(),
            "atMs": column(&|sample| sample.reading.at_ms.into()),
            "done": by_stage(&|work| work.count.into()),
            "perMinute": rates,
            "meanMs": by_stage(&|work| work.mean_ms().into()),
            "slowestMs": by_stage(&|work| work.slowest_ms.into()),
            "backlog": by_state(&BACKLOG, &|sample, index| sample.reading.backlog[index]),
            "proofs": by_state(&PROOFS, &|sample, index| sample.reading.proofs[index]),
            "proofsLeft": column(&|sample| sample.reading.proofs_left.into()),
            "behind": column(&|sample| sample.reading.behind.into()),
        })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn push(ring: &mut VecDeque<Sample>, sample: Sample, most: usize) {
    if ring.len() == most {
        ring.pop_front();
    }
    ring.push_back(sample);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// More than any history's JSON has.
    const JSON_BYTES_MAX: usize = 256 << 10;

    fn reading(at_ms: u64) -> Reading {
        Reading { at_ms, ..Reading::default() }
    }

    #[test]
    fn history_keeps_the_newest_samples_within_its_bound() {
        let history = History::default();
        let full = Reading {
            at_ms: u64::MAX,
            backlog: [u32::MAX; 5],
            proofs: [u32::MAX; 4],
            proofs_left: Some(u64::MAX),
            behind: Some(u64::MAX),
        };
        for _ in 0..Window::Day.capacity() * PER_DAY_SAMPLE * 2 {
            for stage in Stage::ALL {
                history.completed(stage, Duration::from_millis(u64::MAX));
            }
            history.sample(full);
        }
        history.sample(reading(7));
        for window in [Window::Recent, Window::Day] {
            let json = history.to_json(window);
            assert_eq!(json["atMs"].as_array().map(Vec::len), Some(window.capacity()));
            assert!(json.to_string().len() < JSON_BYTES_MAX, "{}", json.to_string().len());
        }
        assert_eq!(history.samples(Window::Recent).last().map(|sample| sample.reading.at_ms), Some(7));
    }

    #[test]
    fn work_belongs_to_the_interval_it_ended_in_and_a_day_sums_it_up() {
        let history = History::default();
        for at_ms in 0..60 {
            history.completed(Stage::Fetch, Duration::from_millis(10));
            history.completed(Stage::Fetch, Duration::from_millis(30));
            history.sample(reading(at_ms));
        }
        let json = history.to_json(Window::Recent);
        assert_eq!((&json["done"]["fetch"][59], &json["meanMs"]["fetch"][59]), (&2.into(), &20.into()));
        assert_eq!((&json["done"]["pin"][59], &json["meanMs"]["pin"][59]), (&0.into(), &Value::Null));
        let json = history.to_json(Window::Day);
        assert_eq!(json["done"]["fetch"], json!([120]));
        assert_eq!(json["slowestMs"]["fetch"], json!([30]));
    }

    #[test]
    fn window_is_named_by_a_query() {
        for (query, window) in [
            (None, Window::Recent),
            (Some("window=24h"), Window::Day),
            (Some("a=b&window=24h"), Window::Day),
            (Some("window=<script>"), Window::Recent),
        ] {
            assert_eq!(Window::of_query(query), window);
        }
    }
}
