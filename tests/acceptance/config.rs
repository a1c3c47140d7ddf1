//! `refiner config show`, as its user meets it.

use std::{fs, os::unix::ffi::OsStrExt as _, process::Output};

use serde_json::Value;

use crate::program::{command, text};

/// A key that must not be shown.
const KEY: &str = "7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6";

/// Asks with a file, an environment and flags that contradict each other.
fn show(flags: &[&str]) -> Output {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("refiner.toml");
    fs::write(
        &file,
        "depth = 7\npoll-ms = 700\nbacklog = 70\nformat = \"canonical\"\npinner = \"http://127.0.0.1:3001\"\n",
    )
    .unwrap();
    command(&["config", "show", "--config", text(&file), "--depth", "9"])
        .args(flags)
        .env("MIX_ENV", "dev")
        .env("REFINER_POLL_MS", "800")
        .env("NODE_ETHEREUM_MAINNET", "https://user:canary@rpc.example/v3/canary?key=canary,http://127.0.0.1:8545")
        .env("BLOCK_RESULT_OPERATOR_PRIVATE_KEY", KEY)
        .output()
        .unwrap()
}

#[test]
fn every_setting_is_shown_with_its_value_and_where_that_comes_from() {
    let output = show(&["--json"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    let value = |key: &str| (shown[key]["value"].clone(), shown[key]["origin"].as_str().unwrap().to_owned());
    for (key, expected, origin) in [
        ("depth", Value::from(9), "flag"),
        ("poll-interval", "800ms".into(), "environment, REFINER_POLL_MS"),
        ("network", "dev".into(), "environment, MIX_ENV"),
        ("proof-chain-id", 1_287.into(), "default"),
        ("result-contract", "0xCBC44F143FB5baf26e45FB6C7A4fC13e6ca0fa09".into(), "default"),
        ("max-fee-gwei", 1_000.into(), "default"),
        ("rpc-timeout", "15s".into(), "default"),
        ("health", "127.0.0.1:9568".into(), "default"),
        ("start", "latest".into(), "default"),
        ("key-file", Value::Null, "default"),
        ("key", "…".into(), "environment, BLOCK_RESULT_OPERATOR_PRIVATE_KEY"),
        ("rpc", vec!["https://rpc.example/…", "http://127.0.0.1:8545"].into(), "environment, NODE_ETHEREUM_MAINNET"),
    ] {
        assert_eq!(value(key), (expected, origin.to_owned()), "{key}");
    }
    let (backlog, origin) = value("backlog");
    assert!(backlog == 70 && origin.ends_with("refiner.toml"), "{backlog} {origin}");
}

#[test]
fn for_people_it_is_a_file_that_run_takes_and_holds_no_secret() {
    let output = show(&[]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    let read: toml::Table = said.parse().unwrap();
    assert_eq!((read["depth"].as_integer(), read["backlog"].as_integer()), (Some(9), Some(70)), "{said}");
    assert!(said.contains("# flag") && said.contains("# the operator's key is set and not shown"), "{said}");
    assert!(!said.contains("canary") && !said.contains(&KEY[..16]), "{said}");
}

#[test]
fn what_is_wrong_is_told_instead_all_at_once() {
    let output = show(&["--start", "yesterday", "--workers", "100000"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("yesterday") && said.contains("workers: 100000 is not between"), "{said}");
    assert!(output.stdout.is_empty() && !said.contains("canary"), "{said}");
}

#[test]
fn key_in_the_place_of_its_file_is_shown_by_no_command() {
    let bundle = tempfile::tempdir().unwrap();
    let archive = bundle.path().join("bundle.tar");
    for key in [KEY.to_owned(), format!("0x{KEY}")] {
        for arguments in [&["config", "show"][..], &["run"], &["doctor"], &["doctor", "--json"]] {
            let mut command = command(arguments);
            let output = command.env("MIX_ENV", "dev").env("REFINER_KEY_FILE", &key).output().unwrap();
            let printed = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
            assert!(printed.contains("key-file: looks like a key"), "{arguments:?}: {printed}");
            assert!(!printed.contains(&KEY[..16]), "{arguments:?}: {printed}");
        }
    }
    let mut command = command(&["doctor", "--bundle", text(&archive)]);
    command.env("REFINER_KEY_FILE", format!("0x{KEY}")).env("REFINER_PASSWORD_FILE", "hunter2").output().unwrap();
    let unpacked = std::process::Command::new("tar").args(["-xOf", text(&archive)]).output().unwrap();
    let content = String::from_utf8(unpacked.stdout).unwrap();
    assert!(content.contains("key-file: looks like a key"), "{content}");
    assert!(!content.contains(&KEY[..16]) && !content.contains("hunter2"), "{content}");
}

#[test]
fn misspelled_variable_is_reported_with_all_other_mistakes() {
    let output = command(&["config", "show"])
        .env("REFINER_DEPHT", "1")
        .env("REFINER_RPC_TIMEOUT", "5")
        .env("REFINER_MAX_FEE_GWEI", "abc")
        .env("REFINER_MAX_SPEND_PER_DAY", std::ffi::OsStr::from_bytes(b"2.5\xc2"))
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{printed}");
    for problem in [
        "REFINER_DEPHT: no such setting; did you mean REFINER_DEPTH?",
        "rpc-timeout: expected a duration",
        "max-fee-gwei: expected a number",
        "REFINER_MAX_SPEND_PER_DAY: its value is not UTF-8",
    ] {
        assert_eq!(printed.matches(problem).count(), 1, "{problem}: {printed}");
    }
}
