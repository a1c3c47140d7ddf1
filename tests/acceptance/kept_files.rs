//! Files of users that commands read and never lose.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use crate::program::{Ended, command, ended, refiner, samples, text};

/// A component that is not built in, because a file names it, with its manifest inside.
fn component() -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/rules/transaction-summary.wasm")).unwrap()
}

/// A directory of files that commands read, the program started in it.
struct WorkingDirectory(tempfile::TempDir);

impl WorkingDirectory {
    fn new() -> Self {
        let directory = Self(tempfile::tempdir().unwrap());
        fs::copy(&samples()[0], directory.at("v.avro")).unwrap();
        fs::write(directory.at("a.wasm"), component()).unwrap();
        directory
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn refiner(&self, line: &str) -> Ended {
        let mut command = command(&line.split(' ').collect::<Vec<_>>());
        command.current_dir(self.0.path()).env("REFINER_CACHE_DIR", self.at("cache"));
        ended(command)
    }
}

#[test]
fn no_output_takes_the_place_of_a_file_that_its_command_reads() {
    let directory = WorkingDirectory::new();
    let manifest = refiner_manifest::read(&component()).unwrap().unwrap().to_owned();
    fs::write(directory.at("rule.toml"), manifest).unwrap();
    directory.refiner("rule keygen v.pem").expect(0);
    let json = directory.refiner("specimen decode v.avro").expect(0).stdout;
    fs::write(directory.at("v.json"), json).unwrap();
    fs::write(directory.at("list"), "v.avro\n").unwrap();
    symlink("v.avro", directory.at("link")).unwrap();
    let check = |line: &str, output: &str, input: &str| {
        let before = fs::read(directory.at(output)).unwrap();
        let refused = directory.refiner(line).expect(2);
        let expected = format!("{output}: expected a file for the output, found the input {input}");
        assert!(refused.stderr.contains(&expected), "{line}: {}", refused.stderr);
        assert!(refused.stdout.is_empty() && fs::read(directory.at(output)).unwrap() == before, "{line}");
    };
    check("rule run logs v.avro --profile v.avro", "v.avro", "v.avro");
    check("rule run logs v.avro --profile link", "link", "v.avro");
    check("rule run a.wasm v.avro --profile a.wasm", "a.wasm", "a.wasm");
    check("rule sign a.wasm --key v.pem -o ./v.pem", "./v.pem", "v.pem");
    check("rule embed a.wasm -o rule.toml", "rule.toml", "rule.toml");
    check("specimen encode v.json --layout 0.36 -o v.json", "v.json", "v.json");
    check("replay v.avro --report-page v.avro", "v.avro", "v.avro");
    check("replay --files-from list --report-page list", "list", "list");
    check("replay v.avro --rule a.wasm --report-page a.wasm", "a.wasm", "a.wasm");
    // What is written back to its own file, to a new one or to a device is not meant.
    directory.refiner("rule sign a.wasm --key v.pem -o a.wasm").expect(0);
    let profile = directory.refiner("rule run logs v.avro --profile /dev/stdout").expect(0).text();
    assert!(profile.contains("speedscope"), "{profile}");
}

#[test]
fn file_that_is_locked_is_protected_under_every_spelling_of_its_path() {
    let directory = WorkingDirectory::new();
    let locked = directory.refiner("rule lock ./a.wasm").expect(0).text();
    assert!(locked.starts_with("new "), "{locked}");
    assert!(directory.refiner("rule lock a.wasm").expect(0).text().starts_with("unchanged "));
    let absolute = directory.at("a.wasm");
    let spellings = ["a.wasm", "./a.wasm", "cache/../a.wasm", text(&absolute)];
    for path in spellings {
        directory.refiner(&format!("rule run {path} v.avro --locked")).expect(0);
    }
    let mut other = component();
    other.extend([0, 2, 1, b'x']);
    fs::write(&absolute, other).unwrap();
    for path in spellings {
        let refused = directory.refiner(&format!("rule run {path} v.avro")).expect(6);
        assert!(refused.stderr.contains("was agreed on"), "{path}: {}", refused.stderr);
    }
}

#[test]
fn lock_of_a_rule_that_is_not_there_claims_nothing_and_a_link_stays_one() {
    let directory = WorkingDirectory::new();
    symlink("gone", directory.at("b.wasm")).unwrap();
    let failed = directory.refiner("rule lock .").expect(5);
    assert!(failed.stdout.is_empty() && failed.stderr.contains("b.wasm"), "{}", failed.stderr);
    assert!(!directory.at("rules.lock").exists());
    symlink("shared.lock", directory.at("rules.lock")).unwrap();
    directory.refiner("rule lock a.wasm").expect(0);
    assert!(fs::symlink_metadata(directory.at("rules.lock")).unwrap().is_symlink());
    assert!(fs::read_to_string(directory.at("shared.lock")).unwrap().contains("source = \"a.wasm\""));
}

#[test]
fn directory_of_rules_with_a_pipe_and_a_link_to_nowhere_has_the_others_checked() {
    let directory = WorkingDirectory::new();
    assert!(Command::new("mkfifo").arg(directory.at("pipe.wasm")).status().unwrap().success());
    directory.refiner("rule check .").expect(0);
    symlink("gone", directory.at("b.wasm")).unwrap();
    symlink("a.wasm", directory.at("c.wasm")).unwrap();
    for command in ["check", "info"] {
        let ended = directory.refiner(&format!("rule {command} .")).expect(5);
        assert!(ended.stderr.contains("error: ./b.wasm: No such file"), "{}", ended.stderr);
        let shown = ended.text();
        assert!(["./a.wasm", "./c.wasm"].iter().all(|name| shown.contains(name)) && !shown.contains("pipe"), "{shown}");
    }
}

#[test]
fn component_without_a_manifest_is_not_signed_and_endless_files_are_read_to_a_limit() {
    let directory = WorkingDirectory::new();
    directory.refiner("rule keygen v.pem").expect(0);
    fs::write(directory.at("bare.wasm"), refiner_manifest::without(&component()).unwrap()).unwrap();
    let refused = directory.refiner("rule sign bare.wasm --key v.pem").expect(2);
    assert!(refused.stderr.contains("`refiner rule embed bare.wasm rule.toml`"), "{}", refused.stderr);
    symlink("a.wasm", directory.at("link.wasm")).unwrap();
    directory.refiner("rule sign link.wasm --key v.pem").expect(0);
    assert!(fs::symlink_metadata(directory.at("link.wasm")).unwrap().is_symlink());
    assert_ne!(fs::read(directory.at("a.wasm")).unwrap(), component());
    for line in [
        "rule sign /dev/zero --key v.pem -o signed.wasm",
        "rule embed /dev/zero v.pem -o whole.wasm",
        "rule embed a.wasm /dev/zero -o whole.wasm",
        "rule verify a.wasm --source . --built /dev/zero",
    ] {
        let refused = directory.refiner(line).expect(2);
        assert!(refused.stderr.contains("/dev/zero has more than "), "{line}: {}", refused.stderr);
    }
}

#[test]
fn watch_ends_with_the_code_of_its_last_round_and_takes_no_fewer_than_one() {
    let directory = WorkingDirectory::new();
    fs::create_dir(directory.at("rule")).unwrap();
    directory.refiner("rule watch rule --rounds 1").expect(2);
    let refused = refiner(&["rule", "watch", "--rounds", "0"]).expect(2);
    assert!(refused.stderr.contains("--rounds"), "{}", refused.stderr);
}
