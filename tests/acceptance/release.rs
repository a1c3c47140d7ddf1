//! Files of a release beside the program, as the program writes them.

use std::{fs, process::Command};

use crate::program::refiner;

#[test]
fn version_names_what_was_built_from_what() {
    let version = refiner(&["--version"]).expect(0).text();
    assert_eq!(refiner(&["version"]).expect(0).text(), version);
    let verbose = refiner(&["version", "--verbose"]).expect(0).text();
    assert!(verbose.starts_with(&version), "{verbose}");
    let engine = format!("engine    wasmtime {}", refiner_rule_model::engine::WASMTIME_VERSION);
    for line in [
        "commit    ",
        "profile   ",
        "target    ",
        "features  ",
        "journal   version ",
        "rule      block-result  sha256 ",
        &engine,
    ] {
        assert!(verbose.lines().any(|found| found.starts_with(line)), "{line:?} is not in\n{verbose}");
    }
    let json = refiner(&["version", "--json"]).expect(0).json_lines().remove(0);
    assert!(verbose.contains(json["profile"].as_str().unwrap()), "{json}");
    assert!(verbose.contains(json["rules"][0]["sha256"].as_str().unwrap().trim_start_matches("0x")), "{json}");
}

#[test]
fn completions_of_every_shell_name_the_commands() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let text = refiner(&["completions", shell]).expect(0).text();
        for word in ["replay", "journal", "backup", "max-fee-gwei"] {
            assert!(text.contains(word), "{shell}: {word}");
        }
    }
    refiner(&["completions", "tcsh"]).expect(2);
}

#[test]
fn every_command_has_a_manual_page_and_none_holds_a_value_of_the_environment() {
    let directory = tempfile::tempdir().unwrap();
    let pages = directory.path().join("man");
    let written = Command::new(env!("CARGO_BIN_EXE_refiner"))
        .arg("man")
        .arg(&pages)
        .env("REFINER_RPC", "https://secret.example/key")
        .env("BLOCK_RESULT_OPERATOR_PRIVATE_KEY", "11".repeat(32))
        .status();
    assert!(written.unwrap().success());
    let mut names = Vec::new();
    for page in fs::read_dir(&pages).unwrap().map(|entry| entry.unwrap().path()) {
        let text = fs::read_to_string(&page).unwrap();
        assert!(text.contains(".TH ") && text.contains(".SH NAME"), "{}", page.display());
        assert!(!text.contains("secret.example") && !text.contains(&"11".repeat(32)), "{}", page.display());
        names.push(page.file_name().unwrap().to_str().unwrap().to_owned());
    }
    for name in ["refiner.1", "refiner-run.1", "refiner-journal.1", "refiner-journal-rebuild.1"] {
        assert!(names.iter().any(|found| found == name), "{name} is not among {names:?}");
    }
}
