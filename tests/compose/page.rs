//! The page for operators: what it names exists, and every symptom has its row.

use std::{collections::BTreeSet, fs};

use refiner_config::table;

use crate::engine::repository;

/// What operators of earlier refiners saw (docs/protocol.md and its sources).
const SYMPTOMS: [&str; 24] = [
    "Mint.TransportError",
    "only after a restart",
    "dead content id",
    "INTERNAL_ERROR",
    "without a file name",
    "schema_mismatch",
    "relayFinder already running",
    "refused connection",
    ":irreparable",
    "every start compiles",
    "position and backlog lost",
    "start-up takes ever longer",
    "memory grows",
    "proofs vanish",
    "ModuleError",
    "hard fork",
    "contract addresses changed",
    "without `0x`",
    "key is printed",
    "3000, 3001, 5080",
    "gcr.io",
    "durations in dashboards",
    "~/.ipfs",
    "netscan",
];

fn page() -> String {
    fs::read_to_string(repository().join("compose/README.md")).unwrap()
}

/// The words of a text that begin with this.
fn words<'t>(text: &'t str, beginning: &'t str) -> impl Iterator<Item = &'t str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "./_-".contains(c);
    let words = text.split(move |c| !is_part(c)).map(|word| word.trim_end_matches('.'));
    words.filter(move |word| word.starts_with(beginning))
}

#[test]
fn every_symptom_has_a_row() {
    let page = page();
    let table = page.split("## Troubleshooting").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows: Vec<_> = table.lines().filter(|line| line.starts_with("| ")).collect();
    for symptom in SYMPTOMS {
        let row = rows.iter().find(|row| row.split(" | ").next().unwrap().contains(symptom));
        let columns = row.unwrap_or_else(|| panic!("{symptom} has no row")).matches(" |").count();
        assert_eq!(columns, 4, "{symptom}");
    }
}

#[test]
fn program_is_built_as_the_image_builds_it() {
    let dockerfile = fs::read_to_string(repository().join("compose/Dockerfile")).unwrap();
    let build = dockerfile.lines().find_map(|line| line.strip_prefix(" && ")).unwrap();
    assert!(build.contains("crt-static") && page().contains(build), "{build}");
    let toolchain = fs::read_to_string(repository().join("rust-toolchain.toml")).unwrap();
    let release = toolchain.lines().find_map(|line| line.strip_prefix("channel = \"")?.strip_suffix('"')).unwrap();
    assert!(dockerfile.contains(&format!("ARG RUST=rust:{release}-")), "{release}");
}

#[test]
fn commands_of_both_pages_are_the_same() {
    let readme = fs::read_to_string(repository().join("README.md")).unwrap();
    let page = page();
    let commands = page.split("```console\n").nth(1).unwrap().split("```").next().unwrap();
    assert!(commands.lines().count() == 3 && readme.contains(commands), "{commands}");
}

#[test]
fn variables_and_files_of_the_page_exist() {
    let page = page();
    let of_files = ["REFINER_IMAGE"];
    let variables: BTreeSet<_> = words(&page, "REFINER_").collect();
    assert!(variables.len() > 5, "{variables:?}");
    for name in variables {
        let known = of_files.contains(&name) || table::rows().any(|row| row.variable() == name);
        assert!(known, "{name} is no setting");
    }
    let files: BTreeSet<_> = words(&page, "compose/").collect();
    assert!(files.len() > 8, "{files:?}");
    for file in files {
        assert!(repository().join(file).exists(), "{file} does not exist");
    }
}
