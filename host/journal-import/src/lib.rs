//! What the network's earlier refiner kept in its `logs`, taken over into the journal.
//!
//! * **Inputs**: the files `worklog.etf` and `block_height.etf` of Erlang's `disk_log`, damaged or not.
//! * **Outputs**: items of the journal, the position of the scan, and a [`Report`] of what was taken and what is left and why.
//! * **Invariants**: a record that cannot be read whole is not taken; what the journal knows stays as it is.
//!
//! ```no_run
//! use refiner_journal::Journal;
//! use refiner_journal_import::{Records, take};
//!
//! let records = Records::read("logs".as_ref())?;
//! let mut journal = Journal::open("data/journal.sqlite".as_ref())?;
//! let report = take(records, &mut journal, &[1], &[], 0)?;
//! assert_eq!(report.specimens.other_chains, 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod files;
mod records;
mod report;

pub use self::{
    error::ImportError,
    records::{Key, Left, Records, Unreadable},
    report::{Position, Report, Specimens, Taken},
};

use refiner_journal::{Imported, Journal, JournalError, Target};

use self::report::JSON_SCHEMA_VERSION;

/// Takes the records of `chains`, or of all chains where none is named, into the journal: an item for each specimen and target.
///
/// # Errors
///
/// The journal's; nothing was taken.
pub fn take(
    records: Records,
    journal: &mut Journal,
    chains: &[u64],
    targets: &[Target],
    now_ms: u64,
) -> Result<Report, JournalError> {
    let is_ours = |key: &Key| chains.is_empty() || chains.contains(&key.chain);
    let mut specimens = Specimens::default();
    for (key, outcome) in &records.specimens {
        *specimens.count_of(is_ours(key).then_some(*outcome)) += 1;
    }
    let ours: Vec<_> = records.specimens.iter().filter(|(key, _)| is_ours(key)).collect();
    let announcements: Vec<_> = ours.iter().map(|(key, outcome)| (key.announcement(), **outcome)).collect();
    let announcements = announcements.iter().map(|(announcement, outcome)| (announcement, *outcome));
    let Imported { begun, ended, known } = journal.import(announcements, targets, now_ms)?;
    let block = records.position();
    let is_taken = block.map_or(Ok(false), |block| journal.set_start(block))?;
    Ok(Report {
        schema_version: JSON_SCHEMA_VERSION,
        dry_run: false,
        files: records.files,
        records: records.records,
        specimens,
        taken: Taken { begun, ended, known },
        position: Position { block, is_taken },
        left: records.left,
    })
}
