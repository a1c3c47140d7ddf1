//! The surface that others build on: it changes only together with the changelog.

use std::{fs, path::Path};

use serde_json::Value;

use crate::{
    golden::{assert_golden, directory, shape},
    program::{command, refiner, samples_directory, text},
};

/// Every command with a help page of its own.
const COMMANDS: [&[&str]; 57] = [
    &[],
    &["replay"],
    &["verify"],
    &["run"],
    &["work"],
    &["queue"],
    &["queue", "status"],
    &["queue", "key"],
    &["journal"],
    &["journal", "list"],
    &["journal", "show"],
    &["journal", "retry"],
    &["journal", "rewind"],
    &["journal", "skip"],
    &["journal", "forget"],
    &["journal", "export"],
    &["journal", "backup"],
    &["journal", "import"],
    &["journal", "rebuild"],
    &["version"],
    &["completions"],
    &["man"],
    &["session"],
    &["session", "show"],
    &["journal", "scan"],
    &["content"],
    &["content", "cid"],
    &["content", "get"],
    &["content", "put"],
    &["content", "serve"],
    &["key"],
    &["key", "new"],
    &["key", "import"],
    &["key", "address"],
    &["health"],
    &["config"],
    &["config", "show"],
    &["specimen"],
    &["specimen", "inspect"],
    &["specimen", "decode"],
    &["specimen", "encode"],
    &["specimen", "check"],
    &["rule"],
    &["rule", "check"],
    &["rule", "info"],
    &["rule", "run"],
    &["rule", "lock"],
    &["rule", "embed"],
    &["rule", "watch"],
    &["rule", "keygen"],
    &["rule", "sign"],
    &["rule", "push"],
    &["rule", "verify"],
    &["rule", "test"],
    &["rule", "schema"],
    &["evm", "serve"],
    &["devnet"],
];

fn sample(name: &str) -> String {
    text(&samples_directory().join(name)).to_owned()
}

/// The JSON lines of a command that ends with this code.
fn report(arguments: &[&str], code: i32) -> Vec<Value> {
    refiner(arguments).expect(code).json_lines()
}

#[test]
fn help_of_every_command_is_as_the_changelog_left_it() {
    for arguments in COMMANDS {
        let help = refiner(&[arguments, &["--help"]].concat()).expect(0).text();
        let name = [&["help", "refiner"], arguments].concat().join("-");
        assert_golden(&name, &help);
    }
}

#[test]
fn every_command_of_the_help_has_a_golden_file() {
    for arguments in COMMANDS {
        let help = refiner(&[arguments, &["--help"]].concat()).expect(0).text();
        let commands = help.split("Commands:\n").nth(1).unwrap_or_default().split("\n\n").next().unwrap_or_default();
        let names = commands
            .lines()
            .filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' '))?.split(' ').next());
        for name in names.filter(|name| !["help"].contains(name)) {
            let known = COMMANDS.iter().any(|known| known.starts_with(&[arguments, &[name]].concat()));
            // Their arguments are for people at a terminal.
            let at_a_terminal = [&["rule", "new"][..], &["rule", "build"], &["doctor"]];
            assert!(known || at_a_terminal.contains(&&[arguments, &[name]].concat()[..]), "{arguments:?} {name}");
        }
    }
}

#[test]
fn keys_of_every_report_are_as_the_changelog_left_them() {
    let [block, other] = [sample("1-22500000.avro"), sample("1-17100000.avro")];
    let hashes = tempfile::NamedTempFile::new().unwrap();
    fs::write(hashes.path(), format!("1 17100000 0x{}\n", "11".repeat(32))).unwrap();
    let hashes = text(hashes.path());
    for (name, lines) in [
        ("doctor", doctor()),
        ("version", version()),
        ("specimen-inspect", report(&["specimen", "inspect", "--json", &block, &other], 0)),
        ("specimen-check", report(&["specimen", "check", "--json", "--execute", &block, &other], 0)),
        ("specimen-check-failed", report(&["specimen", "check", "--json", "--block-hashes", hashes, &other], 3)),
        ("replay", report(&["replay", "--json", &block, &other], 0)),
        ("replay-rejected", report(&["replay", "--json", "--block-hashes", hashes, &other], 3)),
        ("rule-info", report(&["rule", "info", "--json", "block-result", "token-transfers"], 0)),
        ("rule-check", report(&["rule", "check", "--json", "block-result"], 0)),
        ("rule-run", report(&["rule", "run", "--json", "block-result", &block], 0)),
    ] {
        assert_golden(&format!("json-{name}"), &shape(&lines));
    }
}

/// Only a release states its commit.
fn version() -> Vec<Value> {
    let mut report = report(&["version", "--json"], 0);
    report.iter_mut().for_each(|version| version["commit"] = Value::Null);
    report
}

/// The findings about this machine are no part of the surface; its form is.
fn doctor() -> Vec<Value> {
    let output = command(&["doctor", "--json"]).output().unwrap();
    let mut report: Value = serde_json::from_slice(&output.stdout).unwrap();
    for check in report["checks"].as_array_mut().unwrap() {
        // A string where this machine lacks something.
        check["remedy"] = Value::Null;
    }
    vec![report]
}

#[test]
fn settings_of_config_show_are_as_the_changelog_left_them() {
    let shown = command(&["config", "show", "--json", "--network", "moonbeam", "--rpc", "http://a", "--prove", "none"])
        .output()
        .unwrap();
    let shown: Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert_golden("json-config-show", &shape([&shown]));
}

#[test]
fn changelog_names_the_present_surface() {
    let mut files: Vec<_> = fs::read_dir(directory()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut all = Vec::new();
    for file in files {
        all.extend(file.file_name().unwrap().as_encoded_bytes());
        all.extend(fs::read(file).unwrap());
    }
    let digest = refiner_specimen::sha256(&all).to_string();
    let line = format!("Surface {}", &digest[2..14]);
    let changelog = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../CHANGELOG.md");
    let changelog = fs::read_to_string(changelog).unwrap();
    let newest = changelog.split("\n## ").nth(1).unwrap();
    assert!(
        newest.contains(&line),
        "what others build on (tests/surface/golden) has changed: describe it in the newest section of CHANGELOG.md, and end that \
         section with the line `{line}`"
    );
}
