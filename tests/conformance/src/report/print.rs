//! The report as tables.

use std::fmt;

use super::{Failure, Report, Tally};

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let class = self.class.as_deref().unwrap_or("valid");
        write!(f, "{} block {} ({}, {class}): {}", self.test, self.block, self.network, self.reason)
    }
}

/// Failures that are printed; `--json` has all of them.
const PRINTED: usize = 50;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.listed.is_empty() {
            writeln!(f, "Listed, not counted as failures:")?;
        }
        for ((what, class), blocks) in &self.listed {
            writeln!(f, "  {blocks:>6} {what}: {class}")?;
        }
        for (network, tests) in &self.skipped_networks {
            writeln!(f, "  {tests:>6} tests of the unknown network {network}")?;
        }
        if self.other_tests > 0 {
            writeln!(f, "  {:>6} tests of another kind", self.other_tests)?;
        }
        for (path, reason) in &self.unreadable {
            writeln!(f, "  {path}: {reason}")?;
        }
        for (peek_header, failures) in [
            ("Failures:", &self.failures),
            ("This tool's own executor disagrees with valid blocks:", &self.disagreements),
        ] {
            if !failures.is_empty() {
                writeln!(f, "{peek_header}")?;
            }
            failures.iter().take(PRINTED).try_for_each(|failure| writeln!(f, "  {failure}"))?;
            if let Some(more @ 1..) = failures.len().checked_sub(PRINTED) {
                writeln!(f, "  and {more} more, which --json lists")?;
            }
        }
        table(f, self)
    }
}

fn table(f: &mut fmt::Formatter<'_>, report: &Report) -> fmt::Result {
    writeln!(
        f,
        "{:<32} {:>9} {:>8} {:>8} | {:>9} {:>8} {:>8} {:>8}",
        "NETWORK", "PRODUCED", "NOT", "UNFIT", "REFUSED", "HIDDEN", "UNFIT", "WRONG"
    )?;
    let mut row = |name: &str, tally: &Tally| {
        writeln!(
            f,
            "{name:<32} {:>9} {:>8} {:>8} | {:>9} {:>8} {:>8} {:>8}",
            tally.produced,
            tally.not_produced,
            tally.not_carried,
            tally.refused,
            tally.hidden,
            tally.unwritten,
            tally.wrongly_produced
        )
    };
    report.networks.iter().try_for_each(|(network, tally)| row(network, tally))?;
    row("total", &report.total())?;
    write!(
        f,
        "valid blocks left of the bar, invalid ones right of it; unfit: no specimen can state it; \
         hidden: produced, and its own bytes do not show the fault; wrong: produced, and they do"
    )
}
