//! What a replay amounts to.

use std::{
    collections::BTreeMap,
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use refiner_diagnostics::ExitCode;
use refiner_rule_model::ReasonClass;
use refiner_specimen::check::Outcome;
use refiner_terminal::by_number;

use super::reasons::Reasons;
use crate::{
    job::{Replayed, RunEnd},
    plan::Plan,
};

/// Counts over a whole replay.
#[derive(Debug)]
pub struct Totals {
    pub(super) begun: Instant,
    pub(super) specimens: u64,
    pub(super) unusable: u64,
    pub(super) produced: u64,
    /// Of the produced: those that rest on recorded receipts.
    pub(super) from_receipts: u64,
    pub(super) refused: u64,
    /// Of the refused: those for want of state.
    pub(super) without_state: u64,
    pub(super) failed: u64,
    pub(super) known: u64,
    pub(super) other_blocks: u64,
    pub(super) gas: u64,
    pub(super) input_bytes: u64,
    pub(super) output_bytes: u64,
    /// Of the data set, before this run.
    pub(super) done: u64,
    pub(super) done_otherwise: u64,
    pub(super) copies: u64,
    pub(super) refused_arguments: u64,
    pub(super) interrupted: bool,
    pub(super) reasons: Reasons,
    /// Runs by host, of those on hosts.
    pub(super) hosts: BTreeMap<Arc<str>, u64>,
}

impl Default for Totals {
    fn default() -> Self {
        Self {
            begun: Instant::now(),
            specimens: 0,
            unusable: 0,
            produced: 0,
            from_receipts: 0,
            refused: 0,
            without_state: 0,
            failed: 0,
            known: 0,
            other_blocks: 0,
            gas: 0,
            input_bytes: 0,
            output_bytes: 0,
            done: 0,
            done_otherwise: 0,
            copies: 0,
            refused_arguments: 0,
            interrupted: false,
            reasons: Reasons::default(),
            hosts: BTreeMap::new(),
        }
    }
}

impl Totals {
    /// Counts of a replay that is about to begin.
    pub fn after(plan: &Plan) -> Self {
        let Plan { done, done_otherwise, copies, .. } = *plan;
        Self { done, done_otherwise, copies, ..Self::default() }
    }

    /// Counts arguments that name nothing.
    pub fn refused_arguments(&mut self, count: u64) {
        self.refused_arguments += count;
    }

    /// Notes that a signal ended the replay.
    pub fn interrupted(&mut self, is_interrupted: bool) {
        self.interrupted = is_interrupted;
    }

    /// Time since the replay began.
    pub fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Number of specimens so far.
    pub const fn specimens(&self) -> u64 {
        self.specimens
    }

    /// Blocks and gas a second, and what failed.
    pub fn pace(&self) -> String {
        let elapsed = self.begun.elapsed();
        let mut text = format!(
            "{:.1} blocks/s, {:.0} Mgas/s",
            per_second(self.specimens, elapsed),
            per_second(self.gas, elapsed) / 1e6
        );
        for (count, what) in [(self.unusable, "unusable"), (self.refused, "without result"), (self.failed, "failed")] {
            if count > 0 {
                text.push_str(&format!(", {count} {what}"));
            }
        }
        text
    }

    /// Counts one specimen.
    pub fn add(&mut self, replayed: &Replayed) {
        self.specimens += 1;
        let Ok(outcome) = &replayed.outcome else {
            self.unusable += 1;
            return;
        };
        match outcome.known.outcome {
            Outcome::Passed => self.known += 1,
            Outcome::Failed { .. } => self.other_blocks += 1,
            Outcome::NotApplicable(_) | Outcome::NotCheckable(_) => {}
        }
        self.gas += outcome.facts.gas_used;
        self.input_bytes += outcome.facts.bytes as u64;
        for run in &outcome.runs {
            self.reasons.add(outcome, run);
            if let Some(host) = &run.host {
                *self.hosts.entry(Arc::clone(host)).or_default() += 1;
            }
            match &run.end {
                RunEnd::Produced { artifacts, evidence, .. } => {
                    self.produced += 1;
                    self.from_receipts += u64::from(evidence.rests_on_receipts());
                    self.output_bytes += artifacts.iter().map(|kept| kept.bytes as u64).sum::<u64>();
                }
                RunEnd::Refused { evidence, .. } => {
                    self.refused += 1;
                    self.without_state += u64::from(evidence.reason_class == Some(ReasonClass::NoState));
                }
                RunEnd::OtherBlock => self.refused += 1,
                RunEnd::Failed(_) => self.failed += 1,
            }
        }
    }

    /// The exit code that these counts call for, whatever the verdicts.
    pub fn exit_of_failures(&self) -> ExitCode {
        if self.failed > 0 {
            ExitCode::Host
        } else if self.unusable > 0 {
            ExitCode::Input
        } else {
            ExitCode::Done
        }
    }

    /// The exit code that these counts call for.
    pub fn exit(&self) -> ExitCode {
        if self.failed > 0 {
            ExitCode::Host
        } else if self.unusable > 0 || self.refused_arguments > 0 {
            ExitCode::Input
        } else if self.refused > 0 || self.done_otherwise > 0 {
            ExitCode::Verdict
        } else {
            ExitCode::Done
        }
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let elapsed = self.begun.elapsed();
        if self.interrupted {
            writeln!(f, "interrupted; the same command goes on where it was")?;
        }
        let specimens = by_number(self.specimens, "specimen", "specimens");
        let runs = by_number(self.produced, "run", "runs");
        write!(f, "{} {specimens}: {} {runs} produced", self.specimens, self.produced)?;
        for (count, what) in [
            (self.from_receipts, "of them from receipts"),
            (self.refused, "ended in another verdict"),
            (self.without_state, "of them because the producer exported no state"),
            (self.failed, "failed"),
            (self.unusable, by_number(self.unusable, "specimen unusable", "specimens unusable")),
            (
                self.refused_arguments,
                by_number(self.refused_arguments, "argument that names nothing", "arguments that name nothing"),
            ),
            (self.copies, by_number(self.copies, "copy left out", "copies left out")),
            (self.done, "done before"),
            (self.done_otherwise, "of them with another verdict"),
        ] {
            if count > 0 {
                write!(f, ", {count} {what}")?;
            }
        }
        write!(f, "{}", self.reasons)?;
        for (number, (host, runs)) in self.hosts.iter().enumerate() {
            write!(f, "{}{host} {runs}", if number == 0 { "\nruns by worker host: " } else { ", " })?;
        }
        let not_checkable = self.specimens - self.unusable - self.known - self.other_blocks;
        write!(f, "\nknownBlock: {} passed, {} failed, {not_checkable} not checkable", self.known, self.other_blocks)?;
        write!(
            f,
            "\n{:.2} s, {:.1} blocks/s, {:.0} Mgas/s, {:.1} MB in, {:.1} MB out",
            elapsed.as_secs_f64(),
            per_second(self.specimens, elapsed),
            per_second(self.gas, elapsed) / 1e6,
            self.input_bytes as f64 / 1e6,
            self.output_bytes as f64 / 1e6,
        )
    }
}

fn per_second(count: u64, elapsed: Duration) -> f64 {
    count as f64 / elapsed.as_secs_f64().max(f64::EPSILON)
}
