//! Exit codes: one table in `--help`, in the README and in the program, and an error of each kind with its code.

use std::{
    fs,
    net::TcpStream,
    path::Path,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use refiner_diagnostics::ExitCode;
use refiner_testkit::unused_address;

use crate::program::{command, refiner, samples_directory, text};

/// A command, its exit code, and parts of what it prints on standard error.
type Case<'a> = (&'a [&'a str], i32, &'a [&'a str]);

fn sample() -> String {
    text(&samples_directory().join("1-22500000.avro")).to_owned()
}

#[test]
fn readme_and_help_have_the_table_of_the_program() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let readme = fs::read_to_string(readme).unwrap();
    let rows: Vec<_> = ExitCode::ALL.iter().map(|code| format!("| {} | {} |\n", *code as u8, code.meaning())).collect();
    assert!(readme.contains(&format!("| code | meaning |\n|---|---|\n{}\n", rows.concat())), "README.md, exit codes");
    assert!(refiner(&["--help"]).expect(0).text().contains(ExitCode::TABLE));
}

#[test]
fn error_of_each_kind_has_its_code_its_fact_and_its_hint() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str, content: &[u8]| {
        let path = directory.path().join(name);
        fs::write(&path, content).unwrap();
        text(&path).to_owned()
    };
    let (garbage, json) = (at("garbage.avro", b"garbage"), at("text.json", b"{"));
    let (wasm, config) = (at("rule.wasm", b"\0asm\x01\0\0\0"), at("chain.json", b"[]"));
    let (sample, empty) = (sample(), text(directory.path()).to_owned());
    let cases: &[Case<'_>] = &[
        (&["--log", "a=b=c", "doctor"], 2, &["error: malformed log filter \"a=b=c\"", "hint: "]),
        (&["replay", "--chain-config", &config, &sample], 2, &["chain.json: not a geth chain config"]),
        (&["replay", "--block-hashes", &json, &sample], 2, &["text.json: line 1: "]),
        (&["rule", "lock", "block-result"], 2, &["block-result is built in"]),
        (&["specimen", "inspect", "absent.avro"], 4, &["absent.avro: no such file"]),
        (&["specimen", "decode", &garbage], 4, &["garbage.avro: "]),
        (&["specimen", "encode", &json, "--layout", "0.38"], 4, &["text.json: not JSON: "]),
        (&["rule", "run", "block-result", &garbage], 4, &["garbage.avro: "]),
        (&["replay", "absent*.avro"], 4, &["matches no file", "hint: quote the pattern"]),
        (&["journal", "list", "--data", &empty], 5, &["journal.sqlite: "]),
        (
            &["content", "serve", "--data", &empty, "--listen", "0.0.0.0:0"],
            2,
            &["can be reached from outside", "hint: "],
        ),
        (&["evm", "serve", "--listen", "192.0.2.1:1"], 5, &["cannot listen on 192.0.2.1:1: "]),
        (&["replay", "--rule", "absent-rule", &sample], 6, &["absent-rule: neither", "hint: built-in rules: "]),
        (&["rule", "info", &wasm], 6, &["rule.wasm: ", "remedy: "]),
    ];
    for (arguments, code, parts) in cases {
        let ended = refiner(arguments);
        assert_eq!(ended.code, *code, "{arguments:?}: {}", ended.stderr);
        assert!(ended.stderr.starts_with("error: "), "{arguments:?}: {}", ended.stderr);
        for part in *parts {
            assert!(ended.stderr.contains(part), "{part:?} is not in {}", ended.stderr);
        }
    }
}

#[test]
fn closed_output_is_no_failure_and_a_full_one_is_a_failure_of_the_host() {
    let sample = sample();
    let inspect = || command(&["specimen", "decode", &sample]);
    let mut closed = inspect().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(closed.stdout.take());
    let closed = closed.wait_with_output().unwrap();
    assert_eq!((closed.status.code(), closed.stderr.as_slice()), (Some(0), &b""[..]));

    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let full = inspect().stdout(full).stderr(Stdio::piped()).output().unwrap();
    let stderr = String::from_utf8(full.stderr).unwrap();
    assert_eq!(full.status.code(), Some(5), "{stderr}");
    assert!(stderr.starts_with("error: cannot print the result: No space left"), "{stderr}");
}

#[test]
fn log_that_cannot_be_written_ends_no_service() {
    for format in ["text", "json"] {
        let address = unused_address().to_string();
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let serve =
            ["evm", "serve", "--format", "canonical", "--listen", &address, "--log", "info", "--log-format", format];
        let mut served = command(&serve).stdout(Stdio::null()).stderr(full).spawn().unwrap();
        let begun = Instant::now();
        while TcpStream::connect(&address).is_err() {
            assert_eq!(served.try_wait().unwrap(), None, "{format}");
            assert!(begun.elapsed() < Duration::from_secs(30), "{format}: it does not listen");
            thread::sleep(Duration::from_millis(20));
        }
        // Its line about the address comes after.
        thread::sleep(Duration::from_millis(300));
        assert_eq!(served.try_wait().unwrap(), None, "{format}");
        served.kill().unwrap();
        served.wait().unwrap();
    }
}

#[test]
fn full_output_is_a_failure_of_the_host_of_every_command_that_prints() {
    let sample = sample();
    let help: [&[&str]; 2] = [&["--help"], &["--version"]];
    for arguments in help {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        assert_eq!(command(arguments).stdout(full).status().unwrap().code(), Some(5), "{arguments:?}");
    }
    let commands: [&[&str]; 9] = [
        &["replay", &sample],
        &["replay", &sample, "--json"],
        &["replay", &sample, "--report", "summary"],
        &["specimen", "inspect", &sample],
        &["specimen", "check", &sample, "--json"],
        &["rule", "check", "block-result"],
        &["rule", "info", "block-result"],
        &["rule", "run", "block-result", &sample, "--show"],
        &["doctor"],
    ];
    for arguments in commands {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let ended = command(arguments).stdout(full).stderr(Stdio::piped()).output().unwrap();
        let stderr = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(5), "{arguments:?}: {stderr}");
        assert!(stderr.contains("No space left"), "{arguments:?}: {stderr}");
    }
}

#[test]
fn limited_address_space_takes_no_more_than_it_has_and_changes_no_result() {
    let directory = tempfile::tempdir().unwrap();
    let (sample, stranger) = (sample(), directory.path().join("stranger.wasm"));
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/rules/block-result.wasm");
    fs::copy(built, &stranger).unwrap();
    let stranger = stranger.to_str().unwrap();
    let files = |limit: &str, options: &[&str], out: &str| {
        let out = directory.path().join(out);
        // The limit of a shell is one of the program and of the children that it starts.
        let shell = format!("ulimit -v {limit}; exec \"$0\" replay \"$@\"");
        let mut replay = std::process::Command::new("sh");
        replay.args(["-c", &shell, env!("CARGO_BIN_EXE_refiner"), &sample, "--out"]).arg(&out).args(options);
        let ended = replay.output().unwrap();
        assert_eq!(ended.status.code(), Some(0), "{limit}: {}", String::from_utf8_lossy(&ended.stderr));
        let mut files: Vec<_> =
            fs::read_dir(&out).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect();
        files.sort();
        assert!(!files.is_empty());
        files
    };
    let expected = files("unlimited", &[], "unlimited");
    assert!(files("3000000", &[], "limited") == expected);
    assert!(files("3000000", &["--rule", stranger], "stranger") == expected);
    assert!(files("3000000", &["--rule", stranger, "--isolate"], "isolated") == expected);
}
