//! The operator's key: where it comes from, its address, and the permissions of its file.

use std::fs;

use alloy_primitives::Address;
use refiner_diagnostics::{Diagnostic as _, ErrorChain};
use refiner_permissions::open_to_others;
use refiner_proofchain::{KeyError, KeySource, SecretFile};

use super::Check;
use crate::config::Key;

const NAME: &str = "key";

/// A key that was loaded, or none where nothing is proved.
pub fn check(key: &Key, address: Option<Address>) -> Check {
    let (Key::From(source), Some(address)) = (key, address) else {
        return Check::ok(NAME, "none: results are not proved");
    };
    let (place, files): (_, &[&SecretFile]) = match source {
        KeySource::Value(_) => {
            let detail = format!("{address}, from the environment");
            return Check::warning(NAME, detail, "put it into a file of mode 600, and name that by --key-file");
        }
        KeySource::File(file) => ("a file", &[file]),
        KeySource::Keystore { keystore, password } => ("a keystore", &[keystore, password]),
        KeySource::Web3Signer { .. } => ("a Web3Signer", &[]),
    };
    let detail = format!("{address}, from {place}");
    let open = files.iter().find_map(|file| {
        let mode = open_to_others(&fs::metadata(file.path()).ok()?)?;
        Some((file.path(), mode))
    });
    match open {
        Some((path, mode)) => {
            let remedy = format!("chmod 600 {}", path.display());
            Check::warning(NAME, format!("{detail}; {} is open to others (mode {mode:o})", path.display()), remedy)
        }
        None if files.is_empty() => Check::ok(NAME, detail),
        None => Check::ok(NAME, format!("{detail}, which its owner alone may read")),
    }
}

/// A key that cannot be loaded.
pub fn failed(error: &KeyError) -> Check {
    let remedy = error.hint().map_or_else(
        || "compare --key-file, --keystore and --password-file with the files".to_owned(),
        |hint| hint.to_string(),
    );
    Check::error(NAME, ErrorChain(error).to_string(), remedy)
}
