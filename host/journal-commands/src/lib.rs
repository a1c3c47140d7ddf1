//! `refiner journal`: what the daemon has done and what is left, asked and changed while it runs or after.
//!
//! * **Inputs**: the arguments of a command; the journal, or the daemon that holds it; the proof chain, where it is read again.
//! * **Outputs**: items, what changed, and copies of the journal; the exit code.
//! * **Invariants**: signs and sends nothing; while a daemon runs, it alone writes.
//!
//! ```
//! use clap::Parser;
//! use refiner_journal_commands::JournalCommand;
//!
//! #[derive(Parser)]
//! struct Program {
//!     #[command(subcommand)]
//!     command: JournalCommand,
//! }
//!
//! let program = Program::try_parse_from(["refiner", "list", "--state", "quarantined"])?;
//! assert!(matches!(program.command, JournalCommand::List { limit: 1_000, .. }));
//! # Ok::<_, clap::Error>(())
//! ```

mod action;
mod arguments;
mod backup;
mod import;
mod scan;

use std::{
    io::Write,
    path::PathBuf,
    time::{SystemTime, UNIX_EPOCH},
};

use refiner_config::{ConfigError, Flags, scope, table};
use refiner_diagnostics::{ExitCode, Failure};
use refiner_journal::{Action, Filter, Item, ItemId, JSON_SCHEMA_VERSION, JournalError, JournalReader};
use refiner_text::OneLine;
use serde::Serialize;
use serde_json::json;

use self::arguments::Chosen;
pub use self::arguments::JournalCommand;
use refiner_arguments::settings;
use refiner_custody as custody;
use refiner_daemon::control::{self, Blocks};
use refiner_terminal::{self as terminal, PrintError, Stdout};

/// Items of a listing that are read at once.
const PAGE: usize = 500;

/// Answers one question, or changes items.
pub fn run(command: &JournalCommand) -> Result<ExitCode, Failure> {
    // An export and one item are JSON whatever was asked for.
    let json = matches!(
        command,
        JournalCommand::List { json: true, .. } | JournalCommand::Show { .. } | JournalCommand::Export { .. }
    );
    let out = &mut terminal::buffered_out(json);
    let mut acted = Ok(());
    match command {
        JournalCommand::List { chosen, limit, json } => list(&read(&chosen.settings)?, chosen, *limit, *json, out)?,
        JournalCommand::Show { item, settings } => show(&read(settings)?, *item, out)?,
        JournalCommand::Scan { from, to, json, run } => {
            return scan::scan(Blocks { from: *from, to: *to }, *json, run);
        }
        JournalCommand::Import { logs, dry_run, json, run } => return import::import(logs, *dry_run, *json, run),
        JournalCommand::Rebuild { from, proved_by, json, run } => {
            return scan::rebuild(*from, *proved_by, *json, run);
        }
        JournalCommand::Backup { to, force, settings } => backup::back_up(settings, to, *force, out)?,
        JournalCommand::Export { chosen } => {
            read(&chosen.settings)?.export(&chosen.filter(), out)?;
        }
        JournalCommand::Retry { selected } => acted = action::act(selected, Action::Retry, out),
        JournalCommand::Rewind { to, selected } => {
            acted = action::act(selected, Action::Rewind { to: to.state() }, out);
        }
        JournalCommand::Skip { selected } => acted = action::act(selected, Action::Skip, out),
        JournalCommand::Forget { selected } => acted = action::act(selected, Action::Forget, out),
    }
    out.finish()?;
    acted?;
    Ok(ExitCode::Done)
}

/// A line of `journal list --json`.
#[derive(Serialize)]
struct Listed<'a> {
    #[serde(rename = "schemaVersion")]
    schema_version: u32,
    #[serde(flatten)]
    item: &'a Item,
}

fn list(
    journal: &JournalReader,
    chosen: &Chosen,
    limit: usize,
    json: bool,
    out: &mut Stdout<impl Write>,
) -> Result<(), Failure> {
    let mut filter = chosen.filter();
    let mut left = limit;
    while left > 0 {
        let items = journal.list(&filter, left.min(PAGE))?;
        let Some(last) = items.last() else { break };
        filter.after = Some(last.id);
        left -= items.len();
        for item in &items {
            if json {
                out.json_line(&Listed { schema_version: JSON_SCHEMA_VERSION, item })?;
            } else {
                line(item, out)?;
            }
        }
    }
    Ok(())
}

fn line(item: &Item, out: &mut Stdout<impl Write>) -> Result<(), PrintError> {
    let why = item.reason.as_deref().or(item.last_error.as_deref()).unwrap_or_default();
    let Item { id, chain, height, state, rule_name, .. } = item;
    writeln!(
        out,
        "{id:>6}  {chain}-{height:<10}  {:<20}  {state:<12}  {}",
        OneLine(rule_name).to_string(),
        OneLine(why)
    )
}

fn show(journal: &JournalReader, id: ItemId, out: &mut Stdout<impl Write>) -> Result<(), Failure> {
    let item = journal.item(id)?.ok_or(JournalError::NoItem(id))?;
    let shown = json!({
        "schemaVersion": JSON_SCHEMA_VERSION,
        "key": item.key(),
        "item": item,
        "artifacts": journal.artifacts(id)?,
        "transactions": journal.transactions(id)?,
    });
    Ok(out.json(&shown)?)
}

impl Chosen {
    fn filter(&self) -> Filter {
        Filter { state: self.state, height: self.height, after: None }
    }
}

fn read(settings: &Flags<scope::Data>) -> Result<JournalReader, Failure> {
    Ok(JournalReader::open(&path(settings)?)?)
}

/// The journal in the daemon's directory.
fn path(settings: &Flags<scope::Data>) -> Result<PathBuf, ConfigError> {
    Ok(settings.values()?.get(&table::DATA).join("journal.sqlite"))
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
