//! Text of other parties, wherever it is shown: names of files, fields of specimens, manifests, words of servers.

use std::{fs, path::PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::program::{Ended, refiner, refiner_reading, samples, text};

/// Sets a terminal's title, clears the screen, reverses, hides, and begins a line of its own.
const HOSTILE: &str = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m\u{202e}\u{2066}\u{200b}\u{ad}\u{61c}\u{e0041}\u{fff9}\u{fe0f}\nerror: forged\tline";

/// The same in the name of a file, which cannot have a slash, and of which a shell makes an argument.
fn hostile_file(directory: &TempDir, bytes: &[u8]) -> PathBuf {
    let path = directory.path().join(format!("{HOSTILE}.avro"));
    fs::write(&path, bytes).unwrap();
    path
}

/// A specimen whose free text is hostile.
fn hostile_specimen() -> Vec<u8> {
    let sample = fs::read(samples().swap_remove(0)).unwrap();
    let layout = refiner_specimen::decode(&sample).unwrap().layout;
    let mut json = refiner_specimen::to_json(&sample).unwrap();
    json["replicaEvent"][0]["data"]["Type"] = HOSTILE.into();
    refiner_specimen::from_json(&json, layout).unwrap()
}

#[track_caller]
fn check(what: &str, ended: &Ended) {
    let stdout = String::from_utf8(ended.stdout.clone()).unwrap();
    for (name, printed) in [("stdout", &stdout), ("stderr", &ended.stderr)] {
        let raw =
            printed.chars().find(|c| HOSTILE.contains(*c) && !c.is_ascii_graphic() && !matches!(c, ' ' | '\n' | '\t'));
        assert_eq!(raw, None, "{what}: {name} has it as it came: {printed:?}");
        let forged = printed.lines().find(|line| line.starts_with("error: forged") || line.trim() == "error: forged");
        assert_eq!(forged, None, "{what}: {name} has a line of others: {printed:?}");
    }
}

#[test]
fn commands_show_hostile_specimens_and_names_of_files_escaped() {
    let directory = tempfile::tempdir().unwrap();
    let good = hostile_file(&directory, &hostile_specimen());
    let other = tempfile::tempdir().unwrap();
    let bad = hostile_file(&other, b"no specimen");
    let commands: [&[&str]; 19] = [
        &["specimen", "inspect"],
        &["specimen", "inspect", "--json"],
        &["specimen", "check", "--execute"],
        &["specimen", "check", "--execute", "--json"],
        &["specimen", "decode"],
        &["specimen", "decode", "--data"],
        &["specimen", "encode", "--layout", "0.38"],
        &["replay"],
        &["replay", "--json"],
        &["replay", "--report", "summary"],
        &["rule", "info"],
        &["rule", "info", "--json"],
        &["rule", "check"],
        &["rule", "check", "--json"],
        &["rule", "run", "block-result"],
        &["content", "cid"],
        &["journal", "list", "--data"],
        &["evm", "serve", "--chain-config"],
        &["config", "show", "--config"],
    ];
    for arguments in commands {
        for file in [&good, &bad, &other.path().join(format!("absent{HOSTILE}"))] {
            let ended = refiner(&[arguments, &[text(file)]].concat());
            check(&arguments.join(" "), &ended);
            let shown = format!("{}{}", ended.text(), ended.stderr);
            assert!(!shown.trim().is_empty(), "{arguments:?} shows something");
        }
    }
    for arguments in
        [vec![format!("--{HOSTILE}")], vec![HOSTILE.to_owned()], vec!["replay".to_owned(), format!("--{HOSTILE}")]]
    {
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        check("a mistake of usage", &refiner(&arguments).expect(2));
    }
    let pattern = format!("{}/*", other.path().display());
    check("a pattern", &refiner(&["replay", &pattern]));
    check("a directory", &refiner(&["replay", text(other.path())]));
    check("a list of files", &refiner(&["specimen", "decode", &pattern]));
}

#[test]
fn inspect_shows_the_kind_and_the_name_on_one_line_each() {
    let directory = tempfile::tempdir().unwrap();
    let file = hostile_file(&directory, &hostile_specimen());
    let shown = refiner(&["specimen", "inspect", text(&file)]).expect(0).text();
    let mut lines = shown.lines();
    assert!(lines.next().unwrap().ends_with("\\u{a}error: forged\\u{9}line.avro"), "{shown}");
    let block = lines.next().unwrap();
    assert!(block.ends_with("\\u{1b}]0;owned\\u{7}\\u{1b}[2J\\u{9b}31m\\u{202e}\\u{2066}\\u{200b}\\u{ad}\\u{61c}\\u{e0041}\\u{fff9}\\u{fe0f}\\u{a}error: forged\\u{9}line"), "{block}");
}

#[test]
fn json_has_the_values_as_they_are() {
    let directory = tempfile::tempdir().unwrap();
    let file = hostile_file(&directory, &hostile_specimen());
    let name = text(&file);
    for arguments in [
        &["specimen", "inspect", "--json", name][..],
        &["specimen", "check", "--json", name],
        &["replay", "--json", name],
    ] {
        let ended = refiner(arguments);
        let line = &ended.json_lines()[0];
        assert_eq!(line["specimen"], name, "{arguments:?}");
    }
    let inspected = &refiner(&["specimen", "inspect", "--json", name]).json_lines()[0];
    assert_eq!(inspected["kind"], HOSTILE);
    let decoded: Value = serde_json::from_slice(&refiner(&["specimen", "decode", name]).expect(0).stdout).unwrap();
    assert_eq!(decoded["replicaEvent"][0]["data"]["Type"], HOSTILE);
    // What was decoded is encoded to the same bytes.
    let json = refiner(&["specimen", "decode", name]).stdout;
    let layout = inspected["layout"].as_str().unwrap();
    let again = refiner_reading(&["specimen", "encode", "-", "--layout", layout], &json).expect(0);
    assert!(again.stdout == fs::read(&file).unwrap());
}
