//! What an operator does to items by hand: directly, or through the daemon that holds the journal.

use std::{fs, io::Write, path::Path};

use refiner_config::table;
use refiner_diagnostics::{Diagnostic, ExitCode, Failure, Hint};
use refiner_journal::{Action, Applied, Journal, JournalError, Selection};

use super::now_ms;
use crate::{
    arguments::Selected,
    control,
    terminal::{PrintError, Stdout, by_number},
};

/// Items named by number that were left as they are.
#[derive(Debug, thiserror::Error)]
#[error("{kept} of {} items are left as they are", kept + changed)]
pub struct KeptError {
    kept: u64,
    changed: u64,
}

impl Diagnostic for KeptError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Host
    }

    fn hint(&self) -> Option<Hint> {
        Some("`refiner journal show ITEM` shows the state of one".into())
    }
}

/// Does `action` to the selected items and prints the outcome.
pub fn act(selected: &Selected, action: Action, out: &mut Stdout<impl Write>) -> Result<(), Failure> {
    let data = selected.settings.values()?.get(&table::DATA);
    let selection = Selection { items: selected.items.clone(), heights: selected.heights, state: selected.state };
    let applied = apply(&data, &selection, action)?;
    print(&applied, action, out)?;
    if !selection.items.is_empty() && applied.kept > 0 {
        return Err(KeptError { kept: applied.kept, changed: applied.changed }.into());
    }
    Ok(())
}

fn apply(data: &Path, selection: &Selection, action: Action) -> Result<Applied, Failure> {
    let path = data.join("journal.sqlite");
    // Opening would begin one.
    fs::metadata(&path).map_err(|source| JournalError::File { path: path.clone(), source })?;
    match Journal::open(&path) {
        Ok(mut journal) => Ok(journal.apply(selection, action, now_ms())?),
        Err(JournalError::Locked { .. }) => Ok(control::ask(data, selection, action)?),
        Err(error) => Err(error.into()),
    }
}

fn print(applied: &Applied, action: Action, out: &mut Stdout<impl Write>) -> Result<(), PrintError> {
    let Applied { changed, kept, reasons } = applied;
    let done = match action {
        Action::Retry => "to be tried again".to_owned(),
        Action::Rewind { to } => format!("back to {to}"),
        Action::Skip => "skipped".to_owned(),
        Action::Forget => "forgotten".to_owned(),
    };
    let items = by_number(*changed, "item", "items");
    let left = by_number(*kept, "left as it is", "left as they are");
    writeln!(out, "{changed} {items} {done}, {kept} {left}")?;
    for reason in reasons {
        writeln!(out, "{:>6}  {}", reason.item, reason.reason)?;
    }
    match kept.saturating_sub(reasons.len() as u64) {
        0 => Ok(()),
        more => writeln!(out, "        and {more} more"),
    }
}
