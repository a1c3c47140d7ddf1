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
const RENAMES: [&str; 5] = [
    "host/authoring/src/template.rs",
    "host/content/src/local.rs",
    "host/data-set/src/directory.rs",
    "host/data-set/src/staging.rs",
    "host/replay/src/verify.rs",
];

/// Pages that lack a part, files that are written in another way, and sources that are taken in by a path.
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
            let of_file = by_hand(name, &text).into_iter().chain(included(&text));
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

/// Modules whose source stands elsewhere than their name tells.
fn included(text: &str) -> impl Iterator<Item = String> {
    let paths = text.lines().filter_map(|line| line.trim_start().strip_prefix("#[path = \"")?.split('"').next());
    paths.map(|path| format!("takes in {path} by its path: make a crate of it"))
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
    fn source_that_is_taken_in_by_a_path_is_named() {
        let count = |text: &str| included(text).count();
        assert_eq!(count("#[path = \"../tests/shared/mod.rs\"]\nmod shared;"), 1);
        assert_eq!(count("mod a;\n    #[path = \"b.rs\"]\n    mod c;"), 1);
        assert_eq!(count("mod shared;\n// #[path = \"b.rs\"]\n"), 0);
    }
}
