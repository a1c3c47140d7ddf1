//! A line for each artifact, or for the verdict where there is none.

use std::{
    io::{self, Write},
    time::Duration,
};

use refiner_text::OneLine;

use crate::job::{Outcome, Replayed, RunEnd, RunRecord};

/// The line above the others.
pub fn header(out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{:<14} {:<6} {:<20} {:>11} {:>9}  SHA-256 OR REASON", "BLOCK", "LAYOUT", "RULE", "BYTES", "TIME")
}

/// The lines of one specimen. One that is unusable has none here: its error goes to standard error.
pub fn rows(replayed: &Replayed, out: &mut impl Write) -> io::Result<()> {
    let Ok(outcome) = &replayed.outcome else { return Ok(()) };
    outcome.runs.iter().try_for_each(|run| row(outcome, run, out))
}

fn row(outcome: &Outcome, run: &RunRecord, out: &mut impl Write) -> io::Result<()> {
    let facts = &outcome.facts;
    let mut line = |bytes: &str, end: &str| {
        let block = format!("{}-{}", facts.chain_id, facts.height);
        let time = milliseconds(run.elapsed);
        let rule = OneLine(&run.rule).to_string();
        writeln!(out, "{block:<14} {:<6} {rule:<20} {bytes:>11} {time:>9}  {}", facts.layout, OneLine(end))
    };
    match &run.end {
        RunEnd::Produced { artifacts, .. } if artifacts.is_empty() => line("-", "produced no artifact"),
        RunEnd::Produced { artifacts, evidence, .. } => artifacts.iter().try_for_each(|kept| {
            // What was executed needs no word.
            let basis = if evidence.rests_on_receipts() { "  from receipts" } else { "" };
            let sha256 = kept.sha256.map_or_else(|| "-".to_owned(), |sha256| format!("{sha256:x}"));
            line(&kept.bytes.to_string(), &format!("{sha256}{basis}"))
        }),
        RunEnd::Refused { verdict, .. } => line("-", &verdict.to_string()),
        RunEnd::OtherBlock => line("-", &outcome.other_block().to_string()),
        RunEnd::Failed(failure) => line("-", &format!("failed: {failure}")),
    }
}

fn milliseconds(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1e3)
}
