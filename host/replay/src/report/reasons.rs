//! Runs that produced nothing, by rule and reason.

use std::{collections::BTreeMap, fmt};

use refiner_text::OneLine;

use crate::job::{Outcome, RunEnd, RunRecord};

/// Most reasons that are counted one by one: a rule can put the block's own numbers into its words.
const REASONS_MAX: usize = 20;
/// Most characters of a reason.
const REASON_CHARACTERS_MAX: usize = 160;

/// Runs that produced nothing, by rule and reason.
#[derive(Debug, Default)]
pub struct Reasons {
    counted: BTreeMap<(String, String), Counted>,
    others: u64,
}

/// A reason, and the runs that ended for it.
pub struct Reason<'a> {
    pub rule: &'a str,
    pub reason: &'a str,
    pub runs: u64,
    /// The first block.
    pub first: &'a str,
}

#[derive(Debug)]
struct Counted {
    runs: u64,
    first: String,
}

impl Reasons {
    /// Counts a run, if it produced nothing.
    pub fn add(&mut self, outcome: &Outcome, run: &RunRecord) {
        let reason = match &run.end {
            RunEnd::Produced { .. } => return,
            RunEnd::Refused { verdict, .. } => verdict.to_string(),
            RunEnd::OtherBlock => outcome.other_block().to_string(),
            RunEnd::Failed(failure) => format!("failed: {failure}"),
        };
        let reason = OneLine(reason).to_string().chars().take(REASON_CHARACTERS_MAX).collect();
        let key = (run.rule.to_string(), reason);
        if self.counted.len() >= REASONS_MAX && !self.counted.contains_key(&key) {
            self.others += 1;
            return;
        }
        let first = || Counted { runs: 0, first: format!("{}-{}", outcome.facts.chain_id, outcome.facts.height) };
        self.counted.entry(key).or_insert_with(first).runs += 1;
    }

    /// Every reason that is counted by itself, by rule.
    pub fn iter(&self) -> impl Iterator<Item = Reason<'_>> {
        self.counted.iter().map(|((rule, reason), Counted { runs, first })| Reason { rule, reason, runs: *runs, first })
    }

    /// Runs that ended for other reasons.
    pub const fn others(&self) -> u64 {
        self.others
    }
}

impl fmt::Display for Reasons {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ((rule, reason), Counted { runs, first }) in &self.counted {
            write!(f, "\n  {runs} x {}: {reason} (first {first})", OneLine(rule))?;
        }
        if self.others > 0 { write!(f, "\n  {} x other reasons", self.others) } else { Ok(()) }
    }
}
