//! The report page: one HTML file with the figures of a replay, which needs no other file, no network and no script.
//!
//! * **Inputs**: results as they come, and the totals.
//! * **Outputs**: a file of bounded size, whatever the number of blocks.
//! * **Invariants**: text from outside is escaped, because [`Html`] takes markup as constants only; memory stays the same however many
//!   blocks there are.

mod columns;
mod plot;
mod render;

use std::path::PathBuf;

use refiner_output::{OutputError, write_by_rename};
use refiner_rule_model::Limit;
use refiner_rule_session::LoadedRule;

use self::columns::{Column, Columns, Measures, Value};
use super::Totals;
use crate::job::{Outcome, Replayed, RunEnd};

/// Rules with lines of their own in plots.
const RULES_DRAWN: usize = 8;
/// Runs that are listed as the slowest.
const SLOWEST: usize = 10;
/// Unusable specimens that are listed.
const UNUSABLE_SHOWN: usize = 20;

/// The state that the page shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Runs go on, or the program was killed.
    Running,
    /// A signal ended the replay.
    Interrupted,
    /// An error of the output did.
    Broken,
    /// Everything was run.
    Complete,
}

/// Figures of a replay on their way to a page.
#[derive(Debug)]
pub struct Page {
    path: PathBuf,
    rules: Vec<RuleFigures>,
    columns: Columns,
    slowest: Vec<SlowRun>,
    unusable: Vec<Unusable>,
}

/// What the runs of one rule amount to.
#[derive(Debug)]
struct RuleFigures {
    name: String,
    version: String,
    identity: String,
    produced: u64,
    refused: u64,
    failed: u64,
    seconds: f64,
    fuel: u64,
    bytes: u64,
}

#[derive(Clone, Debug)]
struct SlowRun {
    milliseconds: f64,
    block: (u64, u64),
    rule: usize,
    fuel: u64,
    gas: u64,
}

#[derive(Debug)]
struct Unusable {
    specimen: String,
    class: &'static str,
    message: String,
}

impl Page {
    /// Writes a page without results, so that a path which cannot be written to is an error before the first run.
    ///
    /// # Errors
    ///
    /// The operating system refuses the file.
    pub fn begin(path: PathBuf, rules: &[LoadedRule]) -> Result<Self, OutputError> {
        let figures = |rule: &LoadedRule| RuleFigures {
            name: rule.name.to_string(),
            version: rule.place.manifest().version.clone(),
            identity: rule.identity.to_string(),
            produced: 0,
            refused: 0,
            failed: 0,
            seconds: 0.0,
            fuel: 0,
            bytes: 0,
        };
        let rules: Vec<_> = rules.iter().map(figures).collect();
        let page = Self { path, columns: Columns::default(), rules, slowest: Vec::new(), unusable: Vec::new() };
        page.write(&Totals::default(), State::Running)?;
        Ok(page)
    }

    /// Takes one result.
    pub fn add(&mut self, replayed: &Replayed) {
        match &replayed.outcome {
            Ok(outcome) => self.add_outcome(outcome),
            Err(error) if self.unusable.len() < UNUSABLE_SHOWN => {
                let (specimen, message) = (replayed.input.name(), error.to_string());
                self.unusable.push(Unusable { specimen, class: error.class(), message });
            }
            Err(_) => {}
        }
    }

    /// Writes the page as it is now.
    ///
    /// # Errors
    ///
    /// The operating system refuses the file.
    pub fn write(&self, totals: &Totals, state: State) -> Result<(), OutputError> {
        write_by_rename(&self.path, render::document(self, totals, state).as_bytes())
    }

    fn add_outcome(&mut self, outcome: &Outcome) {
        let block = (outcome.facts.chain_id, outcome.facts.height);
        let mut measures = Vec::with_capacity(outcome.runs.len());
        for (rule, run) in outcome.runs.iter().enumerate() {
            let (mut fuel, mut bytes) = (0, 0);
            let figures = &mut self.rules[rule];
            match &run.end {
                RunEnd::Produced { artifacts, usage, .. } => {
                    figures.produced += 1;
                    fuel = usage.used.get(Limit::Fuel);
                    bytes = artifacts.iter().map(|kept| kept.bytes as u64).sum();
                }
                RunEnd::Refused { usage, .. } => {
                    figures.refused += 1;
                    fuel = usage.used.get(Limit::Fuel);
                }
                RunEnd::OtherBlock => figures.refused += 1,
                RunEnd::Failed(_) => figures.failed += 1,
            }
            figures.seconds += run.elapsed.as_secs_f64();
            figures.fuel += fuel;
            figures.bytes += bytes;
            let milliseconds = run.elapsed.as_secs_f64() * 1e3;
            self.note_slow(SlowRun { milliseconds, block, rule, fuel, gas: outcome.facts.gas_used });
            if rule < RULES_DRAWN {
                measures.push(Measures {
                    milliseconds: Value::of(milliseconds),
                    fuel: Value::of(fuel as f64),
                    bytes: Value::of(bytes as f64),
                });
            }
        }
        let gas = Value::of(outcome.facts.gas_used as f64);
        self.columns.push(Column { first: block, last: block, blocks: 1, gas, rules: measures });
    }

    fn note_slow(&mut self, run: SlowRun) {
        let position = self.slowest.partition_point(|other| other.milliseconds >= run.milliseconds);
        if position < SLOWEST {
            self.slowest.insert(position, run);
            self.slowest.truncate(SLOWEST);
        }
    }
}
