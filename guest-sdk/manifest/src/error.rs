//! What can be wrong with a manifest.

use crate::{LIMIT_NAMES, manifest::MANIFEST_BYTES_MAX};

/// What is wrong with a manifest. The texts quote it, so whoever shows them for a stranger's manifest escapes them first.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// More bytes than a manifest may have.
    #[error("it has {found_bytes} bytes, and {MANIFEST_BYTES_MAX} are allowed")]
    TooLarge {
        /// Bytes it has.
        found_bytes: usize,
    },
    /// Not TOML, a key that is unknown or missing, or a value of another type.
    #[error("line {line}: {message}")]
    Syntax {
        /// From 1.
        line: usize,
        /// The parser's words, which name the key and those it knows.
        message: String,
    },
    /// A value that its field cannot have.
    #[error("{field} {value:?} is not {}", allowed(field))]
    Value {
        /// The field.
        field: &'static str,
        /// Its value.
        value: String,
    },
    /// A list with too many items.
    #[error("{found} {field} are listed, and {allowed} are allowed")]
    TooMany {
        /// The list.
        field: &'static str,
        /// Items it has.
        found: usize,
        /// Items it may have.
        allowed: usize,
    },
    /// A list with one item twice.
    #[error("{field} name {value:?} twice")]
    Twice {
        /// The list.
        field: &'static str,
        /// The item.
        value: String,
    },
    /// A world that executes blocks, without leave to.
    #[error("the world transform-with-evm needs capabilities = [\"evm\"]")]
    EvmWithoutCapability,
    /// Leave to execute blocks, in a world that does not.
    #[error("the capability evm needs the world transform-with-evm")]
    CapabilityWithoutEvm,
    /// A limit that is not in the host's table.
    #[error("there is no limit {name:?}; there are {}", LIMIT_NAMES.join(", "))]
    UnknownLimit {
        /// The name given.
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

/// What a field may hold, in words.
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
