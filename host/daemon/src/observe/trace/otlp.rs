//! Spans in the JSON form of OTLP (`ExportTraceServiceRequest`): ids in hexadecimal, 64-bit numbers as text.

use alloy_primitives::hex;
use serde_json::{Value as Json, json};

use super::{Span, Value};

/// `SPAN_KIND_INTERNAL`.
const INTERNAL: u32 = 1;
const STATUS_OK: u32 = 1;
const STATUS_ERROR: u32 = 2;

/// The body of a request that carries these spans.
pub fn request(spans: &[Span]) -> Json {
    let (name, version) = ("refiner", env!("CARGO_PKG_VERSION"));
    let resource = [("service.name", name), ("service.version", version)];
    let resource: Vec<_> =
        resource.into_iter().map(|(key, text)| json!({"key": key, "value": {"stringValue": text}})).collect();
    let spans: Vec<_> = spans.iter().map(span).collect();
    json!({"resourceSpans": [{
        "resource": {"attributes": resource},
        "scopeSpans": [{"scope": {"name": name, "version": version}, "spans": spans}],
    }]})
}

fn span(span: &Span) -> Json {
    let Span { trace, id, parent, name, start, end, attributes, is_error } = span;
    let attributes: Vec<_> =
        attributes.iter().map(|(key, value)| json!({"key": key, "value": self::value(value)})).collect();
    let mut form = json!({
        "traceId": hex::encode(trace),
        "spanId": hex::encode(id),
        "name": name,
        "kind": INTERNAL,
        "startTimeUnixNano": start.to_string(),
        "endTimeUnixNano": end.to_string(),
        "attributes": attributes,
        "status": {"code": if *is_error { STATUS_ERROR } else { STATUS_OK }},
    });
    if let Some(parent) = parent {
        form["parentSpanId"] = hex::encode(parent).into();
    }
    form
}

fn value(value: &Value) -> Json {
    match value {
        Value::Text(text) => json!({"stringValue": text}),
        Value::Number(number) => json!({"intValue": number.to_string()}),
    }
}
