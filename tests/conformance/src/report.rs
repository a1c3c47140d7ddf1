//! Counts by network, and everything that did not come out as it must.

mod print;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    chain::{Case, Unwritten},
    replay::{Replayed, Verdict},
};

/// Counts of one network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Valid blocks with a block result.
    pub produced: u64,
    /// Valid blocks without one, and blocks of either kind that were not run.
    pub not_produced: u64,
    /// Valid blocks that no layout carries.
    pub not_carried: u64,
    /// Invalid blocks without a block result.
    pub refused: u64,
    /// Invalid blocks with one, whose fault their own bytes do not show.
    pub hidden: u64,
    /// Invalid blocks that no specimen can state: the fault is in the encoding, or no layout carries it.
    pub unwritten: u64,
    /// Invalid blocks with a block result that should not be.
    pub wrongly_produced: u64,
}

/// A block that did not come out as it must.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Name of the network.
    pub network: String,
    /// File and name of the test.
    pub test: String,
    /// Position of the block in the test.
    pub block: usize,
    /// The class of the fault of an invalid block.
    pub class: Option<String>,
    /// The verdict of the program, or its absence.
    pub reason: String,
}

/// Everything that came out.
#[derive(Clone, Debug, Default)]
pub struct Report {
    networks: BTreeMap<String, Tally>,
    /// Blocks that are listed, by what is listed of them and class.
    listed: BTreeMap<(String, String), u64>,
    /// Refused invalid blocks by class and reason, numbers and hashes left out.
    refusals: BTreeMap<(String, String), u64>,
    failures: Vec<Failure>,
    /// Disagreements of this crate's executor with valid blocks.
    disagreements: Vec<Failure>,
    skipped_networks: BTreeMap<String, u64>,
    other_tests: u64,
    unreadable: Vec<(String, String)>,
}

impl Report {
    /// Counts a test that is no blockchain test.
    pub fn other_test(&mut self) {
        self.other_tests += 1;
    }

    /// Counts a test of a network that is not known.
    pub fn unknown_network(&mut self, network: String) {
        *self.skipped_networks.entry(network).or_default() += 1;
    }

    /// Notes a file that is no file of tests.
    pub fn unreadable_file(&mut self, path: String, reason: String) {
        self.unreadable.push((path, reason));
    }

    /// Counts a block without a specimen.
    pub fn unwritten(&mut self, case: &Case, reason: &Unwritten) {
        let tally = self.networks.entry(case.network.to_string()).or_default();
        match (&case.class, reason) {
            (Some(class), _) => {
                tally.unwritten += 1;
                let kind = if matches!(reason, Unwritten::NotCarried(_)) { "no layout carries it" } else { "encoding" };
                *self.listed.entry((kind.to_owned(), class.clone())).or_default() += 1;
            }
            (None, Unwritten::NoParent) => {
                tally.not_produced += 1;
                self.failures.push(failure(case, reason.to_string()));
            }
            (None, _) => {
                tally.not_carried += 1;
                *self.listed.entry((reason.to_string(), "valid block".to_owned())).or_default() += 1;
            }
        }
    }

    /// Counts a replayed block.
    pub fn replayed(&mut self, replayed: Replayed) {
        let Replayed { case, verdict } = replayed;
        let tally = self.networks.entry(case.network.to_string()).or_default();
        let prepared = case.specimen.as_ref().ok();
        if let Some(reason) = prepared.and_then(|prepared| prepared.disagreement.clone()) {
            self.disagreements.push(failure(&case, reason));
        }
        match (&case.class, verdict) {
            (None, Verdict::Produced) => tally.produced += 1,
            (None, Verdict::Refused(reason)) | (_, Verdict::NotRun(reason)) => {
                tally.not_produced += 1;
                self.failures.push(failure(&case, reason));
            }
            (Some(class), Verdict::Refused(reason)) => {
                tally.refused += 1;
                *self.refusals.entry((class.clone(), kind(&reason))).or_default() += 1;
            }
            (Some(class), Verdict::Produced) => match prepared.and_then(|prepared| prepared.hidden) {
                Some(hidden) => {
                    tally.hidden += 1;
                    *self.listed.entry((hidden.as_str().to_owned(), class.clone())).or_default() += 1;
                }
                None => {
                    tally.wrongly_produced += 1;
                    self.failures.push(failure(&case, "produced".to_owned()));
                }
            },
        }
    }

    /// Adds another report's counts to these.
    pub fn merge(&mut self, other: Self) {
        let Self { networks, listed, refusals, failures, disagreements, skipped_networks, other_tests, unreadable } =
            other;
        for (network, tally) in networks {
            self.networks.entry(network).or_default().add(&tally);
        }
        for (key, count) in listed {
            *self.listed.entry(key).or_default() += count;
        }
        for (key, count) in refusals {
            *self.refusals.entry(key).or_default() += count;
        }
        for (network, count) in skipped_networks {
            *self.skipped_networks.entry(network).or_default() += count;
        }
        self.failures.extend(failures);
        self.disagreements.extend(disagreements);
        self.other_tests += other_tests;
        self.unreadable.extend(unreadable);
    }

    /// Whether every valid block that a layout carries is produced, and no invalid one that its own bytes refute; and
    /// whether there was any block at all.
    pub fn passed(&self) -> bool {
        self.failures.is_empty() && !self.networks.is_empty()
    }

    /// The counts of one network.
    pub fn tally(&self, network: &str) -> Tally {
        self.networks.get(network).copied().unwrap_or_default()
    }

    /// The counts over all networks.
    pub fn total(&self) -> Tally {
        let mut total = Tally::default();
        self.networks.values().for_each(|tally| total.add(tally));
        total
    }

    /// Blocks that did not come out as they must.
    pub fn failures(&self) -> &[Failure] {
        &self.failures
    }

    /// Disagreements of this crate's executor with valid blocks.
    pub fn disagreements(&self) -> &[Failure] {
        &self.disagreements
    }

    /// The whole report as one JSON object.
    pub fn json(&self) -> Value {
        let networks: serde_json::Map<_, _> =
            self.networks.iter().map(|(network, tally)| (network.clone(), tally.json())).collect();
        let counted = |counts: &BTreeMap<(String, String), u64>, first: &str, second: &str| {
            let entries =
                counts.iter().map(|((one, other), blocks)| json!({ first: one, second: other, "blocks": blocks }));
            entries.collect::<Vec<_>>()
        };
        json!({
            "passed": self.passed(),
            "total": self.total().json(),
            "networks": networks,
            "listed": counted(&self.listed, "reason", "class"),
            "refusals": counted(&self.refusals, "class", "reason"),
            "failures": self.failures.iter().map(Failure::json).collect::<Vec<_>>(),
            "executorDisagreements": self.disagreements.iter().map(Failure::json).collect::<Vec<_>>(),
            "unknownNetworks": self.skipped_networks,
            "otherTests": self.other_tests,
            "unreadableFiles": self.unreadable.iter().map(|(path, reason)| json!({ "path": path, "reason": reason })).collect::<Vec<_>>(),
        })
    }
}

/// A reason without its hashes and numbers, so that equal ones are counted together.
fn kind(reason: &str) -> String {
    let words =
        reason.split(' ').map(|word| if word.contains(|letter: char| letter.is_ascii_digit()) { "#" } else { word });
    words.collect::<Vec<_>>().join(" ")
}

fn failure(case: &Case, reason: String) -> Failure {
    Failure {
        network: case.network.to_string(),
        test: case.test.to_string(),
        block: case.block,
        class: case.class.clone(),
        reason,
    }
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.produced += other.produced;
        self.not_produced += other.not_produced;
        self.not_carried += other.not_carried;
        self.refused += other.refused;
        self.hidden += other.hidden;
        self.unwritten += other.unwritten;
        self.wrongly_produced += other.wrongly_produced;
    }

    fn json(&self) -> Value {
        json!({
            "valid": { "produced": self.produced, "notProduced": self.not_produced, "notCarried": self.not_carried },
            "invalid": {
                "refused": self.refused,
                "notShownByOwnBytes": self.hidden,
                "noSpecimen": self.unwritten,
                "wronglyProduced": self.wrongly_produced,
            },
        })
    }
}

impl Failure {
    fn json(&self) -> Value {
        json!({ "network": self.network, "test": self.test, "block": self.block, "class": self.class, "reason": self.reason })
    }
}
