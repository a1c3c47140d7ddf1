//! Values of the moment at which they are scraped.

use std::{fs, path::Path};

use opentelemetry::{
    KeyValue,
    metrics::{Gauge, Meter},
};
use refiner_journal::State;

use super::table::{self, Row};
use crate::{
    observe::{remedy::PARTS, status::Now},
    preflight::NAMES,
};

/// Bytes of a page on every machine that this runs on.
const PAGE_BYTES: u64 = 4_096;

/// The content of a scrape beside the counters.
#[derive(Clone, Debug, Default)]
pub struct Scrape {
    pub items: Vec<(State, u64)>,
    pub now: Now,
    /// Proofs left that are too few.
    pub low_balance: u64,
    /// Room on the disk of the data directory.
    pub free_bytes: Option<u64>,
}

/// Gauges, set at each scrape.
pub struct Gauges {
    items: Gauge<u64>,
    queue_tasks: Gauge<u64>,
    queue_waiting: Gauge<u64>,
    queue_hosts: Gauge<u64>,
    head: Gauge<u64>,
    cursor: Gauge<u64>,
    settled: Gauge<u64>,
    behind: Gauge<u64>,
    late: Gauge<u64>,
    balance: Gauge<f64>,
    proofs_left: Gauge<u64>,
    low_balance: Gauge<u64>,
    ready: Gauge<u64>,
    paused: Gauge<u64>,
    waiting: Gauge<u64>,
    preflight: Gauge<u64>,
    free: Gauge<u64>,
    build: Gauge<u64>,
    memory: Gauge<u64>,
    files: Gauge<u64>,
}

impl Gauges {
    pub fn of(meter: &Meter) -> Self {
        let gauge = |row: Row| meter.u64_gauge(row.stem()).with_description(row.help).build();
        Self {
            items: gauge(table::ITEMS),
            queue_tasks: gauge(table::QUEUE_TASKS),
            queue_waiting: gauge(table::QUEUE_WAITING),
            queue_hosts: gauge(table::QUEUE_HOSTS),
            head: gauge(table::HEAD),
            cursor: gauge(table::CURSOR),
            settled: gauge(table::SETTLED),
            behind: gauge(table::BEHIND),
            late: gauge(table::LATE),
            balance: meter.f64_gauge(table::BALANCE.stem()).with_description(table::BALANCE.help).build(),
            proofs_left: gauge(table::PROOFS_LEFT),
            low_balance: gauge(table::LOW_BALANCE),
            ready: gauge(table::READY),
            paused: gauge(table::PAUSED),
            waiting: gauge(table::WAITING),
            preflight: gauge(table::PREFLIGHT),
            free: gauge(table::FREE),
            build: gauge(table::BUILD),
            memory: gauge(table::MEMORY),
            files: gauge(table::FILES),
        }
    }

    pub fn set(&self, scrape: &Scrape) {
        let Scrape { items, now, low_balance, free_bytes } = scrape;
        for state in State::ALL {
            // A state that nothing is in any more is 0, not what it was.
            let items = items.iter().find(|(other, _)| *other == state).map_or(0, |(_, items)| *items);
            self.items.record(items, &[KeyValue::new("state", state.as_str())]);
        }
        for (part, _) in PARTS {
            self.waiting.record(now.waits_for.contains_key(part).into(), &[KeyValue::new("part", part)]);
        }
        for check in &now.preflight {
            // The name of a node is no label: it is a URL.
            if let Some(name) = NAMES.iter().find(|name| **name == check.name) {
                self.preflight.record(check.state as u64, &[KeyValue::new("check", *name)]);
            }
        }
        self.ready.record((now.ready && !now.stopping).into(), &[]);
        self.paused.record(now.paused.is_some().into(), &[]);
        self.build.record(1, &[KeyValue::new("version", env!("CARGO_PKG_VERSION"))]);
        self.behind.record(now.scan.behind, &[]);
        self.late.record(now.scan.late + now.scan.recovered, &[]);
        self.low_balance.record(*low_balance, &[]);
        let queue = now.queue.as_ref();
        self.queue_tasks.record(queue.map_or(0, |queue| queue.tasks), &[]);
        self.queue_waiting.record(queue.map_or(0, |queue| queue.waiting.iter().map(|rule| rule.tasks).sum()), &[]);
        self.queue_hosts.record(queue.map_or(0, |queue| queue.hosts.len() as u64), &[]);
        let known = [
            (&self.settled, now.scan.settled),
            (&self.head, now.head),
            (&self.cursor, now.cursor),
            (&self.proofs_left, now.proofs_left()),
            (&self.free, *free_bytes),
            (&self.memory, memory()),
            (&self.files, files()),
        ];
        for (gauge, value) in known {
            // What is not known is not there, rather than 0.
            value.into_iter().for_each(|value| gauge.record(value, &[]));
        }
        now.balance_wei.into_iter().for_each(|wei| self.balance.record(wei.into(), &[]));
    }
}

/// Room that this user has on the disk of a directory.
pub fn free_bytes(directory: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(directory).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// The second number of `/proc/self/statm` is pages in memory.
fn memory() -> Option<u64> {
    let pages: u64 = fs::read_to_string("/proc/self/statm").ok()?.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * PAGE_BYTES)
}

fn files() -> Option<u64> {
    fs::read_dir("/proc/self/fd").ok().map(|files| files.count() as u64)
}
