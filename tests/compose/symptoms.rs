//! The table of symptoms for operators who come from the network's earlier refiner.

use std::{collections::BTreeSet, fs};

use crate::engine::repository;

/// Everything that operators of the earlier refiner are known to have met, in the order of the table, by words of its row.
const SYMPTOMS: [&str; 39] = [
    "TransportError",
    "only after a restart",
    "one dead content id",
    "stream error: INTERNAL_ERROR",
    "200 and nothing",
    "schema_mismatch",
    "relayFinder",
    "the pinner exits",
    "refused connection while the pinner starts",
    ":irreparable",
    "a wrong setting",
    "every start compiles",
    "position and backlog lost",
    "start-up takes ever longer",
    "memory grows",
    "temporary files fill the disk",
    "proofs vanish",
    "ModuleError",
    "fail to decode after a hard fork",
    "differ from those of other operators",
    "contract addresses changed",
    "the node is behind",
    "announcements are missed",
    "names a content id that no one serves",
    "lower case without `0x`",
    "the key is printed",
    "the pinner moved",
    "names changed",
    "wrong by a million",
    "below `~/.ipfs`",
    "permission errors below `/data`",
    "port scans",
    "docker needs root",
    "a clean rebuild",
    "the journal is damaged or lost",
    "the journal is removed or replaced",
    "two programs with one key",
    "the disk is full",
    "the clock was set",
];

fn page() -> String {
    fs::read_to_string(repository().join("compose/README.md")).unwrap()
}

/// The cells of each row.
fn rows(page: &str) -> Vec<Vec<&str>> {
    let section = page.split("\n## ").find(|section| section.starts_with("Troubleshooting\n")).unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| ")).skip(1);
    let inner = rows.filter_map(|row| row.strip_prefix('|')?.strip_suffix('|'));
    inner.map(|row| row.split('|').map(str::trim).collect()).collect()
}

#[test]
fn every_known_symptom_has_its_row_with_what_is_different_here() {
    let page = page();
    let rows = rows(&page);
    let symptoms: Vec<_> = rows.iter().map(|row| row[0]).collect();
    assert_eq!(symptoms.len(), SYMPTOMS.len(), "{symptoms:#?}");
    for (row, symptom) in rows.iter().zip(SYMPTOMS) {
        assert!(row[0].contains(symptom), "{symptom:?} is not in {:?}", row[0]);
        assert_eq!(row.len(), 4, "{row:?}");
        assert!(!row[1].is_empty(), "{symptom:?} has nothing to tell");
    }
}

#[test]
fn every_test_that_holds_a_row_exists() {
    let page = page();
    let mut seen = BTreeSet::new();
    for cell in rows(&page).into_iter().flatten() {
        for reference in cell.split('`').filter(|part| part.contains(".rs::")) {
            let (path, test) = reference.split_once("::").unwrap();
            let text = fs::read_to_string(repository().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
            assert!(text.contains(&format!("fn {test}(")), "{reference}");
            seen.insert(reference);
        }
    }
    assert!(seen.len() > 20, "{seen:#?}");
}
