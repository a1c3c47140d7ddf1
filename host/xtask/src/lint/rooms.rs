//! The rooms of host/ARCHITECTURE.md: packages that a crate never links, and the size of the program.

use std::{collections::BTreeSet, fs};

use anyhow::{Context as _, Result};

use crate::{command, tree};

/// Wasmtime, its compiler, and the crates that link them.
const ENGINE: &[&str] =
    &["wasmtime", "wasmtime-environ", "cranelift-codegen", "refiner-sandbox", "refiner-worker-child"];

/// Crates, and packages that none of their dependencies may bring.
const WITHOUT: [(&str, &[&str]); 20] = [
    ("refiner-specimen", &["wasmtime", "revm", "tokio", "reqwest"]),
    ("refiner-evm", &["wasmtime", "tokio", "reqwest"]),
    ("refiner-specimen-files", &["wasmtime", "revm"]),
    ("refiner-evm-server", ENGINE),
    ("refiner-content", ENGINE),
    ("refiner-journal", ENGINE),
    ("refiner-proofchain", ENGINE),
    ("refiner-config", ENGINE),
    ("refiner-sources", ENGINE),
    ("refiner-authoring", ENGINE),
    ("refiner-status-page", ENGINE),
    ("refiner-terminal", ENGINE),
    ("refiner-rule-model", ENGINE),
    ("refiner-rule-package", ENGINE),
    ("refiner-worker", ENGINE),
    ("refiner-executor", ENGINE),
    ("refiner-queue", ENGINE),
    // The process with the key runs and compiles no rule.
    ("refiner-daemon", ENGINE),
    // The daemon prints nothing, reads no arguments of a command, and makes no rules.
    ("refiner-daemon", &["refiner-terminal", "refiner-replay", "refiner-authoring", "indicatif", "clap_complete"]),
    (
        "refiner-daemon",
        &[
            "refiner-arguments",
            "refiner-content-commands",
            "refiner-custody",
            "refiner-doctor",
            "refiner-evm-commands",
            "refiner-journal-commands",
            "refiner-key-commands",
            "refiner-rule-commands",
        ],
    ),
];

/// The program: command line and wiring.
const PROGRAM: &str = "host/refiner/src";
/// The most lines it may have. What grows beyond belongs into a library, or into the crate of its subject's commands.
const PROGRAM_LINES_MAX: usize = 700;

/// Crates that link what they may not, and a program that is too large.
pub fn offences() -> Result<Vec<String>> {
    let mut offences = Vec::new();
    for (package, without) in WITHOUT {
        offences.extend(linked(&packages_of(package)?, package, without));
    }
    let files = tree::files_below(&tree::root().join(PROGRAM), "rs")?;
    let mut lines = 0;
    for file in files {
        lines += fs::read_to_string(file)?.lines().count();
    }
    offences.extend(too_long(lines));
    Ok(offences)
}

/// Names of the package and of everything that it links.
fn packages_of(package: &str) -> Result<BTreeSet<String>> {
    let mut tree = command::line("cargo tree --edges normal --prefix none --format {p} --locked");
    let answer = command::answer(tree.args(["--package", package])).context("`cargo tree` gives no answer")?;
    Ok(answer.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect())
}

fn linked<'a>(
    packages: &'a BTreeSet<String>,
    package: &'a str,
    without: &'a [&str],
) -> impl Iterator<Item = String> + 'a {
    let found = without.iter().filter(|name| packages.contains(**name));
    found.map(move |name| format!("{package} links {name}: see `cargo tree -p {package} -e normal -i {name}`"))
}

fn too_long(lines: usize) -> Option<String> {
    (lines > PROGRAM_LINES_MAX)
        .then(|| format!("{PROGRAM} has {lines} lines, and at most {PROGRAM_LINES_MAX} are a command line and wiring"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_that_a_crate_may_not_link_is_named() {
        let packages = ["refiner-a", "tokio"].map(str::to_owned).into();
        let offences: Vec<_> = linked(&packages, "refiner-a", &["tokio", "revm"]).collect();
        assert_eq!(offences, ["refiner-a links tokio: see `cargo tree -p refiner-a -e normal -i tokio`"]);
    }

    /// One with few dependencies.
    const PACKAGE: &str = "refiner-text";

    #[test]
    fn every_crate_of_the_list_is_there() {
        for (package, without) in WITHOUT {
            let directory = package.trim_start_matches("refiner-");
            let manifest = fs::read_to_string(tree::root().join("host").join(directory).join("Cargo.toml")).unwrap();
            assert!(manifest.contains(&format!("name = \"{package}\"\n")) && !without.is_empty(), "{package}");
        }
        // What cargo answers names the package itself.
        assert!(packages_of(PACKAGE).unwrap().contains(PACKAGE));
    }

    #[test]
    fn program_keeps_within_its_bound() {
        assert_eq!(too_long(PROGRAM_LINES_MAX), None);
        let offence = too_long(PROGRAM_LINES_MAX + 1);
        assert!(offence.is_some_and(|offence| offence.contains(&format!("{} lines", PROGRAM_LINES_MAX + 1))));
    }
}
