//! JSON to Avro values, by schema.

use apache_avro::{
    Schema,
    schema::{Name, RecordSchema, UnionSchema},
    types::Value as Avro,
};
use refiner_text::UntrustedText;
use serde_json::{Map, Value as Json};

use super::Expected;
use crate::PathSegment;

/// Where JSON does not follow the schema, the path inside out.
pub(super) struct Mismatch {
    pub(super) fault: Fault,
    pub(super) inside_out: Vec<PathSegment>,
}

/// The difference between JSON and the schema at one place.
pub(super) enum Fault {
    /// A value of another type.
    Type(Expected),
    /// A key that is no field's name.
    Unknown(UntrustedText),
    /// A field without a key.
    Missing(&'static str),
}

type Follow = Result<Avro, Mismatch>;

/// The value that the JSON describes.
pub(super) fn segment(json: &Json, schema: &'static Schema) -> Follow {
    value(json, schema, &mut Vec::new())
}

/// `named` holds the records met so far: two places of a schema can share one record.
fn value(json: &Json, schema: &'static Schema, named: &mut Vec<&'static RecordSchema>) -> Follow {
    match (schema, json) {
        (Schema::Null, Json::Null) => Ok(Avro::Null),
        (Schema::Boolean, Json::Bool(boolean)) => Ok(Avro::Boolean(*boolean)),
        (Schema::Boolean, _) => mismatch(Expected::Boolean),
        (Schema::Int, json) => match json.as_i64().map(i32::try_from) {
            Some(Ok(number)) => Ok(Avro::Int(number)),
            _ => mismatch(Expected::Int),
        },
        (Schema::Long, json) => json.as_i64().map_or_else(|| mismatch(Expected::Long), |number| Ok(Avro::Long(number))),
        (Schema::Double, json) => {
            double(json).map_or_else(|| mismatch(Expected::Double), |number| Ok(Avro::Double(number)))
        }
        (Schema::String, Json::String(text)) => Ok(Avro::String(text.clone())),
        (Schema::Bytes, Json::String(text)) => Ok(Avro::Bytes(text.clone().into_bytes())),
        (Schema::Array(array), Json::Array(items)) => items
            .iter()
            .enumerate()
            .map(|(index, item)| value(item, &array.items, named).map_err(|it| it.within(PathSegment::Index(index))))
            .collect::<Result<_, _>>()
            .map(Avro::Array),
        (Schema::Array(_), _) => mismatch(Expected::Array),
        (Schema::Union(union), json) => optional(json, union, named),
        (Schema::Record(record), Json::Object(fields)) => {
            named.push(record);
            object(fields, record, named)
        }
        (Schema::Ref { name }, Json::Object(fields)) => object(fields, by_name(name, named), named),
        (Schema::Record(_) | Schema::Ref { .. }, _) => mismatch(Expected::Object),
        _ => mismatch(Expected::Text),
    }
}

/// A number, or a text of decimal digits.
fn double(json: &Json) -> Option<f64> {
    match json {
        Json::String(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok(),
        json => json.as_f64(),
    }
}

fn optional(json: &Json, union: &'static UnionSchema, named: &mut Vec<&'static RecordSchema>) -> Follow {
    match (json, union.variants()) {
        (Json::Null, _) => Ok(Avro::Union(0, Box::new(Avro::Null))),
        (json, [_, some]) => Ok(Avro::Union(1, Box::new(value(json, some, named)?))),
        _ => unreachable!("every union of ours is of null and something"),
    }
}

fn object(fields: &Map<String, Json>, record: &'static RecordSchema, named: &mut Vec<&'static RecordSchema>) -> Follow {
    if let Some(key) = fields.keys().find(|key| !record.lookup.contains_key(*key)) {
        return fault(Fault::Unknown(UntrustedText::new(key)));
    }
    let field = |field: &'static apache_avro::schema::RecordField| {
        let json = match fields.get(&field.name) {
            Some(json) => json,
            None if matches!(field.schema, Schema::Union(_)) => &Json::Null,
            None => return fault(Fault::Missing(&field.name)),
        };
        let value = value(json, &field.schema, named).map_err(|it| it.within(PathSegment::Field(&field.name)))?;
        Ok((field.name.clone(), value))
    };
    record.fields.iter().map(field).collect::<Result<_, _>>().map(Avro::Record)
}

fn by_name(name: &Name, named: &[&'static RecordSchema]) -> &'static RecordSchema {
    match named.iter().find(|record| record.name == *name) {
        Some(record) => record,
        None => unreachable!("a schema names a record before it refers to it"),
    }
}

impl Mismatch {
    fn within(mut self, step: PathSegment) -> Self {
        self.inside_out.push(step);
        self
    }
}

const fn mismatch<T>(expected: Expected) -> Result<T, Mismatch> {
    fault(Fault::Type(expected))
}

const fn fault<T>(fault: Fault) -> Result<T, Mismatch> {
    Err(Mismatch { fault, inside_out: Vec::new() })
}
