//! The guide for authors, `docs/first-rule.md`, typed as it stands.

use std::{fs, path::Path};

use crate::{languages::paste, registry::Registry};

/// The registry of the guide.
const ADDRESS: &str = "127.0.0.1:5000";

/// The commands of a section, without those of sections in it.
fn commands(heading: &str) -> Vec<String> {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/first-rule.md");
    let guide = fs::read_to_string(guide).unwrap();
    let section = guide.split("\n#").find_map(|section| section.trim_start_matches('#').strip_prefix(heading));
    let section = section.unwrap_or_else(|| panic!("no section {heading:?}"));
    let commands: Vec<_> = section.lines().filter_map(|line| line.strip_prefix("$ ")).map(str::to_owned).collect();
    assert!(!commands.is_empty(), "no command in {heading:?}");
    commands
}

#[test]
fn guide_typed_as_it_stands_takes_an_author_from_nothing_to_a_published_signed_rule() {
    let Some(registry) = Registry::start(false) else { return };
    let directory = tempfile::tempdir().unwrap();
    let sections = [" Rust", " Make it yours", " Sign it", " Publish it", " Run it as others do"];
    let lines: Vec<_> = sections.into_iter().flat_map(commands).collect();
    let typed = lines.join("\n").replace(ADDRESS, &registry.address.to_string());
    let shown = paste(&typed, directory.path());
    for part in ["3 fresh instances gave the same", "verdict   produced", "\"contract\":\"0x", "@sha256:"] {
        assert!(shown.contains(part), "{part:?} is not in\n{shown}");
    }
    let rule = directory.path().join("busy-contracts");
    let made = fs::read_dir(rule.join("data")).unwrap();
    let names: Vec<_> = made.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    assert!(names.iter().any(|name| name.ends_with(".busy-contracts.busy-contracts.ndjson")), "{names:?}");

    // A component that another key signed is refused, so that the demand above is one.
    let other =
        "refiner rule keygen other.pem && refiner rule run busy-contracts.wasm sample.avro --require-signer other.pub";
    let refused = format!("if {other}; then exit 1; else exit 0; fi");
    paste(&refused, &rule);
}

#[test]
fn guide_has_the_commands_that_a_new_rule_prints_in_every_language() {
    for (heading, language) in [(" Rust", "rust"), (" Go", "go"), (" Python", "python"), (" JavaScript", "javascript")]
    {
        let directory = tempfile::tempdir().unwrap();
        let typed = commands(heading);
        let new = format!("refiner rule new busy-contracts --language {language}");
        assert_eq!(typed[0], new);
        let printed = paste(&new, directory.path());
        let printed: Vec<_> = printed.lines().filter_map(|line| line.strip_prefix("  ")).collect();
        assert_eq!(typed[1..], printed, "{language}");
    }
}
