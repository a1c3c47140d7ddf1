//! A run's usage and messages as JSON, the same in every report.

use refiner_sandbox::{LimitUse, LogLine, Usage};
use serde_json::{Map, Value, json};

/// Every limit: asked, granted, used.
pub fn usage(usage: &Usage) -> Map<String, Value> {
    usage
        .iter()
        .map(|LimitUse { limit, asked, granted, used }| {
            (limit.to_string(), json!({ "asked": asked, "granted": granted, "used": used }))
        })
        .collect()
}

/// The log.
pub fn log(lines: &[LogLine]) -> Vec<Value> {
    let line = |line: &LogLine| json!({ "level": line.level.as_str(), "message": line.message.to_string() });
    lines.iter().map(line).collect()
}

/// Adds the fields of one object to another.
pub fn merge(into: &mut Value, more: Value) {
    if let (Value::Object(into), Value::Object(more)) = (into, more) {
        into.extend(more);
    }
}
