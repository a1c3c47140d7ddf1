//! A [`Specimen`] back to wire bytes, by apache-avro and the schemas of `schemas/specimen`.
//!
//! Not on the hot path, and on purpose by other code than [`decode`](crate::decode): each is the other's witness.

mod block;
mod error;
mod fields;
mod header;
mod receipt;
mod scalar;
mod state;
mod transaction;

use apache_avro::{types::Value, writer::datum::GenericDatumWriter};

use crate::{Layout, Specimen, schema};
use error::{Locate, Say};
use fields::Fields;

pub use error::{EncodeError, Refusal, Unsayable};

/// Encodes a specimen by a layout, which need not be the one it was decoded by.
///
/// What was decoded from the canonical form (what the producer writes) comes out byte for byte.
///
/// # Errors
/// [`EncodeError::Unsayable`] when the layout has no place for something that matters, or no room for a number.
pub fn encode(specimen: &Specimen, layout: Layout) -> Result<Vec<u8>, EncodeError> {
    let value = segment(specimen, layout).map_err(|unsaid| EncodeError::Unsayable(unsaid.into_unsayable(layout)))?;
    write(value, layout)
}

/// Writes a value that follows the layout's schema.
pub(crate) fn write(value: Value, layout: Layout) -> Result<Vec<u8>, EncodeError> {
    let writer = GenericDatumWriter::builder(schema::parsed(layout)).build()?;
    Ok(writer.write_value_to_vec(value)?)
}

fn segment(specimen: &Specimen, layout: Layout) -> Say<Value> {
    let mut event = Fields::new(layout);
    event.hash("hash", specimen.event_hash);
    event.put("data", block::value(&specimen.block, layout)?);
    let mut segment = Fields::new(layout);
    segment.put("replicaEvent", Value::Array(vec![event.record()]));
    segment.long("startBlock", specimen.start_block)?;
    segment.long("endBlock", specimen.end_block)?;
    segment.long("elements", specimen.elements)?;
    segment.put("codecVersion", scalar::double(specimen.stated_codec_version).at("codecVersion")?);
    Ok(segment.record())
}
