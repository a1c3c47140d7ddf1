//! The version of the contract between host and rules: one file states it, and where a literal has to repeat it, that is checked.

use std::{fs, io};

use crate::tree;

/// The file whose first line states the version.
const SOURCE: &str = "wit/refiner-rule-1/worlds.wit";
/// The first line, up to the version.
const PACKAGE: &str = "package refiner:rule@";
/// What stands before the name of an interface.
const INTERFACE: &str = "refiner:rule/";
/// Files that are read where nothing can be computed: what authors copy, and keys of a macro.
const LITERALS: [&str; 5] = [
    "guest-sdk/README.md",
    "guest-sdk/javascript/contract.js",
    "guest-sdk/javascript/evm.js",
    "guest-sdk/src/bindings.rs",
    "tests/twins/javascript/by_sender.js",
];
/// Directories that are looked through, and the endings of files in them.
const DIRECTORIES: [&str; 5] = ["host", "guest-sdk", "tests", "wit", "docs"];
const ENDINGS: [&str; 7] = ["rs", "wat", "wit", "toml", "md", "js", "py"];

/// Files that repeat the version where they need not, and literals of another version.
pub fn offences() -> io::Result<Vec<String>> {
    let root = tree::root();
    let source = fs::read_to_string(root.join(SOURCE))?;
    let Some(version) = source.strip_prefix(PACKAGE).and_then(|rest| Some(rest.split_once(';')?.0)) else {
        return Ok(vec![format!("{SOURCE} does not begin with `{PACKAGE}VERSION;`")]);
    };
    let mut offences = Vec::new();
    for directory in DIRECTORIES {
        for ending in ENDINGS {
            for file in tree::files_below(&root.join(directory), ending)? {
                let name = file.strip_prefix(&root).unwrap_or(&file).display().to_string();
                // A file that is no text has no literal that a person could forget.
                let Ok(text) = fs::read_to_string(&file) else { continue };
                offences.extend(of_file(&name, &text, version));
            }
        }
    }
    Ok(offences)
}

fn of_file(name: &str, text: &str, version: &str) -> Option<String> {
    if name == SOURCE {
        return None;
    }
    let is_literal = LITERALS.contains(&name);
    let packages = text.lines().filter_map(|line| line.strip_prefix(PACKAGE)).filter_map(|rest| rest.split(';').next());
    let found = versions(text).chain(packages).find(|found| (*found == version) != is_literal)?;
    Some(match is_literal {
        true => format!("{name} names version {found} of the contract, and {SOURCE} states {version}"),
        false => format!("{name} repeats version {found} of the contract, which {SOURCE} alone states"),
    })
}

/// The versions behind names of interfaces.
fn versions(text: &str) -> impl Iterator<Item = &str> {
    text.split(INTERFACE).skip(1).filter_map(|rest| {
        let (interface, rest) = rest.split_once('@')?;
        let is_name = interface.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        let end = rest.find(|character: char| !character.is_ascii_digit() && character != '.').unwrap_or(rest.len());
        is_name.then(|| rest[..end].trim_end_matches('.'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In two parts, so that this file is no offence itself.
    fn import(interface: &str, version: &str) -> String {
        format!("(import \"{INTERFACE}{interface}@{version}\")")
    }

    #[test]
    fn version_is_repeated_in_literals_alone_and_there_as_it_is() {
        let check = |name: &str, version: &str| of_file(name, &import("state-changes", version), "7.2.0");
        assert_eq!(check("guest-sdk/README.md", "7.2.0"), None);
        assert!(check("guest-sdk/README.md", "7.1.0").is_some_and(|offence| offence.contains("7.1.0")));
        assert!(check("host/a.rs", "7.2.0").is_some_and(|offence| offence.contains("repeats version 7.2.0")));
        assert_eq!(check("host/a.rs", "7.1.0"), None, "an earlier contract is one of its own");
        assert!(of_file("wit/refiner-rule-1/a.wit", &format!("{PACKAGE}7.2.0;\n"), "7.2.0").is_some());
        assert_eq!(of_file(SOURCE, &format!("{PACKAGE}7.2.0;\n"), "7.2.0"), None);
        assert_eq!(of_file("host/a.rs", &format!("{INTERFACE}x and @7.2.0"), "7.2.0"), None);
    }
}
