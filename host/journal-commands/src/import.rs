//! `refiner journal import`: takes over what the network's earlier refiner kept in `logs`.

use std::{io, path::Path};

use refiner_arguments::Run;
use refiner_daemon::targets;
use refiner_diagnostics::{ExitCode, Failure};
use refiner_journal::{Binding, Journal, JournalError, JournalReader};
use refiner_journal_import::{Position, Records, Report, Specimens, Unreadable, take};
use refiner_text::OneLine;

use super::now_ms;
use crate::{
    settings,
    terminal::{self, PrintError},
};

/// Takes over the logs in a directory, and reports what was taken and what was left.
///
/// # Errors
///
/// Those of settings and rules, [`refiner_journal_import::ImportError`], and the journal's.
pub fn import(logs: &Path, dry_run: bool, json: bool, run: &Run) -> Result<ExitCode, Failure> {
    // Nothing is signed and nothing is asked here.
    let settings = settings::read(run, None)?;
    let records = Records::read(logs)?;
    // Compiled rules are kept there, also by a dry run.
    refiner_permissions::private_directory(&settings.data)
        .map_err(|source| JournalError::File { path: settings.data.clone(), source })?;
    let targets = targets(&settings)?;
    let path = settings.data.join("journal.sqlite");
    let copy = tempfile::tempdir().map_err(|source| JournalError::File { path: path.clone(), source })?;
    let mut journal = if dry_run { copy_of(&path, copy.path())? } else { Journal::open(&path)? };
    let network = &settings.network;
    journal.bind(&Binding { proof_chain: network.chain_id, announcer: network.specimen_contract, operator: None })?;
    let taken = take(records, &mut journal, &settings.scan.source_chains, &targets, now_ms())?;
    let report = Report { dry_run, ..taken };
    let mut out = terminal::buffered_out(json);
    if json {
        out.json_line(&report)?;
    } else {
        print(&report, &mut out)?;
    }
    out.finish()?;
    Ok(ExitCode::Done)
}

/// A journal to try things on: a copy of the one at `path`, or an empty one where there is none.
fn copy_of(path: &Path, directory: &Path) -> Result<Journal, Failure> {
    let copy = directory.join("journal.sqlite");
    if path.exists() {
        JournalReader::open(path)?.backup(&copy, false)?;
    }
    Ok(Journal::open(&copy)?)
}

fn print(report: &Report, out: &mut terminal::Stdout<impl io::Write>) -> Result<(), PrintError> {
    let Report { dry_run, files, records, specimens, taken, position, left, .. } = report;
    let Specimens { sent, closed, given_up, open, other_chains } = specimens;
    writeln!(out, "read      {records} records in {files} files")?;
    writeln!(
        out,
        "found     {sent} specimens with a proof that was sent, {closed} with a closed session, {given_up} given up, {open} open"
    )?;
    writeln!(out, "taken     {} items to be worked on, {} that ended and are skipped", taken.begun, taken.ended)?;
    match position {
        Position { block: Some(block), is_taken: true } => {
            writeln!(out, "position  the scan starts at block {block}")?;
        }
        Position { block: Some(block), .. } => {
            writeln!(out, "left      position {block}: the journal has one of its own")?;
        }
        Position { block: None, .. } => writeln!(out, "position  in no file; `--start` names one")?,
    }
    writeln!(out, "left      {} items that the journal knows", taken.known)?;
    if *other_chains > 0 {
        writeln!(out, "left      {other_chains} specimens of chains other than --source-chain")?;
    }
    if let Some(Unreadable { path, reason }) = &left.first_unreadable {
        let path = path.to_string_lossy();
        writeln!(out, "left      {} records, the first in {}: {reason}", left.unreadable_records, OneLine(&path))?;
    }
    if left.damaged_bytes > 0 {
        writeln!(out, "left      {} bytes of damage", left.damaged_bytes)?;
    }
    for Unreadable { path, reason } in &left.files {
        writeln!(out, "left      {}: {reason}", OneLine(&path.to_string_lossy()))?;
    }
    if *dry_run { writeln!(out, "dry run: nothing was written") } else { Ok(()) }
}
