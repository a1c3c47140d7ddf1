//! A segment as JSON, field for field as it is on the wire, and back.
//!
//! Avro bytes are JSON strings of the text they hold, nulls stay null, keys come in schema order. Nothing is
//! interpreted, so what an evm-server's `/process` takes is the `data` object unchanged. The doubles of layout 0.2 are
//! whole numbers: those of 2^64 or more become texts of decimal digits, because JSON readers round long numbers.

mod read;
mod text;
mod write;

pub use self::text::read_json;

use apache_avro::{reader::datum::GenericDatumReader, types::Value as Avro, writer::datum::GenericDatumWriter};
use refiner_text::UntrustedText;
use serde_json::Value;

use self::read::Fault;
use crate::{DecodeError, EncodeError, FieldPath, Layout, decode, decode_as, schema};

/// Errors of converting a specimen to JSON and back.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// The bytes are not a specimen, or the JSON describes bytes that are not.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The JSON does not follow the layout's schema.
    #[error("{path} is not {expected}")]
    Mismatch {
        /// The field in question.
        path: FieldPath,
        /// The schema's type at that place.
        expected: Expected,
    },
    /// A field that the layout does not have.
    #[error("{path}: layout {layout} has no field '{name}' here")]
    UnknownField {
        /// The object that has it.
        path: FieldPath,
        /// The layout that was asked for.
        layout: Layout,
        /// The field's name.
        name: UntrustedText,
    },
    /// A field of the layout that is not there.
    #[error("{path}: the field '{name}' of layout {layout} is missing")]
    MissingField {
        /// The object that lacks it.
        path: FieldPath,
        /// The layout that was asked for.
        layout: Layout,
        /// The field's name.
        name: &'static str,
    },
    /// Avro's own writing or reading.
    #[error(transparent)]
    Avro(#[from] EncodeError),
}

/// A schema's type at one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// A record; a field that may be null can be left out.
    Object,
    /// A list.
    Array,
    /// Text, also where the Avro type is bytes.
    Text,
    /// A whole number of 32 bits.
    Int,
    /// A whole number of 64 bits.
    Long,
    /// A number, or a text of decimal digits.
    Double,
    /// True or false.
    Boolean,
}

/// The whole segment.
///
/// # Errors
/// When the bytes are not a specimen.
pub fn to_json(bytes: &[u8]) -> Result<Value, JsonError> {
    // Decoding first finds the layout and refuses what apache-avro might choke on.
    let layout = decode(bytes)?.layout;
    let reader = GenericDatumReader::builder(schema::parsed(layout)).build().map_err(EncodeError::from)?;
    let value = reader.read_value(&mut &bytes[..]).map_err(EncodeError::from)?;
    Ok(write::json(value))
}

/// The `data` object of the only event: what an evm-server's `/process` takes.
///
/// # Errors
/// When the bytes are not a specimen.
pub fn data_json(bytes: &[u8]) -> Result<Value, JsonError> {
    let mut segment = to_json(bytes)?;
    Ok(segment["replicaEvent"][0]["data"].take())
}

/// The bytes of a segment, by a layout. The inverse of [`to_json`] for what the producer writes.
///
/// # Errors
/// [`JsonError::Mismatch`], [`JsonError::UnknownField`] or [`JsonError::MissingField`] where the JSON does not follow the
/// schema, [`JsonError::Decode`] where a text does not mean what the field does: what comes out is a specimen.
pub fn from_json(json: &Value, layout: Layout) -> Result<Vec<u8>, JsonError> {
    let value = read::segment(json, schema::parsed(layout)).map_err(|mismatch| {
        let path = FieldPath::from_inside_out(mismatch.inside_out);
        match mismatch.fault {
            Fault::Type(expected) => JsonError::Mismatch { path, expected },
            Fault::Unknown(name) => JsonError::UnknownField { path, layout, name },
            Fault::Missing(name) => JsonError::MissingField { path, layout, name },
        }
    })?;
    let bytes = avro(value, layout)?;
    decode_as(&bytes, layout)?;
    Ok(bytes)
}

/// The bytes of a value that follows the layout's schema.
fn avro(value: Avro, layout: Layout) -> Result<Vec<u8>, EncodeError> {
    let writer = GenericDatumWriter::builder(schema::parsed(layout)).build()?;
    Ok(writer.write_value_to_vec(value)?)
}

impl std::fmt::Display for Expected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Object => "an object",
            Self::Array => "a list",
            Self::Text => "a text",
            Self::Int => "a whole number of 32 bits",
            Self::Long => "a whole number of 64 bits",
            Self::Double => "a number",
            Self::Boolean => "true or false",
        })
    }
}
