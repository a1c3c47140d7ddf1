//! Nothing of an earlier minor version of the contract changed.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{fs, path::Path};

use wit_component::semver_check;
use wit_parser::Resolve;

/// The text of a version, as one package.
fn texts(directory: &str) -> String {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(directory);
    let mut paths: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let text: Vec<_> = paths.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    text.join("\n")
}

/// The first complaint about a world of 1.0 towards the contract whose text is this.
fn complaint(present: &str, world: &str) -> Option<String> {
    let parts = |text: &str| {
        let (first, _) = text.split_once('\n').unwrap();
        let package = first.to_owned();
        package.clone() + "\n" + &text.replace(&package, "")
    };
    let mut resolve = Resolve::default();
    let before = resolve.push_str("before.wit", &parts(&texts("tests/contract/1.0.0/wit"))).unwrap();
    let after = resolve.push_str("after.wit", &parts(present)).unwrap();
    let before = resolve.select_world(&[before], Some(world)).unwrap();
    let after = resolve.select_world(&[after], Some(world)).unwrap();
    semver_check(resolve, before, after).err().map(|error| format!("{error:#}"))
}

#[test]
fn every_world_of_the_first_version_is_served_by_the_present_one() {
    let present = texts("wit/refiner-rule-1");
    for world in ["transform", "transform-with-evm"] {
        assert_eq!(complaint(&present, world), None, "{world}");
    }
}

#[test]
fn case_or_field_that_is_added_to_the_first_version_is_noticed() {
    let present = texts("wit/refiner-rule-1");
    for (from, to) in [
        ("        unavailable(string),\n    }\n\n    /// Logs", "        unavailable(string),\n        other,\n    }\n\n    /// Logs"),
        ("        tx-type: u8,\n        success: bool,", "        tx-type: u8,\n        more: u8,\n        success: bool,"),
    ] {
        assert!(present.contains(from), "{from}");
        assert!(complaint(&present.replacen(from, to, 1), "transform-with-evm").is_some(), "{to}");
    }
}
