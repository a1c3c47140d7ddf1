//! A run's usage and messages, as JSON and as tables.

use refiner_diagnostics::Diagnostic as _;
use refiner_sandbox::{LimitUse, LogLine, Usage};
use serde_json::{Map, Value, json};

use super::RuleError;
use crate::terminal::{EscapingStdout, PrintError};

/// Every limit: asked, granted, used.
pub fn usage(usage: &Usage) -> Map<String, Value> {
    usage
        .iter()
        .map(|LimitUse { limit, asked, granted, used }| {
            (limit.to_string(), json!({ "asked": asked, "granted": granted, "used": used }))
        })
        .collect()
}

/// A rule that got nowhere: why, and what to do.
pub fn refused(called: &str, error: &RuleError) -> Value {
    json!({ "schemaVersion": super::check::SCHEMA_VERSION, "rule": called, "admitted": false, "reason": error.to_string(), "remedy": error.hint() })
}

/// The log.
pub fn log(lines: &[LogLine]) -> Vec<Value> {
    let line = |line: &LogLine| json!({ "level": line.level.as_str(), "message": line.message.to_string() });
    lines.iter().map(line).collect()
}

/// Every limit as a table.
pub fn usage_table(usage: &Usage, out: &mut EscapingStdout) -> Result<(), PrintError> {
    writeln!(out, "\n{:<16} {:>16} {:>16} {:>16}", "limit", "asked", "granted", "used")?;
    for LimitUse { limit, asked, granted, used } in usage.iter() {
        writeln!(out, "{:<16} {asked:>16} {granted:>16} {used:>16}", limit.to_string())?;
    }
    Ok(())
}

/// A value without the quotes of a JSON string.
pub fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Adds the fields of one object to another.
pub fn merge(into: &mut Value, more: Value) {
    if let (Value::Object(into), Value::Object(more)) = (into, more) {
        into.extend(more);
    }
}
