//! Rules of the house that no other tool knows.

use std::{fs, io, path::Path};

use super::{errors, names};
use crate::tree;

/// Names of modules whose content has not been understood yet.
const EMPTY_NAMES: [&str; 7] = ["utils", "util", "helpers", "helper", "common", "manager", "misc"];

/// A file of more production lines than this has two subjects.
const LINES_MAX: usize = 400;

/// Folders with Rust of our own.
const ROOTS: [&str; 4] = ["host", "guest-sdk", "rules", "tests"];

/// Offences against the rules, one sentence each.
pub fn offences() -> io::Result<Vec<String>> {
    let mut files = Vec::new();
    for root in ROOTS {
        files.append(&mut tree::files_below(&tree::root().join(root), "rs")?);
    }
    let mut offences = Vec::new();
    for file in files {
        let name = file.strip_prefix(tree::root()).unwrap_or(&file).display().to_string();
        let text = fs::read_to_string(&file)?;
        offences.extend(offences_of(&file, &text).into_iter().map(|what| format!("{name} {what}")));
        offences.extend(errors::offences_of(Path::new(&name), &text).into_iter().map(|what| format!("{name}: {what}")));
        offences.extend(names::offences_of(Path::new(&name), &text).into_iter().map(|what| format!("{name} {what}")));
    }
    Ok(offences)
}

fn offences_of(file: &Path, text: &str) -> Vec<&'static str> {
    let mut offences = Vec::new();
    let module = match file.file_stem() {
        Some(stem) if stem == "mod" => file.parent().and_then(Path::file_name),
        stem => stem,
    };
    if module.is_some_and(|module| EMPTY_NAMES.iter().any(|name| module == *name)) {
        offences.push("has a name without a meaning");
    }
    // Written in two parts, so that this file does not match itself.
    if text.lines().any(|line| line.trim_start().starts_with(concat!("#[", "ignore"))) {
        offences.push("has a test that does not run");
    }
    let production = text.lines().take_while(|line| *line != "#[cfg(test)]").count();
    if production > LINES_MAX && !file.components().any(|part| part.as_os_str() == "tests") {
        offences.push("is so long that it has two subjects");
    }
    offences
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(file: &str, text: &str, expected: &[&str]) {
        assert_eq!(offences_of(Path::new(file), text), expected, "{file}");
    }

    #[test]
    fn module_has_a_name_that_says_something() {
        check("host/evm/src/receipts.rs", "", &[]);
        check("host/evm/src/utils.rs", "", &["has a name without a meaning"]);
        check("host/evm/src/utils/mod.rs", "", &["has a name without a meaning"]);
        check("host/evm/src/utilisation.rs", "", &[]);
    }

    #[test]
    fn every_test_runs() {
        let attribute = concat!("#[", "ignore]");
        check(
            "host/evm/src/a.rs",
            &format!("#[test]\n    {attribute}\nfn f() {{}}"),
            &["has a test that does not run"],
        );
        check("host/evm/src/a.rs", "// a note on ignore", &[]);
    }

    #[test]
    fn file_has_one_subject() {
        let long = "\n".repeat(LINES_MAX + 1);
        check("host/evm/src/a.rs", &"\n".repeat(LINES_MAX), &[]);
        check("host/evm/src/a.rs", &long, &["is so long that it has two subjects"]);
        check("host/evm/src/a.rs", &format!("#[cfg(test)]\n{long}"), &[]);
        check("tests/acceptance/a.rs", &long, &[]);
    }
}
