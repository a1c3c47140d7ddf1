//! The guide for authors, `docs/first-rule.md`, typed as it stands, but that a link to the toolchain below `target` stands for the commands
//! that install it, where there is one.
//!
//! Python and JavaScript are typed to the end where `REFINER_EVERY_TEMPLATE` is set: an interpreter is compiled twice, before it is signed
//! and after. Without it, `languages.rs` types what differs from the other languages.

use std::{env, fs, path::Path};

use crate::{
    languages::{has_toolchain, paste, with_installed},
    registry::Registry,
};

/// The registry of the guide.
const ADDRESS: &str = "127.0.0.1:5000";

/// The commands of a section, without those of sections in it.
fn commands(heading: &str) -> Vec<String> {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/first-rule.md");
    let guide = fs::read_to_string(guide).unwrap();
    let section = guide
        .split("\n#")
        .find_map(|section| section.trim_start_matches('#').strip_prefix(heading)?.strip_prefix('\n'));
    let section = section.unwrap_or_else(|| panic!("no section {heading:?}"));
    let commands: Vec<_> = section.lines().filter_map(|line| line.strip_prefix("$ ")).map(str::to_owned).collect();
    assert!(!commands.is_empty(), "no command in {heading:?}");
    commands
}

/// Sections on what follows, which are the same in every language.
const SHARED: [&str; 4] = [" Make it yours", " Sign it", " Publish it", " Run it as others do"];

#[test]
fn guide_typed_as_it_stands_takes_an_author_from_nothing_to_a_published_signed_rule_in_rust() {
    type_guide(" Rust", "rust");
}

#[test]
fn guide_typed_as_it_stands_takes_an_author_from_nothing_to_a_published_signed_rule_in_go() {
    type_guide(" Go", "go");
}

#[test]
fn guide_typed_as_it_stands_takes_an_author_from_nothing_to_a_published_signed_rule_in_c() {
    type_guide(" C", "c");
}

#[test]
fn guide_typed_as_it_stands_takes_an_author_from_nothing_to_a_published_signed_rule_in_scripts() {
    if env::var_os("REFINER_EVERY_TEMPLATE").is_some() {
        type_guide(" Python", "python");
        type_guide(" JavaScript", "javascript");
    }
}

fn type_guide(heading: &str, language: &str) {
    if !has_toolchain(language) {
        return;
    }
    let Some(registry) = Registry::start(false) else { return };
    let directory = tempfile::tempdir().unwrap();
    let mut lines = with_installed(&commands(heading), language);
    lines.extend(SHARED.into_iter().flat_map(commands));
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
    for (heading, language) in
        [(" Rust", "rust"), (" Go", "go"), (" Python", "python"), (" JavaScript", "javascript"), (" C", "c")]
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
