use std::collections::BTreeMap;

use alloy_primitives::B256;
use refiner_content::{content_id, serve::ContentName};
use refiner_evm::ExecutionPolicy;
use refiner_rule_model::Limits;
use refiner_worker::TraceContext;
use serde_json::Value;

use super::*;
use crate::{
    limits::{LIST_MAX, PAYLOAD_BYTES_MIN, REFUSAL_BYTES_MAX, REPORT_TEXT_BYTES_MAX, RULES_MAX, TEXT_BYTES_MAX},
    names::Generation,
};

fn task() -> Task {
    let trace = TraceContext { trace: [7; 16], parent: [8; 8] };
    let cid = content_id(b"specimen").to_string();
    Task::new(
        1,
        17,
        B256::repeat_byte(1),
        B256::repeat_byte(2),
        Some(&cid),
        8,
        B256::repeat_byte(3),
        1_000,
        Some(&trace),
    )
}

fn result() -> TaskResult {
    let task = task();
    let artifact = ArtifactRef {
        name: "result".to_owned(),
        media_type: "application/json".to_owned(),
        schema: None,
        sha256: B256::repeat_byte(4),
        bytes: 5,
        cid: content_id(b"artifact").to_string(),
    };
    TaskResult {
        v: VERSION,
        task: task.id(),
        attempt: "0.0".to_owned(),
        chain: 1,
        specimen: B256::repeat_byte(2),
        rule: B256::repeat_byte(3),
        worker: "one".parse().unwrap(),
        version: "0.1.0".to_owned(),
        outcome: Outcome::Produced { artifacts: vec![artifact], basis: None, basis_reason: None },
        from: vec!["http://127.0.0.1:1".to_owned()],
        delivered: 1,
        elapsed_ms: 3,
        fuel: Some(1),
        memory_bytes: None,
        spans: vec![SpanTime { phase: 0, start_us: 1, duration_us: 2 }],
        report: Some("AAAA".to_owned()),
    }
}

/// A message with one field replaced.
fn with(message: &impl Message, field: &str, value: Value) -> Vec<u8> {
    let mut json: Value = serde_json::from_slice(&message.write().unwrap()).unwrap();
    json[field] = value;
    serde_json::to_vec(&json).unwrap()
}

#[test]
fn messages_are_read_as_they_were_written() {
    let (task, result) = (task(), result());
    assert_eq!(Task::read(&task.write().unwrap()).unwrap(), task);
    assert_eq!(TaskResult::read(&result.write().unwrap()).unwrap(), result);
    assert_eq!(task.trace(), Some(TraceContext { trace: [7; 16], parent: [8; 8] }));
    assert!(task.write().unwrap().len() < 2_048);
    assert_eq!(task.specimen_name().unwrap(), ContentName::Id(content_id(b"specimen")));
    let by_hash = Task::new(1, 17, B256::ZERO, B256::repeat_byte(2), None, 8, B256::ZERO, 1_000, None);
    let read = Task::read(&by_hash.write().unwrap()).unwrap();
    assert_eq!((read.specimen_name().unwrap(), &read), (ContentName::Announced([2; 32]), &by_hash));
}

#[test]
fn field_that_no_struct_has_another_version_and_a_name_that_does_not_fit_are_refused() {
    let refused = |bytes: &[u8]| Task::read(bytes).unwrap_err().to_string();
    assert!(refused(&with(&task(), "extra", 1.into())).contains("unknown field `extra`"));
    assert_eq!(refused(&with(&task(), "v", 1.into())), "version 1 (this build speaks 3)");
    assert_eq!(refused(&with(&task(), "chain", 2.into())), "task is not of its form");
    assert_eq!(refused(&with(&task(), "traceparent", "00-zz".into())), "traceparent is not of its form");
    assert!(refused(b"[]").starts_with("not of the form of version 3"));
}

#[test]
fn bounds_hold_just_under_and_not_just_over() {
    let origins = |count: usize| Value::from(vec!["http://a"; count]);
    assert!(Task::read(&with(&task(), "from", origins(LIST_MAX))).is_ok());
    assert!(Task::read(&with(&task(), "from", origins(LIST_MAX + 1))).is_err());
    let version = |bytes: usize| Value::from("x".repeat(bytes));
    assert!(TaskResult::read(&with(&result(), "version", version(TEXT_BYTES_MAX))).is_ok());
    assert!(TaskResult::read(&with(&result(), "version", version(TEXT_BYTES_MAX + 1))).is_err());
    assert!(TaskResult::read(&with(&result(), "report", version(REPORT_TEXT_BYTES_MAX))).is_ok());
    assert!(TaskResult::read(&with(&result(), "report", version(REPORT_TEXT_BYTES_MAX + 1))).is_err());
    let padded = |bytes: usize| {
        let mut json = task().write().unwrap();
        json.resize(bytes, b' ');
        json
    };
    assert!(Task::read(&padded(Task::BYTES_MAX)).is_ok());
    assert!(matches!(Task::read(&padded(Task::BYTES_MAX + 1)), Err(MessageError::TooLong { .. })));
}

#[test]
fn result_under_the_name_of_another_host_is_refused() {
    let bytes = result().write().unwrap();
    assert!(TaskResult::read_from("rfn.aa.result.one", &bytes).is_ok());
    assert!(matches!(TaskResult::read_from("rfn.aa.result.two", &bytes), Err(MessageError::Subject)));
}

#[test]
fn results_agree_by_the_bytes_of_their_artifacts() {
    let (one, mut other) = (result(), result());
    other.worker = "two".parse().unwrap();
    assert!(one.agrees_with(&other));
    if let Outcome::Produced { artifacts, .. } = &mut other.outcome {
        artifacts[0].sha256 = B256::repeat_byte(9);
    }
    assert!(!one.agrees_with(&other));
    other.outcome = Outcome::Refused { reason: "rejected".to_owned(), class: None };
    assert!(!one.agrees_with(&other));
}

#[test]
fn record_of_a_rule_names_every_limit_and_every_term() {
    let limits: BTreeMap<_, _> = Limits::default().iter().map(|(limit, value)| (limit.to_string(), value)).collect();
    let record = RuleRecord {
        name: "a".to_owned(),
        identity: B256::ZERO,
        digest: B256::ZERO,
        cid: content_id(b"").to_string(),
        bytes: 0,
        beside: None,
        params: BTreeMap::new(),
        limits,
        terms: ExecutionPolicy::default().into(),
    };
    assert_eq!(record.limits().unwrap(), Limits::default());
    assert_eq!(record.terms.policy().unwrap(), ExecutionPolicy::default());
    let mut less = record.clone();
    less.limits.pop_first();
    assert!(less.limits().is_err());
    let rules = Rules { v: VERSION, generation: Generation::made_at(1), rules: vec![record] };
    assert_eq!(Rules::read(&rules.write().unwrap()).unwrap(), rules);
}

/// A heartbeat whose every text is as long as it may be, and whose characters JSON escapes.
fn heartbeat(serves: usize, refuses: usize) -> Heartbeat {
    let text = |bytes: usize| "\"".repeat(bytes);
    let refused = Refuses { rule: text(100), reason: text(REFUSAL_BYTES_MAX) };
    Heartbeat {
        v: VERSION,
        worker: "one".parse().unwrap(),
        version: text(TEXT_BYTES_MAX),
        workers: u32::MAX,
        running: u32::MAX,
        done: u64::MAX,
        serves: vec![B256::repeat_byte(7); serves],
        refuses: vec![refused; refuses],
        unpublished: Some(text(REFUSAL_BYTES_MAX)),
        origin: text(TEXT_BYTES_MAX),
    }
}

#[test]
fn host_that_serves_every_rule_or_none_shows_itself_in_a_heartbeat() {
    for (serves, refuses, shown) in [(RULES_MAX, 0, 0), (RULES_MAX - 3, 3, 3), (0, RULES_MAX, 25)] {
        let bytes = heartbeat(serves, refuses).write_within_bounds().unwrap();
        let read = Heartbeat::read_from("rfn.aa.host.one", &bytes).unwrap();
        assert_eq!(read.serves.len(), serves);
        assert!((shown..=refuses).contains(&read.refuses.len()), "{} of {refuses}", read.refuses.len());
    }
    const { assert!(Heartbeat::BYTES_MAX < PAYLOAD_BYTES_MIN) };
}
