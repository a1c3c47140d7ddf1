//! What every library crate has: a page that opens with its purpose, and one way for what all of them do.

use std::{fs, io, path::Path};

use crate::tree;

/// Parts of a crate's page.
const PARTS: [&str; 4] = ["Inputs", "Outputs", "Invariants", "```"];
/// The one library without an example: an extension of Python, which no test of Rust can link.
const WITHOUT_EXAMPLE: [&str; 1] = ["python"];

/// The home of files that appear under their name when they are whole.
const ATOMIC_FILE: &str = "host/atomic-file/src/lib.rs";
/// Marks of a file that is written and then given its name.
const BY_HAND: [&str; 3] = [".persist(", ".persist_noclobber(", "fs::rename("];
/// Renames of what is whole already: directories, files of a unit that is committed together, and damaged ones on their way out.
const RENAMES: [&str; 4] = [
    "host/authoring/src/template.rs",
    "host/content/src/local.rs",
    "host/data-set/src/directory.rs",
    "host/data-set/src/staging.rs",
];

/// Crates whose tests may take in files of each other: those of the program, which are one package.
const PROGRAM_TESTS: [&str; 3] = ["tests/acceptance", "tests/benches", "tests/compose"];

/// Pages that lack a part, files that are written in another way, and test sources that one package takes from another.
pub fn offences() -> io::Result<Vec<String>> {
    let root = tree::root();
    let mut offences = Vec::new();
    for entry in fs::read_dir(root.join("host"))? {
        let (path, name) = entry.map(|entry| (entry.path().join("src/lib.rs"), entry.file_name()))?;
        if path.is_file() {
            let name = name.to_string_lossy().into_owned();
            let text = fs::read_to_string(path)?;
            offences.extend(
                lacking(&name, &text).map(|part| format!("host/{name}/src/lib.rs: the crate's page has no {part}")),
            );
        }
    }
    for directory in ["host", "tests"] {
        for file in tree::files_below(&root.join(directory), "rs")? {
            let name = file.strip_prefix(&root).unwrap_or(&file);
            let text = fs::read_to_string(&file)?;
            let of_file = by_hand(name, &text).into_iter().chain(included(name, &text));
            offences.extend(of_file.map(|what| format!("{}: {what}", name.display())));
        }
    }
    Ok(offences)
}

/// Parts that a crate's page lacks.
fn lacking(name: &str, text: &str) -> impl Iterator<Item = &'static str> {
    let page: Vec<_> = text.lines().take_while(|line| line.starts_with("//!")).collect();
    let page = page.join("\n");
    let needs_example = !WITHOUT_EXAMPLE.contains(&name);
    PARTS.into_iter().filter(move |part| (needs_example || *part != "```") && !page.contains(part))
}

/// The first mark of a file written by hand in production code.
fn by_hand(name: &Path, text: &str) -> Option<String> {
    let is_source = name.starts_with("host") && name.iter().any(|part| part == "src");
    let is_excepted = name == Path::new(ATOMIC_FILE) || name.ends_with("tests.rs") || name.starts_with("host/xtask");
    let production = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let found = BY_HAND.into_iter().find(|mark| production.contains(mark)).filter(|_| is_source && !is_excepted)?;
    let may_rename = found == "fs::rename(" && RENAMES.iter().any(|known| name == Path::new(known));
    (!may_rename).then(|| format!("`{found}`: files get their name by refiner-atomic-file"))
}

/// Sources that are taken in from another package.
fn included(name: &Path, text: &str) -> Vec<String> {
    let paths = text.lines().filter_map(|line| line.trim_start().strip_prefix("#[path = \"")?.split('"').next());
    let mut offences = Vec::new();
    for path in paths {
        let target = resolved(name.parent().unwrap_or(Path::new("")), path);
        if package_of(name) != package_of(&target) {
            offences.push(format!("takes in {}: make a crate of it", target.display()));
        }
    }
    offences
}

/// A relative path from a directory, without `..`.
fn resolved(directory: &Path, path: &str) -> std::path::PathBuf {
    let mut resolved = directory.to_path_buf();
    for part in path.split('/') {
        match part {
            ".." => drop(resolved.pop()),
            part => resolved.push(part),
        }
    }
    resolved
}

/// The two folders by which a package is known; one for all tests of the program.
fn package_of(name: &Path) -> std::path::PathBuf {
    if PROGRAM_TESTS.iter().any(|tests| name.starts_with(tests)) {
        return "host/refiner".into();
    }
    name.iter().take(2).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_without_an_example_or_a_heading_is_named() {
        let page = "//! A crate.\n//!\n//! * **Inputs**: a.\n//! * **Outputs**: b.\n\nuse std::fs; // Invariants ```";
        assert_eq!(lacking("a", page).collect::<Vec<_>>(), ["Invariants", "```"]);
        assert_eq!(lacking("python", page).collect::<Vec<_>>(), ["Invariants"]);
    }

    #[test]
    fn file_that_is_renamed_into_place_by_hand_is_named() {
        let check = |name: &str, text: &str, expected: bool| {
            assert_eq!(by_hand(Path::new(name), text).is_some(), expected, "{name} {text}");
        };
        check("host/a/src/b.rs", "file.persist(path)?;", true);
        check("host/a/src/b.rs", "fs::rename(a, b)?;", true);
        check("host/a/src/b.rs", "#[cfg(test)]\nmod tests {\n    fs::rename(a, b)", false);
        check("host/a/tests/b.rs", "fs::rename(a, b)?;", false);
        check(ATOMIC_FILE, "file.persist(path)", false);
        check(RENAMES[0], "fs::rename(a, b)?;", false);
        check(RENAMES[0], "file.persist(a)?;", true);
    }

    #[test]
    fn source_of_another_package_is_named() {
        let check = |name: &str, path: &str, expected: usize| {
            assert_eq!(
                included(Path::new(name), &format!("#[path = \"{path}\"]\nmod a;")).len(),
                expected,
                "{name} {path}"
            );
        };
        check("host/evm/benches/basis.rs", "../tests/shared/mod.rs", 0);
        check("host/content/tests/content/main.rs", "../../../../tests/kit/src/proxy.rs", 1);
        check("tests/benches/daemon.rs", "../acceptance/daemon/bench.rs", 0);
        check("host/worker-child/tests/container.rs", "../../../tests/compose/engine.rs", 1);
    }
}
