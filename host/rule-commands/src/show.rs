//! A run's usage and messages, as JSON and as tables.

use refiner_diagnostics::{Diagnostic, ExitCode};
use refiner_manifest::Column;
use refiner_rule_model::{LimitUse, UntrustedText, Usage};
use refiner_rule_session::shown::is_counted;
pub use refiner_rule_session::shown::{log, mark_hypothetical, merge, usage};
use serde_json::{Value, json};

use crate::{
    failure,
    terminal::{self, EscapingStdout, PrintError, by_number},
};

/// A rule that got nowhere: why, and what to do.
pub fn refused(called: &str, error: &impl Diagnostic) -> Value {
    json!({ "schemaVersion": super::check::SCHEMA_VERSION, "rule": called, "admitted": false, "reason": error.to_string(), "remedy": error.hint() })
}

/// Prints why a rule got nowhere, of several of which the others follow.
pub fn unusable(called: &str, error: &(impl Diagnostic + 'static), json: bool) -> Result<ExitCode, PrintError> {
    if json {
        writeln!(terminal::out(true), "{}", refused(called, error))?;
    } else {
        failure::report_item(&called, error);
        failure::report_remedy(error.hint());
    }
    Ok(error.exit_code())
}

/// A column in one line: name, type, whether it is a key or can be null, the key in the rows where that is another, and its description.
pub fn column(column: &Column) -> String {
    let Column { name, kind, nullable, key, field: _, doc } = column;
    let field =
        Some(column.field()).filter(|field| field != name).map(|field| format!("field {field}  ")).unwrap_or_default();
    let note = if *key {
        "key"
    } else if *nullable {
        "null"
    } else {
        ""
    };
    format!("{name:<20} {kind:<14} {note:<4}  {field}{}", UntrustedText::new(doc.as_deref().unwrap_or_default()))
}

/// Every limit as a table.
pub fn usage_table(usage: &Usage, out: &mut EscapingStdout) -> Result<(), PrintError> {
    writeln!(out, "\n{:<16} {:>16} {:>16} {:>16}", "limit", "asked", "granted", "used")?;
    for LimitUse { limit, asked, granted, used } in usage.iter() {
        let used = if is_counted(limit) { used.to_string() } else { "-".to_owned() };
        writeln!(out, "{:<16} {asked:>16} {granted:>16} {used:>16}", limit.to_string())?;
    }
    Ok(())
}

/// The line that stands for what a full log did not keep.
pub fn lines_lost(lost: u64) -> Option<String> {
    let word = by_number(lost, "line was", "lines were");
    (lost > 0).then(|| format!("… and {lost} more {word} lost or cut short"))
}

/// A value without the quotes of a JSON string.
pub fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
