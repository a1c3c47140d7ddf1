//! Block specimens: bytes to a typed, checked block, and back.
//!
//! Comes in: the bytes of one specimen file. Goes out: a [`Specimen`], named [`check`] results, or a typed error that
//! says where. Never here: IO, async, a clock, execution.

mod block;
pub mod check;
mod decode;
mod layout;

pub use block::{
    AccountRead, Authorization, BlobSidecar, Block, BlockHashRead, CodeRead, Log, Receipt, Specimen, StateReads,
    StorageRead, Transaction,
};
pub use decode::{DecodeError, FieldPath, INPUT_LIMIT_BYTES, Misfit, PathSegment, Wrong, decode, decode_as};
pub use layout::Layout;
