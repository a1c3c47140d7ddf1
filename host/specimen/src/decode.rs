//! Wire bytes to a [`Specimen`], in one pass, without strings or a generic value in between.
//!
//! A specimen is a bare Avro datum that does not reliably say which layout wrote it, so each layout is tried, newest
//! first, and the one that consumes every byte is it. A wrong layout meets an impossible union branch within the header
//! or the first transaction, so the tries before the right one cost next to nothing.

mod arena;
mod block;
mod error;
mod header;
mod number;
mod receipt;
mod segment;
mod state;
mod text;
mod transaction;
mod wire;

pub use error::{DecodeError, Misfit, Wrong};

use crate::{Layout, Specimen};
use wire::Wire;

/// The largest input that is looked at, in bytes.
///
/// The cap of design.md's limit table; the largest specimen seen on mainnet has under 16 MiB.
pub const INPUT_LIMIT_BYTES: usize = 256 << 20;

/// Decodes one specimen file.
///
/// Lenient where Avro lets one value be written in several ways (arrays in many blocks, with or without a byte size;
/// long varints; upper-case hex; numbers with leading zeros), strict about meaning. Allocates a small multiple of the
/// input, whatever lengths it claims.
///
/// # Errors
/// [`DecodeError::TooLarge`] above [`INPUT_LIMIT_BYTES`]; [`DecodeError::NoLayoutFits`] with the place and the reason
/// at which the attempt that got furthest stopped.
pub fn decode(bytes: &[u8]) -> Result<Specimen, DecodeError> {
    if bytes.len() > INPUT_LIMIT_BYTES {
        return Err(DecodeError::TooLarge { size_bytes: bytes.len(), limit_bytes: INPUT_LIMIT_BYTES });
    }
    let mut furthest: Option<Box<Misfit>> = None;
    for layout in Layout::NEWEST_FIRST {
        match segment::read(&mut Wire::new(bytes, layout)) {
            Ok(specimen) => return Ok(specimen),
            Err(fault) => {
                if furthest.as_ref().is_none_or(|misfit| fault.offset > misfit.offset) {
                    furthest = Some(Box::new(fault.into_misfit(layout)));
                }
            }
        }
    }
    match furthest {
        Some(misfit) => Err(DecodeError::NoLayoutFits(misfit)),
        None => unreachable!("there is at least one layout"),
    }
}

/// Decodes by one named layout only.
///
/// # Errors
/// As [`decode`]; the misfit names `layout`.
pub fn decode_as(bytes: &[u8], layout: Layout) -> Result<Specimen, DecodeError> {
    if bytes.len() > INPUT_LIMIT_BYTES {
        return Err(DecodeError::TooLarge { size_bytes: bytes.len(), limit_bytes: INPUT_LIMIT_BYTES });
    }
    segment::read(&mut Wire::new(bytes, layout))
        .map_err(|fault| DecodeError::NoLayoutFits(Box::new(fault.into_misfit(layout))))
}
