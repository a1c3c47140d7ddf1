//! Golden files of what others build on: help, keys of reports, names of metrics, exit codes.
//!
//! `REFINER_BLESS=1` writes them anew. A change of theirs stands in the changelog, which a test demands by their digest.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{collections::BTreeSet, env, fs, path::PathBuf};

use serde_json::Value;

use crate::files::workspace;

/// The directory of the golden files.
pub fn directory() -> PathBuf {
    workspace().join("tests/surface/golden")
}

/// Compares a text with a golden file.
#[track_caller]
pub fn assert_golden(name: &str, text: &str) {
    let path = directory().join(format!("{name}.txt"));
    if env::var_os("REFINER_BLESS").is_some() {
        fs::create_dir_all(directory()).unwrap();
        fs::write(&path, text).unwrap();
        return;
    }
    let golden = fs::read_to_string(&path).unwrap_or_default();
    let differing = golden.lines().zip(text.lines()).find(|(one, other)| one != other);
    assert!(
        golden == text,
        "{} differs, first at {differing:?}: what others build on has changed. If that is meant, write it into CHANGELOG.md and \
         run the test with REFINER_BLESS=1",
        path.display()
    );
}

/// The keys of JSON values and the types of what they hold, one path a line.
pub fn shape<'v>(values: impl IntoIterator<Item = &'v Value>) -> String {
    let mut paths = BTreeSet::new();
    for value in values {
        add(value, "", &mut paths);
    }
    paths.into_iter().map(|path| path + "\n").collect()
}

/// The keys of a JSON value, one path a line: for reports of a moment, in which a value may be absent.
pub fn keys(value: &Value) -> String {
    let shape = shape([value]);
    let paths: BTreeSet<_> = shape.lines().filter_map(|line| line.split_once(": ")).map(|(path, _)| path).collect();
    paths.into_iter().filter(|path| !path.is_empty()).map(|path| format!("{path}\n")).collect()
}

fn add(value: &Value, path: &str, paths: &mut BTreeSet<String>) {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(entries) => {
            entries.iter().for_each(|entry| add(entry, &format!("{path}[]"), paths));
            "array"
        }
        Value::Object(fields) => {
            fields.iter().for_each(|(key, field)| add(field, &format!("{path}.{key}"), paths));
            "object"
        }
    };
    paths.insert(format!("{path}: {kind}"));
}
