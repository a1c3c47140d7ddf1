//! A [`Specimen`] back to wire bytes.
//!
//! On purpose by other code than [`decode`](crate::decode): each is the other's witness, and apache-avro reads what both agree on in the
//! tests. Bytes are written at once, field after field: a specimen of 64 MiB as apache-avro's values takes gigabytes.

mod block;
mod error;
mod header;
mod receipt;
mod state;
mod transaction;
mod writer;

use crate::{Layout, Specimen};
use error::{Encoded, Locate};
use writer::Writer;

pub use error::{EncodeError, EncodeObstacle, Unrepresentable};

/// Encodes a specimen by a layout, which need not be the one it was decoded by.
///
/// What was decoded from the canonical form (what the producer writes) comes out byte for byte.
///
/// # Errors
/// [`EncodeError::Unrepresentable`] when the layout has no place for something that matters, or no room for a number.
pub fn encode(specimen: &Specimen, layout: Layout) -> Result<Vec<u8>, EncodeError> {
    let mut out = Writer::new(layout);
    match segment(&mut out, specimen) {
        Ok(()) => Ok(out.into_bytes()),
        Err(unsaid) => Err(EncodeError::Unrepresentable(unsaid.into_unsayable(layout))),
    }
}

fn segment(out: &mut Writer, specimen: &Specimen) -> Encoded<()> {
    // One event, in an array of its own; paths begin below it.
    out.integer(1);
    out.hex(specimen.event_hash);
    block::write(out, &specimen.block)?;
    out.integer(0);
    out.long(specimen.start_block).at("startBlock")?;
    out.long(specimen.end_block).at("endBlock")?;
    out.long(specimen.elements).at("elements")?;
    out.double(specimen.stated_codec_version).at("codecVersion")
}
