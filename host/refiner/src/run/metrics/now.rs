//! What is so at the moment of a scrape.

use std::fs;

use opentelemetry::{
    KeyValue,
    metrics::{Gauge, Meter},
};
use refiner_journal::{Count, State};

use crate::run::{remedy::PARTS, status::Now};

/// Bytes of a page on every machine that this runs on.
const PAGE_BYTES: u64 = 4_096;

/// Gauges, set at each scrape.
pub struct Gauges {
    items: Gauge<u64>,
    head: Gauge<u64>,
    cursor: Gauge<u64>,
    settled: Gauge<u64>,
    behind: Gauge<u64>,
    late: Gauge<u64>,
    balance: Gauge<f64>,
    ready: Gauge<u64>,
    paused: Gauge<u64>,
    waiting: Gauge<u64>,
    build: Gauge<u64>,
    memory: Gauge<u64>,
    files: Gauge<u64>,
}

impl Gauges {
    pub fn of(meter: &Meter) -> Self {
        let gauge = |name: &'static str, what: &'static str| meter.u64_gauge(name).with_description(what).build();
        Self {
            items: gauge("refiner_items", "Items in a state."),
            head: gauge("refiner_chain_head_block", "The proof chain's newest block, as last heard."),
            cursor: gauge("refiner_scan_cursor_block", "The last block whose announcements are known."),
            settled: gauge("refiner_scan_settled_block", "The last block that is not scanned again."),
            behind: gauge(
                "refiner_scan_behind_answers",
                "Answers of nodes that lacked blocks or logs, since the start.",
            ),
            late: gauge(
                "refiner_scan_late_announcements",
                "Announcements that a node had left out, found when their block was scanned again, since the start.",
            ),
            balance: meter
                .f64_gauge("refiner_operator_balance_wei")
                .with_description("What the operator has for gas, as last asked.")
                .build(),
            ready: gauge(
                "refiner_ready",
                "1 when the chain was reached, the preflight found no error and every stage runs.",
            ),
            paused: gauge("refiner_proving_paused", "1 while no proofs are submitted; the reason is in /status."),
            waiting: gauge("refiner_waiting", "1 while a part is blocked; the reason is in /status."),
            build: gauge("refiner_build_info", "1, with the program's version."),
            memory: gauge("process_resident_memory_bytes", "Memory of the daemon without its workers."),
            files: gauge("process_open_fds", "Open files of the daemon without its workers."),
        }
    }

    pub fn set(&self, counts: &[Count], now: &Now) {
        for state in State::ALL {
            // A state that nothing is in any more is 0, not what it was.
            let items = counts.iter().find(|count| count.state == state).map_or(0, |count| count.items);
            self.items.record(items, &[KeyValue::new("state", state.as_str())]);
        }
        for (part, _) in PARTS {
            self.waiting.record(now.waits_for.contains_key(part).into(), &[KeyValue::new("part", part)]);
        }
        self.ready.record((now.ready && !now.stopping).into(), &[]);
        self.paused.record(now.paused.is_some().into(), &[]);
        self.build.record(1, &[KeyValue::new("version", env!("CARGO_PKG_VERSION"))]);
        self.behind.record(now.scan.behind, &[]);
        self.late.record(now.scan.late + now.scan.recovered, &[]);
        let known = [
            (&self.settled, now.scan.settled),
            (&self.head, now.head),
            (&self.cursor, now.cursor),
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

/// The second number of `/proc/self/statm` is pages in memory.
fn memory() -> Option<u64> {
    let pages: u64 = fs::read_to_string("/proc/self/statm").ok()?.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * PAGE_BYTES)
}

fn files() -> Option<u64> {
    fs::read_dir("/proc/self/fd").ok().map(|files| files.count() as u64)
}
