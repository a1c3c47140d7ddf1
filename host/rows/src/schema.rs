//! A JSON Schema of rows.

use refiner_manifest::{COLUMNS_MAX, Column, ColumnType, Scalar};
use serde_json::{Map, Value, json};

use crate::TIME_SECONDS_MAX;

const _: () = assert!(COLUMNS_MAX <= u128::BITS as usize, "a reader keeps a bit a column");

/// The JSON Schema (2020-12) of one row: of what [`crate::RowReader`] takes, but for the range of numbers of 256 bits and the nesting of
/// JSON, which it has no words for.
pub fn json_schema(title: &str, columns: &[Column]) -> Value {
    let properties: Map<_, _> = columns.iter().map(|column| (column.field().to_owned(), property(column))).collect();
    let required: Vec<_> = columns.iter().filter(|column| !column.nullable).map(Column::field).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "description": "One line of newline-delimited JSON.",
        "type": "object",
        "additionalProperties": false,
        "required": required,
        "properties": properties,
    })
}

/// The columns as JSON: name, type, whether null fits, whether it is a key, and its description.
pub fn described(columns: &[Column]) -> Value {
    columns
        .iter()
        .map(|Column { name, kind, nullable, key, field: _, doc }| {
            json!({ "name": name, "type": kind.to_string(), "nullable": nullable, "key": key, "doc": doc })
        })
        .collect()
}

fn property(column: &Column) -> Value {
    let mut value = match column.kind {
        ColumnType::One(scalar) => one(scalar),
        // An item of a list of JSON is any JSON, null too.
        ColumnType::List(Scalar::Json) => json!({ "type": "array" }),
        ColumnType::List(item) => json!({ "type": "array", "items": one(item) }),
    };
    if column.nullable {
        value = json!({ "oneOf": [value, { "type": "null" }] });
    }
    // Any JSON: null too, which would be two of the alternatives.
    if column.nullable && column.kind == ColumnType::One(Scalar::Json) {
        value = json!({});
    }
    let Some(object) = value.as_object_mut() else { return value };
    let mut described = Map::new();
    if let Some(doc) = &column.doc {
        described.insert("description".into(), doc.as_str().into());
    }
    described.append(object);
    Value::Object(described)
}

fn one(scalar: Scalar) -> Value {
    let below = |max: u64| json!({ "type": "integer", "minimum": 0, "maximum": max });
    let text = |pattern: &str| json!({ "type": "string", "pattern": pattern });
    match scalar {
        Scalar::U8 => below(u64::from(u8::MAX)),
        Scalar::U16 => below(u64::from(u16::MAX)),
        Scalar::U32 => below(u64::from(u32::MAX)),
        Scalar::U64 => json!({ "oneOf": [below(u64::MAX), text("^(0|[1-9][0-9]{0,19})$")] }),
        Scalar::I64 => json!({ "oneOf": [
            { "type": "integer", "minimum": i64::MIN, "maximum": i64::MAX },
            text("^(0|-?[1-9][0-9]{0,18})$"),
        ] }),
        Scalar::Bool => json!({ "type": "boolean" }),
        Scalar::String => json!({ "type": "string" }),
        Scalar::Bytes => text("^0x([0-9a-f]{2})*$"),
        Scalar::Address => text("^0x[0-9a-f]{40}$"),
        Scalar::Hash => text("^0x[0-9a-f]{64}$"),
        Scalar::U256 => json!({ "oneOf": [below(u64::MAX), text("^(0|[1-9][0-9]{0,77}|0x[0-9a-fA-F]{1,64})$")] }),
        Scalar::I256 => json!({ "oneOf": [
            { "type": "integer", "minimum": i64::MIN, "maximum": u64::MAX },
            text("^(0|-?[1-9][0-9]{0,76})$"),
        ] }),
        Scalar::Time => below(TIME_SECONDS_MAX),
        Scalar::Json => json!({ "type": ["object", "array", "string", "number", "boolean"] }),
    }
}
