//! Checks as JSON, the same in every report.

use refiner_rule_model::{BasisReport, CheckOutcome, CheckReport, Evidence};
use serde_json::{Map, Value, json};

/// The outcome of one check.
pub fn outcome(report: &CheckReport) -> Value {
    match &report.outcome {
        CheckOutcome::Passed => json!({ "outcome": "passed" }),
        CheckOutcome::Failed { subject, stated, computed } => {
            let mut failed = json!({ "outcome": "failed", "stated": stated.as_str(), "computed": computed.as_str() });
            if !subject.as_str().is_empty() {
                failed["subject"] = subject.as_str().into();
            }
            failed
        }
        CheckOutcome::NotApplicable { reason } => json!({ "outcome": "notApplicable", "reason": reason.as_str() }),
        CheckOutcome::NotCheckable { reason } => json!({ "outcome": "notCheckable", "reason": reason.as_str() }),
    }
}

/// Checks by their names, in their order.
pub fn by_name(reports: &[CheckReport]) -> Map<String, Value> {
    reports.iter().map(|report| (report.name.as_str().to_owned(), outcome(report))).collect()
}

/// The basis of receipts and logs, with the reason where the block could not be executed.
pub fn basis(basis: &BasisReport) -> Map<String, Value> {
    let mut fields = Map::new();
    fields.insert("basis".to_owned(), basis.as_str().into());
    if let BasisReport::Receipts { reason: Some(reason) } = basis {
        fields.insert("basisReason".to_owned(), reason.as_str().into());
    }
    fields
}

/// The fields of a run that show its evidence.
pub fn evidence(evidence: &Evidence) -> Map<String, Value> {
    let Evidence { checks, basis, without_state, reason_class, unproven, supplied, left_out } = evidence;
    let mut fields = Map::new();
    fields.extend(basis.iter().flat_map(self::basis));
    if *without_state {
        fields.insert("stateExported".to_owned(), false.into());
    }
    if let Some(class) = reason_class {
        fields.insert("reasonClass".to_owned(), class.as_str().into());
    }
    fields.insert("checks".to_owned(), Value::Object(by_name(checks)));
    for (name, entries) in [("unproven", unproven), ("supplied", supplied)] {
        let entries: Vec<_> = entries.iter().map(|entry| Value::from(entry.as_str())).collect();
        fields.insert(name.to_owned(), Value::Array(entries));
    }
    if *left_out > 0 {
        fields.insert("leftOut".to_owned(), (*left_out).into());
    }
    fields
}
