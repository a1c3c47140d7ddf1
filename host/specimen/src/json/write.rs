//! Avro values to JSON.

use apache_avro::types::Value as Avro;
use serde_json::{Map, Number, Value as Json};

use crate::double;

/// The JSON of a value that was read by one of our schemas.
pub(super) fn json(value: Avro) -> Json {
    match value {
        Avro::Null => Json::Null,
        Avro::Boolean(boolean) => Json::Bool(boolean),
        Avro::Int(number) => Json::from(number),
        Avro::Long(number) => Json::from(number),
        Avro::Double(number) => double(number),
        Avro::String(text) => Json::String(text),
        // Decoding has shown it to be hex text.
        Avro::Bytes(bytes) => Json::String(String::from_utf8_lossy(&bytes).into_owned()),
        Avro::Union(_, value) => json(*value),
        Avro::Array(items) => Json::Array(items.into_iter().map(json).collect()),
        Avro::Record(fields) => {
            Json::Object(fields.into_iter().map(|(name, value)| (name, json(value))).collect::<Map<_, _>>())
        }
        other => unreachable!("no schema of ours has {other:?}"),
    }
}

/// A number that every reader takes for the same double.
fn double(number: f64) -> Json {
    match double::whole(number).filter(|_| number.is_sign_positive()) {
        Some(whole) => u64::try_from(whole).map_or_else(|_| Json::String(whole.to_string()), Json::from),
        None => Number::from_f64(number).map_or(Json::Null, Json::Number),
    }
}
