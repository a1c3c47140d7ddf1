//! `refiner journal backup`: through the daemon that answers, or directly while none does.

use std::{io::Write, path::Path};

use refiner_config::{Flags, scope, table};
use refiner_diagnostics::Failure;
use refiner_journal::{BackupError, JournalReader};

use crate::{
    control::{self, BackupTo},
    terminal::{Stdout, by_number},
};

/// Copies the journal and prints what the copy holds.
pub fn back_up(
    settings: &Flags<scope::Data>,
    to: &Path,
    force: bool,
    out: &mut Stdout<impl Write>,
) -> Result<(), Failure> {
    let data = settings.values()?.get(&table::DATA);
    // The daemon has a working directory of its own.
    let to = std::path::absolute(to).map_err(|source| BackupError::File { path: to.to_owned(), source })?;
    let backup = match control::backup(&data, BackupTo { to: to.clone(), force })? {
        Some(backup) => backup,
        // A reader holds no writer up, so one that starts meanwhile does no harm.
        None => JournalReader::open(&data.join("journal.sqlite"))?.backup(&to, force)?,
    };
    let items = by_number(backup.items, "item", "items");
    writeln!(out, "{}: {} {items}, {} bytes, verified", to.display(), backup.items, backup.bytes)?;
    Ok(())
}
