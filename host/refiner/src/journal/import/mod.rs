//! `refiner journal import`: takes over what the network's earlier refiner kept in `logs`.

mod files;
mod records;

use std::{
    io,
    path::{Path, PathBuf},
};

use refiner_daemon::targets;
use refiner_diagnostics::{Diagnostic, ExitCode, Failure, Hint};
use refiner_journal::{Binding, EarlierOutcome, Imported, Journal, JournalError, JournalReader};
use refiner_text::OneLine;
use serde::Serialize;

use self::records::{Key, Left, Records, Unreadable};
use super::now_ms;
use crate::{
    cli, settings,
    terminal::{self, PrintError},
};

/// Version of the report in JSON.
const JSON_SCHEMA_VERSION: u32 = 1;

/// Errors of an import. Nothing was taken.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// No log of an earlier refiner.
    #[error("{}: neither worklog.etf nor block_height.etf, nor files of these names with a number", path.display())]
    NoLog {
        /// The directory.
        path: PathBuf,
    },
    /// The directory cannot be read.
    #[error("{}: {source}", path.display())]
    File {
        /// The directory.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// More specimens than any refiner came to.
    #[error("more than {most} specimens")]
    TooMany {
        /// The bound.
        most: usize,
    },
}

impl Diagnostic for ImportError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::NoLog { .. } | Self::File { .. } | Self::TooMany { .. } => ExitCode::Usage,
        }
    }

    fn hint(&self) -> Option<Hint> {
        match self {
            Self::NoLog { .. } | Self::File { .. } => {
                Some("name the directory `logs` of the earlier refiner, copied out of its container".into())
            }
            Self::TooMany { .. } => Some("set aside the oldest files, and import the others".into()),
        }
    }
}

/// The outcome, for people and for programs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    schema_version: u32,
    dry_run: bool,
    files: u64,
    records: u64,
    specimens: Specimens,
    taken: Taken,
    position: Position,
    left: Left,
}

/// Specimens in the logs.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Specimens {
    sent: u64,
    closed: u64,
    given_up: u64,
    open: u64,
    other_chains: u64,
}

/// Items of the journal.
#[derive(Debug, Serialize)]
struct Taken {
    begun: u64,
    ended: u64,
    known: u64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Position {
    /// The block with which the earlier refiner would go on.
    block: Option<u64>,
    /// True where the scan starts there.
    is_taken: bool,
}

/// Takes over the logs in a directory, and reports what was taken and what was left.
///
/// # Errors
///
/// Those of settings and rules, [`ImportError`], and the journal's.
pub fn import(logs: &Path, dry_run: bool, json: bool, run: &cli::Run) -> Result<ExitCode, Failure> {
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

    let chains = &settings.scan.source_chains;
    let is_ours = |key: &Key| chains.is_empty() || chains.contains(&key.chain);
    let mut specimens = Specimens::default();
    for (key, outcome) in &records.specimens {
        *specimens.count_of(is_ours(key).then_some(*outcome)) += 1;
    }
    let ours: Vec<_> = records.specimens.iter().filter(|(key, _)| is_ours(key)).collect();
    let announcements: Vec<_> = ours.iter().map(|(key, outcome)| (key.announcement(), **outcome)).collect();
    let announcements = announcements.iter().map(|(announcement, outcome)| (announcement, *outcome));
    let Imported { begun, ended, known } = journal.import(announcements, &targets, now_ms())?;
    let block = records.position();
    let is_taken = block.map_or(Ok(false), |block| journal.set_start(block))?;
    let report = Report {
        schema_version: JSON_SCHEMA_VERSION,
        dry_run,
        files: records.files,
        records: records.records,
        specimens,
        taken: Taken { begun, ended, known },
        position: Position { block, is_taken },
        left: records.left,
    };
    let mut out = terminal::buffered_out(json);
    if json {
        out.json_line(&report)?;
    } else {
        report.print(&mut out)?;
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

impl Specimens {
    const fn count_of(&mut self, outcome: Option<EarlierOutcome>) -> &mut u64 {
        match outcome {
            None => &mut self.other_chains,
            Some(EarlierOutcome::Open) => &mut self.open,
            Some(EarlierOutcome::Closed) => &mut self.closed,
            Some(EarlierOutcome::GivenUp) => &mut self.given_up,
            Some(EarlierOutcome::Sent) => &mut self.sent,
        }
    }
}

impl Report {
    fn print(&self, out: &mut terminal::Stdout<impl io::Write>) -> Result<(), PrintError> {
        let Self { dry_run, files, records, specimens, taken, position, left, .. } = self;
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
}
