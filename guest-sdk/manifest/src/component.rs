//! Manifests inside components: one custom section of the outermost component, with the text of `rule.toml`.

use wasm_encoder::{ComponentSection as _, CustomSection};
use wasmparser::{BinaryReader, BinaryReaderError};

use crate::text::{NotUtf8, text};

/// Name of the custom section.
pub const SECTION: &str = "refiner:rule-manifest";

/// Number of custom sections, in modules and components alike.
const CUSTOM_SECTION_ID: u8 = 0;
/// Magic number, version and layer.
const PREAMBLE_BYTES: usize = 8;

/// Reasons for which no manifest can be read from a component.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The component is cut short or is none.
    #[error("section boundaries are unreadable at byte {offset}: {message}")]
    Malformed {
        /// Offset of the fault.
        offset: usize,
        /// Message of the parser.
        message: String,
    },
    /// There are two manifests.
    #[error("there are two, and a reader could see either")]
    Two {
        /// Where the second one's section begins.
        offset: usize,
    },
    /// A manifest that is not text.
    #[error(transparent)]
    NotText(#[from] NotUtf8),
}

/// The component with `manifest` in a section after its last.
///
/// The text is not checked, and a component that holds a manifest already will hold two, which [`read`] refuses.
pub fn embed(component: &[u8], manifest: &str) -> Vec<u8> {
    let mut whole = component.to_vec();
    CustomSection { name: SECTION.into(), data: manifest.as_bytes().into() }.append_to_component(&mut whole);
    whole
}

/// The text of the manifest in a component, or none when it holds none.
///
/// Only sections of the outermost component count, and only their headers are read: the cost grows with their number.
pub fn read(component: &[u8]) -> Result<Option<&str>, ReadError> {
    let mut reader = BinaryReader::new(component, 0);
    reader.read_bytes(PREAMBLE_BYTES)?;
    let mut found = None;
    while !reader.eof() {
        let offset = reader.original_position();
        let id = reader.read_u8()?;
        let mut section = reader.read_reader()?;
        if id != CUSTOM_SECTION_ID || section.read_string()? != SECTION {
            continue;
        }
        let rest = section.bytes_remaining();
        if found.replace(section.read_bytes(rest)?).is_some() {
            return Err(ReadError::Two { offset });
        }
    }
    Ok(found.map(text).transpose()?)
}

/// The component without any manifest in it: what another one can be [embedded](embed) into.
pub fn without(component: &[u8]) -> Result<Vec<u8>, ReadError> {
    let mut reader = BinaryReader::new(component, 0);
    let mut rest = reader.read_bytes(PREAMBLE_BYTES)?.to_vec();
    while !reader.eof() {
        let start = reader.original_position();
        let id = reader.read_u8()?;
        let mut section = reader.read_reader()?;
        if id != CUSTOM_SECTION_ID || section.read_string()? != SECTION {
            rest.extend_from_slice(&component[start..reader.original_position()]);
        }
    }
    Ok(rest)
}

impl From<BinaryReaderError> for ReadError {
    fn from(error: BinaryReaderError) -> Self {
        Self::Malformed { offset: error.offset(), message: error.message().to_owned() }
    }
}
