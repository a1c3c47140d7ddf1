//! Wire bytes to a [`Specimen`], in one pass, without strings or a generic value in between.
//!
//! A specimen is a bare Avro datum that does not reliably state which layout wrote it, so each layout is tried, newest
//! first, and the one that consumes every byte is it. A wrong layout meets an impossible union branch within the header
//! or the first transaction, or else goes over sections that are kept, so the tries before the right one cost next to
//! nothing.

mod array;
mod block;
mod error;
mod header;
mod hex;
mod number;
mod older;
mod other;
mod peek_header;
mod receipt;
mod resolve;
mod section;
mod segment;
mod state;
mod text;
mod transaction;
mod wire;

pub use error::{DecodeError, FieldError, LayoutMismatch};
pub use other::OtherFormat;
pub use peek_header::HeaderPeek;

use alloy_primitives::Bytes;

use crate::{Layout, Specimen};
use section::Sections;
use wire::Wire;

/// The largest input that is looked at, in bytes.
///
/// Equal to the cap of `Limit::SpecimenBytes` in host/rule-model/src/limits/table.rs.
pub const INPUT_LIMIT_BYTES: usize = 256 << 20;

/// Decodes one specimen file.
///
/// Lenient where Avro lets one value be written in several ways (arrays in many blocks, with or without a byte size;
/// long varints; upper-case hex; numbers with leading zeros), strict about meaning. Allocates a small multiple of the
/// input, whatever lengths it claims.
///
/// # Errors
/// [`DecodeError::TooLarge`] above [`INPUT_LIMIT_BYTES`]; [`DecodeError::Other`] where the bytes begin as another format does;
/// [`DecodeError::Malformed`] with the place and the reason at which the attempt that got furthest stopped.
pub fn decode(bytes: &[u8]) -> Result<Specimen, DecodeError> {
    whole(bytes, |layout| Wire::new(bytes, layout))
}

/// Decodes one specimen file that the result may share: bytecode stays the text that it is until it is needed.
///
/// # Errors
/// As [`decode`], but for bytecode whose text is no base64, which is found by its first reader: see [`LazyBytecode::to_bytes`].
///
/// [`LazyBytecode::to_bytes`]: crate::LazyBytecode::to_bytes
pub fn decode_shared(bytes: &Bytes) -> Result<Specimen, DecodeError> {
    whole(bytes, |layout| Wire::sharing(bytes, layout))
}

/// Decodes by one named layout only.
///
/// # Errors
/// As [`decode`]; the misfit names `layout`.
pub fn decode_as(bytes: &[u8], layout: Layout) -> Result<Specimen, DecodeError> {
    within_limit(bytes.len())?;
    attempt(Wire::new(bytes, layout), &mut Sections::default())
        .map_err(|misfit| DecodeError::Malformed(Box::new(misfit)))
}

/// Reads which block a specimen is of, and nothing after its header.
///
/// Of the layouts it takes the newest by which the header has the hash that stands before it, and where there is none the
/// newest that fits so far. Only decoding can decide whether the rest is a specimen.
///
/// # Errors
/// As [`decode`].
pub fn peek_header(bytes: &[u8]) -> Result<HeaderPeek, DecodeError> {
    within_limit(bytes.len())?;
    let read = |layout| peek_header::read(Wire::new(bytes, layout));
    let mut readable = Layout::NEWEST_FIRST.into_iter().filter_map(|layout| read(layout).ok());
    match readable.find(|peek_header| peek_header.header_hash == peek_header.hash) {
        Some(peek_header) => Ok(peek_header),
        None => by_newest(read),
    }
}

fn whole<'a>(bytes: &[u8], wire: impl Fn(Layout) -> Wire<'a>) -> Result<Specimen, DecodeError> {
    within_limit(bytes.len())?;
    let mut sections = Sections::default();
    by_newest(|layout| attempt(wire(layout), &mut sections))
        .map_err(|error| OtherFormat::of(bytes).map_or(error, DecodeError::Other))
}

fn by_newest<T>(mut attempt: impl FnMut(Layout) -> Result<T, LayoutMismatch>) -> Result<T, DecodeError> {
    let mut furthest: Option<LayoutMismatch> = None;
    for layout in Layout::NEWEST_FIRST {
        match attempt(layout) {
            Ok(fits) => return Ok(fits),
            Err(misfit) if furthest.as_ref().is_none_or(|furthest| misfit.offset > furthest.offset) => {
                furthest = Some(misfit);
            }
            Err(_) => {}
        }
    }
    match furthest {
        Some(misfit) => Err(DecodeError::Malformed(Box::new(misfit))),
        None => unreachable!("there is at least one layout"),
    }
}

const fn within_limit(size_bytes: usize) -> Result<(), DecodeError> {
    if size_bytes > INPUT_LIMIT_BYTES {
        return Err(DecodeError::TooLarge { size_bytes, limit_bytes: INPUT_LIMIT_BYTES });
    }
    Ok(())
}

fn attempt(mut wire: Wire<'_>, sections: &mut Sections) -> Result<Specimen, LayoutMismatch> {
    segment::read(&mut wire, sections).map_err(|fault| fault.into_misfit(wire.layout))
}
