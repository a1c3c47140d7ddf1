//! The project's own tests in the format of the official ones, which stand in `fixtures/`.

mod chain;
mod contents;
mod draft;
mod invalid;
mod json;
mod valid;

use std::path::{Path, PathBuf};

use serde_json::Value;

/// The folder of the committed tests.
pub fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// Name and content of every file in the folder.
///
/// # Panics
/// When a block that should be valid is not.
pub fn files() -> Vec<(String, String)> {
    let file = |(name, tests): (&str, Value)| (name.to_owned(), format!("{tests:#}\n"));
    [("valid.json", valid::tests()), ("invalid.json", invalid::tests())].map(file).into()
}
