//! A run's usage and messages as JSON, the same in every report.

use refiner_manifest::Manifest;
use refiner_rule_model::{Limit, LimitUse, LogLine, Usage};
use serde_json::{Map, Value, json};

/// Every limit: asked, granted, and used where a run uses it up.
pub fn usage(usage: &Usage) -> Map<String, Value> {
    usage
        .iter()
        .map(|LimitUse { limit, asked, granted, used }| {
            let mut amounts = json!({ "asked": asked, "granted": granted });
            if is_counted(limit) {
                amounts["used"] = used.into();
            }
            (camel_case(&limit.to_string()), amounts)
        })
        .collect()
}

/// False for time, which is watched, and the component's length, which is checked once: neither has an amount of a run.
pub const fn is_counted(limit: Limit) -> bool {
    !matches!(limit, Limit::WallMs | Limit::ComponentBytes)
}

/// `memory_bytes` as `memoryBytes`: every key of a report is written so.
fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let mut joined = words.next().unwrap_or_default().to_owned();
    for word in words {
        let (first, rest) = word.split_at(word.chars().next().map_or(0, char::len_utf8));
        joined.push_str(&first.to_uppercase());
        joined.push_str(rest);
    }
    joined
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

/// Adds `hypothetical: true` where the rule executes blocks under other conditions than their own, and nothing elsewhere.
pub fn mark_hypothetical(into: &mut Value, manifest: &Manifest) {
    if manifest.is_hypothetical() {
        merge(into, json!({ "hypothetical": true }));
    }
}
