//! Faults of a manifest.

use crate::{Capability, ColumnFault, LIMIT_NAMES, manifest::MANIFEST_BYTES_MAX};

/// A fault of a manifest. The texts quote it, so callers escape them before they show them for a stranger's manifest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// More bytes than a manifest may have.
    #[error("it has {found_bytes} bytes, and {MANIFEST_BYTES_MAX} are allowed")]
    TooLarge {
        /// Length of the text in bytes.
        found_bytes: usize,
    },
    /// Not TOML, a key that is unknown or missing, or a value of another type.
    #[error("line {line}: {message}")]
    Syntax {
        /// Line, counted from 1.
        line: usize,
        /// The parser's words, which name the key and those it knows.
        message: String,
    },
    /// A value that its field cannot have.
    #[error("{field} {value:?} is not {}", allowed(field))]
    Value {
        /// Name of the field.
        field: &'static str,
        /// Value of the field.
        value: String,
    },
    /// A list with too many items.
    #[error("{found} {field} are listed, and {allowed} are allowed")]
    TooMany {
        /// Name of the list.
        field: &'static str,
        /// Number of items in it.
        found: usize,
        /// Items it may have.
        allowed: usize,
    },
    /// A list with one item twice.
    #[error("{field} name {value:?} twice")]
    Twice {
        /// Name of the list.
        field: &'static str,
        /// The item that is there twice.
        value: String,
    },
    /// A column that no table can have.
    #[error("output {output:?}, column {column:?}: {fault}")]
    Column {
        /// Name of the output.
        output: String,
        /// Name of the column.
        column: String,
        /// The fault of the column.
        fault: ColumnFault,
    },
    /// A world that executes blocks, without leave to.
    #[error("the world transform-with-evm needs capabilities = [\"evm\"]")]
    EvmWithoutCapability,
    /// Leave to execute blocks, in a world that does not.
    #[error("the capability evm needs the world transform-with-evm")]
    CapabilityWithoutEvm,
    /// A capability whose interface uses the types of `evm`, without it.
    #[error("the capability {capability} needs evm beside it: capabilities = [\"evm\", \"{capability}\"]")]
    WithoutEvm {
        /// The capability in question.
        capability: Capability,
    },
    /// A limit that is not in the host's table.
    #[error("there is no limit {name:?}; there are {}", LIMIT_NAMES.join(", "))]
    UnknownLimit {
        /// The name that was given.
        name: String,
    },
}

impl ManifestError {
    pub(crate) fn syntax(text: &str, error: &toml::de::Error) -> Self {
        let before = error.span().map_or(0, |span| span.start.min(text.len()));
        let line = 1 + text.as_bytes()[..before].iter().filter(|byte| **byte == b'\n').count();
        Self::Syntax { line, message: error.message().to_owned() }
    }
}

/// Description of the values that a field may hold.
fn allowed(field: &str) -> &'static str {
    match field {
        "name" | "outputs.name" => {
            "1 to 64 characters of a-z, 0-9, '-', '_' and '.', starting with a letter or a digit"
        }
        "version" => "1 to 64 characters of a-z, 0-9, '-', '_', '.' and '+', starting with a letter or a digit",
        "layouts" => "a layout such as \"0.38\"",
        "outputs.media-type" => "of the form type/subtype in at most 127 visible characters",
        "outputs.schema" => "1 to 255 visible characters",
        _ => "a line of 1 to 1,024 bytes",
    }
}
