//! The table of every metric: names, types, units, labels and help. Instruments are made from its rows, and docs/metrics.md is written
//! from it (`REFINER_BLESS=1 cargo nextest run -p refiner metrics_page`).

use refiner_journal::State;

use super::outcome::{Compared, Outcome};
use crate::{observe::remedy::PARTS, preflight};

/// The type of a metric, as Prometheus names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// One metric, which may have several series.
#[derive(Clone, Copy)]
pub struct Row {
    /// Name of the family in a scrape.
    pub name: &'static str,
    pub kind: Kind,
    /// A base unit, or nothing where something is counted.
    pub unit: &'static str,
    pub labels: &'static [Label],
    pub help: &'static str,
}

/// A label with the values that it can have.
#[derive(Clone, Copy)]
pub struct Label {
    pub name: &'static str,
    /// None where it is one value that follows from the build.
    pub values: fn() -> Vec<&'static str>,
}

const STATE: Label = Label { name: "state", values: || State::ALL.iter().map(|state| state.as_str()).collect() };
/// States whose items fail and are tried again.
const FAILING: Label = Label {
    name: "state",
    values: || {
        let states = [State::Announced, State::Waiting, State::Fetched, State::Produced, State::ProofIntent];
        states.iter().map(|state| state.as_str()).collect()
    },
};
const AGED: Label = Label {
    name: "state",
    values: || [State::Pinned, State::Broadcast, State::Final].iter().map(|state| state.as_str()).collect(),
};
const STAGE: Label = Label { name: "stage", values: || vec!["fetch", "refine", "pin"] };
const OUTCOME: Label =
    Label { name: "outcome", values: || Outcome::ALL.iter().map(|outcome| outcome.as_str()).collect() };
const BASIS: Label = Label { name: "basis", values: || vec!["execution", "receipts"] };
const REASON_CLASS: Label = Label { name: "reason_class", values: || vec!["noState"] };
const COMPARED: Label =
    Label { name: "outcome", values: || Compared::ALL.iter().map(|outcome| outcome.as_str()).collect() };
const PART: Label = Label { name: "part", values: || PARTS.iter().map(|(part, _)| *part).collect() };
const CHECK: Label = Label { name: "check", values: || preflight::NAMES.to_vec() };
const SPANS: Label = Label { name: "outcome", values: || vec![EXPORTED, DROPPED] };
const VERSION: Label = Label { name: "version", values: Vec::new };
pub const EXPORTED: &str = "exported";
pub const DROPPED: &str = "dropped";

macro_rules! rows {
    ($($constant:ident: $kind:ident $name:literal <$unit:literal> [$($label:ident),*] $help:literal;)*) => {
        $(pub const $constant: Row = Row {
            name: $name,
            kind: Kind::$kind,
            unit: $unit,
            labels: &[$($label),*],
            help: $help,
        };)*

        /// Every row but those of earlier names.
        #[cfg(test)]
        const ROWS: &[Row] = &[$($constant),*];
    };
}

rows! {
    TRANSITIONS: Counter "refiner_item_transitions_total" <""> [STATE]
        "Items that came to a state.";
    FAILURES: Counter "refiner_item_failures_total" <""> [FAILING]
        "Failures that will be tried again, by the state the item stays in.";
    RESULTS: Counter "refiner_results_total" <""> [BASIS]
        "Results of rules that ask for an execution, by what they rest on.";
    REFUSALS: Counter "refiner_refusals_total" <""> [REASON_CLASS]
        "Refusals whose reason has a class.";
    COMPARISONS: Counter "refiner_comparisons_total" <""> [COMPARED]
        "Results beside those that other operators proved.";
    SPANS_TOTAL: Counter "refiner_trace_spans_total" <""> [SPANS]
        "Spans of traces that their receiver took, and those that were dropped because it was slow or away.";
    REDELIVERIES: Counter "refiner_queue_redeliveries_total" <""> []
        "Results of specimens that were given to a worker host more than once, because one was away or gone.";
    REPUBLISHED: Counter "refiner_queue_republished_total" <""> []
        "Specimens that were handed out again, because no result came or none that could be used.";
    UNUSABLE: Counter "refiner_queue_unusable_results_total" <""> []
        "Results of worker hosts whose artifacts could not be fetched, or were not what was stated.";
    REFUSED_MESSAGES: Counter "refiner_queue_refused_messages_total" <""> []
        "Messages in NATS that are not of this program's form, or were published under another host's name.";
    DISAGREEMENTS: Counter "refiner_disagreements_total" <""> []
        "Pairs of worker hosts with different results of one specimen; none is proved while it is known in time.";
    STAGES: Histogram "refiner_stage_duration_seconds" <"seconds"> [STAGE, OUTCOME]
        "Time of one item in a stage.";
    AGES: Histogram "refiner_item_age_seconds" <"seconds"> [AGED]
        "Time from an announcement's arrival to a state.";
    ITEMS: Gauge "refiner_items" <""> [STATE]
        "Items in a state.";
    QUEUE_TASKS: Gauge "refiner_queue_tasks" <""> []
        "Specimens in NATS that no worker host has finished, at the last look.";
    QUEUE_WAITING: Gauge "refiner_queue_waiting" <""> []
        "Specimens that were handed out and whose result is waited for.";
    QUEUE_HOSTS: Gauge "refiner_queue_hosts" <""> []
        "Worker hosts that gave a sign of life in the last 16 s.";
    HEAD: Gauge "refiner_chain_head_block" <""> []
        "The proof chain's newest block, as last heard.";
    CURSOR: Gauge "refiner_scan_cursor_block" <""> []
        "The last block whose announcements are known.";
    SETTLED: Gauge "refiner_scan_settled_block" <""> []
        "The last block that is not scanned again.";
    BEHIND: Gauge "refiner_scan_behind_answers" <""> []
        "Answers of nodes that lacked blocks or logs, since the start.";
    LATE: Gauge "refiner_scan_late_announcements" <""> []
        "Announcements that a node had left out, found when their block was scanned again, since the start.";
    BALANCE: Gauge "refiner_operator_balance_wei" <"wei"> []
        "Balance of the operator for gas, as last asked.";
    PROOFS_LEFT: Gauge "refiner_operator_proofs_left" <""> []
        "Proofs that the balance pays for at the price of gas as last asked.";
    LOW_BALANCE: Gauge "refiner_operator_low_balance_proofs" <""> []
        "The setting low-balance: fewer proofs left are too few.";
    READY: Gauge "refiner_ready" <""> []
        "1 when the chain was reached, the preflight found no error and every stage runs.";
    PAUSED: Gauge "refiner_proving_paused" <""> []
        "1 while no proofs are submitted; the reason is in /status.";
    WAITING: Gauge "refiner_waiting" <""> [PART]
        "1 while a part is blocked; the reason is in /status.";
    PREFLIGHT: Gauge "refiner_preflight_state" <""> [CHECK]
        "0 where a check of the preflight was ok when it was last made, 1 for a warning, 2 for an error.";
    FREE: Gauge "refiner_data_free_bytes" <"bytes"> []
        "Room that is left on the disk of the data directory.";
    BUILD: Gauge "refiner_build_info" <""> [VERSION]
        "1, with the version of the program.";
    MEMORY: Gauge "process_resident_memory_bytes" <"bytes"> []
        "Memory of the daemon without its workers.";
    FILES: Gauge "process_open_fds" <""> []
        "Open files of the daemon without its workers.";
}

impl Row {
    /// The unit in the words of OpenTelemetry.
    pub fn otel_unit(&self) -> &'static str {
        if self.unit == "seconds" { "s" } else { self.unit }
    }

    /// The name to which the exporter adds the ending of kind and unit.
    pub fn stem(&self) -> &'static str {
        match self.kind {
            Kind::Counter => self.name.trim_end_matches("_total"),
            Kind::Histogram => self.name.trim_end_matches("_seconds"),
            Kind::Gauge => self.name,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{env, fmt::Write as _, fs, path::Path};

    use super::{super::legacy, *};

    fn word(kind: Kind) -> &'static str {
        match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        }
    }

    /// The text of docs/metrics.md, written from the rows.
    fn page() -> String {
        let mut page = String::from(
            "# Metrics\n\nServed by `refiner run` at `/metrics`, in the text format of Prometheus. This page is written from \
             `host/daemon/src/observe/metrics/table.rs`.\n\nCounters and gauges are there from the first scrape on, with 0 or with what is so; a \
             histogram has its series from its first value on, and a gauge of something that is not known yet (head, balance) has none. No label holds a \
             number or hash of a block.\n\n| name | type | unit | labels | meaning |\n|---|---|---|---|---|\n",
        );
        for Row { name, kind, unit, labels, help } in ROWS {
            let labels: Vec<_> = labels.iter().map(label).collect();
            let _ = writeln!(page, "| `{name}` | {} | {unit} | {} | {help} |", word(*kind), labels.join("; "));
        }
        page.push_str(
            "\n## Names of the network's earlier refiner\n\nFor dashboards that know them, from the first scrape on. Each event has a counter \
             `refiner_events_<event>_count` and a gauge `refiner_events_<event>_duration`, both with the labels `operation` and `table`. The gauge holds the \
             last duration in milliseconds divided by a million, as it always did: 0.004265 is 4.265 s.\n\n| event | operation | table |\n|---|---|---|\n",
        );
        for (_, name, operation, table) in legacy::EVENTS {
            let _ = writeln!(page, "| `{name}` | `{operation}` | `{table}` |");
        }
        page
    }

    fn label(label: &Label) -> String {
        let values: Vec<_> = (label.values)().into_iter().map(|value| format!("`{value}`")).collect();
        let values = if values.is_empty() { String::new() } else { format!(": {}", values.join(", ")) };
        format!("`{}`{values}", label.name)
    }

    #[test]
    fn metrics_page_is_the_table() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/metrics.md");
        if env::var_os("REFINER_BLESS").is_some() {
            fs::write(&path, page()).unwrap();
        }
        assert!(
            fs::read_to_string(&path).unwrap_or_default() == page(),
            "docs/metrics.md is not the table: REFINER_BLESS=1 writes it"
        );
    }

    #[test]
    fn names_are_in_base_units_and_end_as_their_kind_does() {
        for Row { name, kind, unit, labels, help } in ROWS {
            assert_eq!(name.ends_with("_total"), *kind == Kind::Counter, "{name}");
            assert!(unit.is_empty() || name.ends_with(&format!("_{unit}")), "{name} is in {unit}");
            assert!(["", "seconds", "bytes", "wei"].contains(unit), "{name} is in {unit}");
            assert!(
                help.ends_with('.') && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'),
                "{name}"
            );
            assert!(labels.iter().all(|label| (label.values)().len() <= 32), "{name} has too many series");
            assert_eq!(ROWS.iter().filter(|row| row.name == *name).count(), 1, "{name}");
        }
    }
}
