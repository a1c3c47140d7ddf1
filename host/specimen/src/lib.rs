//! Block specimens: bytes to a typed, checked block, and back.
//!
//! * **Inputs**: the bytes of one specimen file.
//! * **Outputs**: a [`Specimen`], named [`check`] results, or a typed error with the place.
//! * **Invariants**: no IO, async, clock or execution.
//!
//! ```
//! use refiner_specimen::{Layout, decode};
//!
//! // Every error names the place.
//! assert!(decode(b"no specimen").is_err());
//! assert_eq!(Layout::from_version("0.38").map(|layout| layout.as_str().to_owned()), Some("0.38".to_owned()));
//! ```

mod block;
pub mod check;
mod code;
mod decode;
mod double;
mod encode;
mod envelope;
mod hash;
mod json;
mod layout;
mod path;
mod schema;

pub use block::{
    AccountRead, Authorization, BlobSidecar, Block, BlockHashRead, Log, Receipt, Specimen, StateReads, StorageRead,
    Transaction,
};
pub use code::{BytecodeTable, CodeRead, LazyBytecode, NotBase64};
pub use decode::{
    DecodeError, FieldError, HeaderPeek, INPUT_LIMIT_BYTES, LayoutMismatch, OtherFormat, decode, decode_as,
    decode_shared, peek_header,
};
pub use encode::{EncodeError, EncodeObstacle, Unrepresentable, encode};
pub use envelope::{DroppedPart, Envelopes, UnknownTransactionType, transaction_hash, transaction_hashes};
pub use hash::{sha256, specimen_hash};
pub use json::{Expected, JsonError, data_json, from_json, read_json, to_json};
pub use layout::Layout;
pub use path::{FieldPath, PathSegment};
