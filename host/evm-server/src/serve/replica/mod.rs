//! The JSON of a block replica, as the network's refiner posts it, into a [`Specimen`].
//!
//! * **Inputs**: the JSON of a segment's `data` object: keys in any order and case, unknown keys and trailing bytes ignored.
//! * **Outputs**: the specimen that the segment would have decoded to, or an error that locates the fault.
//! * **Invariants**: syntax errors have the words of Go's `encoding/json`, which clients of the network's
//!   evm-server may look for.

mod any_case;
mod block;
mod go_json;
mod header;
mod plain;
mod receipt;
mod state;
mod text;
mod transaction;

use alloy_primitives::Bytes;
use refiner_specimen::{Block, Layout, Specimen};
use serde::Deserialize as _;
use serde_json::Deserializer;
use serde_path_to_error::Track;

pub use go_json::SyntaxError;

use any_case::AnyCase;
use block::Replica;
use plain::Plain;

/// The Go server's name of the type it read.
const GO_TYPE: &str = "t8ntool.BlockReplica";

/// Reasons for which JSON is not a block replica.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplicaError {
    /// It is not JSON.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// It is JSON of another kind; the words are Go's.
    #[error("json: cannot unmarshal {found} into Go value of type {GO_TYPE}")]
    NotAnObject {
        /// Go's word for what is there.
        found: &'static str,
    },
    /// There is null or nothing where the Go server reached for a pointer and panicked.
    #[error("the block replica has no {field}")]
    Missing {
        /// Name of the field.
        field: &'static str,
    },
    /// A field has another value than it should.
    #[error("{path}: {wrong}")]
    Field {
        /// The way to it, `Transactions[3].gasPrice`.
        path: String,
        /// Found and expected value, and the place in the text.
        wrong: String,
    },
}

/// Reads the first JSON value of `json`.
///
/// The layout is the oldest that has every key that is there. What stands around a block in a segment follows from it: one
/// block, announced by its own hash, in a file of that layout's version. Bytecode stays the text that it is, in `json`, until it is
/// looked at.
///
/// # Errors
///
/// [`ReplicaError`]; syntax goes before meaning, wherever in the text they are.
pub fn read(json: &Bytes) -> Result<Specimen, ReplicaError> {
    specimen(replica(json)?, json)
}

/// Three readers, the fastest first: JSON as producers write it, all JSON, and all JSON with keys in any case.
fn replica(json: &[u8]) -> Result<Replica<'_>, ReplicaError> {
    Replica::deserialize(&mut Plain::new(json))
        .or_else(|_| Replica::deserialize(&mut Deserializer::from_slice(json)))
        .or_else(|_| Replica::deserialize(AnyCase(&mut Deserializer::from_slice(json))))
        .map_err(|_| diagnose(json))
}

fn specimen(replica: Replica<'_>, json: &Bytes) -> Result<Specimen, ReplicaError> {
    let (block, layout) = replica.into_block(json)?;
    let Block { hash, header, .. } = &block;
    Ok(Specimen {
        layout,
        stated_codec_version: codec_version(layout),
        start_block: header.number,
        end_block: header.number,
        elements: 1,
        event_hash: *hash,
        block,
    })
}

/// The version as the number that a file ends with.
fn codec_version(layout: Layout) -> f64 {
    layout.as_str().parse().unwrap_or_default()
}

/// Reads again what could not be read, slower, to find out why.
#[cold]
fn diagnose(json: &[u8]) -> ReplicaError {
    if let Err(error) = go_json::first_value(json) {
        return error.into();
    }
    let first = json.iter().find(|byte| !go_json::is_space(**byte));
    match first.copied().unwrap_or_default() {
        b'{' => {}
        // Go leaves the value as it was, which is without a header.
        b'n' => return ReplicaError::Missing { field: "Header" },
        byte => return ReplicaError::NotAnObject { found: go_json::kind(byte) },
    }
    let mut text = Deserializer::from_slice(json);
    let mut track = Track::new();
    match Replica::deserialize(AnyCase(serde_path_to_error::Deserializer::new(&mut text, &mut track))) {
        Ok(_) => unreachable!("the same text was refused a moment ago"),
        Err(error) => ReplicaError::Field { path: track.path().to_string(), wrong: error.to_string() },
    }
}

#[cfg(test)]
mod tests;
