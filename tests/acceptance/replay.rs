//! `refiner replay`, as its user meets it.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use crate::{
    component::component,
    program::{command, refiner, refiner_reading, samples, samples_directory, text},
};
use refiner_testkit::real;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Results that the network published, or, where it did not, that an independent implementation arrived at.
const EVM_SERVER_RESULTS: [(u64, &str, &str); 7] = [
    (15_892_728, "evm-server@a", "69e766c58a827f3c7548b5c00d043b464a69384e746cbaf73d771881b4dc053a"),
    (16_791_900, "evm-server@a", "3e1cec6d91c3e4329bd72382f3917c5e7d85ad865fa575968320b10bcdafc557"),
    (17_090_940, "evm-server@b", "6932af5a47240b59288d56614d2546da5d482d0f29be4d1a3ce541c99a722ffd"),
    (19_434_485, "evm-server@c", "4bb6dcf767011c8ac64f78740078dcb0d9a680751a07030957418f8ab6c5d619"),
    (22_433_670, "evm-server@e", "5e03995b049ef11c9c98f6fe4c6d4ad72b6a98ffd59b76326b79dd6084006d44"),
    (19_434_520, "evm-server@c", "47f3f23dee03de7a8e9ef63288abe11975cba69bbd7f716c5470adc9c34c2d10"),
    (19_529_630, "evm-server@d", "0063b50f811fb44ee1c27cde8918204e86fefea5f09650cf8303e33cb5bf1aef"),
];

#[test]
fn published_result_hashes_come_out_of_the_sandboxed_rule() {
    let Some(directory) = real::directory() else { return };
    for (height, format, published) in EVM_SERVER_RESULTS {
        let specimen = directory.join(format!("1-{height}.avro"));
        let out = tempfile::tempdir().unwrap();
        let ended =
            refiner(&["replay", text(&specimen), "--format", format, "--out", text(out.path()), "--json"]).expect(0);
        let artifact = &ended.json_lines()[0]["artifacts"][0];
        assert_eq!(artifact["sha256"], format!("0x{published}"), "{height} {format}");
        let file = fs::read(artifact["file"].as_str().unwrap()).unwrap();
        assert_eq!(sha256(&file), published, "the file on disk is what was hashed");
    }
}

#[test]
fn every_real_block_has_a_canonical_result_and_one_by_searching_for_its_authorizations() {
    let Some(directory) = real::directory() else { return };
    let ended = refiner(&["replay", text(&directory), "--json"]).expect(0);
    let lines = ended.json_lines();
    assert_eq!(lines.len(), 8);
    for line in lines {
        assert_eq!(line["verdict"], "produced", "{line}");
        let searched = line["height"] == 22_433_670;
        assert_eq!(line["supplied"].to_string().contains("AuthList of transaction 46"), searched, "{line}");
    }
}

#[test]
fn data_set_is_whole_when_the_reader_of_the_report_leaves_and_a_replay_without_files_ends_with_it() {
    let directory = samples_directory();
    let left = |more: &[&str]| {
        let mut replay = command(&[&["replay", text(&directory), "--json", "-j", "1"], more].concat());
        let mut child = replay.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let ended = child.wait_with_output().unwrap();
        (ended.status.code(), String::from_utf8(ended.stderr).unwrap())
    };
    let out = tempfile::tempdir().unwrap();
    let (code, words) = left(&["--out", text(out.path())]);
    let whole = tempfile::tempdir().unwrap();
    let undisturbed = refiner(&["replay", text(&directory), "--json", "--out", text(whole.path())]);
    assert_eq!(code, Some(undisturbed.code), "{words}");
    let manifest = |out: &tempfile::TempDir| fs::read(out.path().join("_manifest.json")).unwrap();
    assert!(manifest(&out) == manifest(&whole), "{words}");
    assert_eq!(left(&[]).0, Some(0));
}

#[test]
fn replay_that_is_interrupted_before_its_first_specimen_says_so_and_ends_as_later_ones_do() {
    let directory = tempfile::tempdir().unwrap();
    let list = directory.path().join("hashes");
    assert!(Command::new("mkfifo").arg(&list).status().unwrap().success());
    for signal in [Signal::INT, Signal::TERM] {
        let mut replay = command(&["replay", text(&samples_directory()), "--block-hashes", text(&list)]);
        let child = replay.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // It is opened when the replay reads it, which then waits for its end.
        let _writer = fs::File::options().write(true).open(&list).unwrap();
        kill_process(Pid::from_child(&child), signal).unwrap();
        let ended = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&ended.stderr), "interrupted before the first specimen\n");
        assert_eq!((ended.status.code(), ended.stdout), (Some(130), Vec::new()));
    }
}

#[test]
fn results_are_the_same_with_any_number_of_threads_and_in_the_order_of_the_specimens() {
    let directory = samples_directory();
    let results = |threads: &str| -> Vec<(Value, Value)> {
        let ended = refiner(&["replay", text(&directory), "--json", "-j", threads]);
        ended.json_lines().into_iter().map(|line| (line["specimen"].clone(), line["artifacts"].clone())).collect()
    };
    let one = results("1");
    assert_eq!(one.len(), samples().len());
    assert_eq!(one, results("2"));
    assert_eq!(one, results("7"));
}

#[test]
fn outputs_are_named_by_chain_height_rule_and_artifact_and_no_temporary_file_stays() {
    let sample = &samples()[0];
    let stem = sample.file_stem().unwrap().to_str().unwrap();
    let out = tempfile::tempdir().unwrap();
    refiner(&["replay", text(sample), "--out", text(out.path())]).expect(0);
    let mut names: Vec<_> = fs::read_dir(out.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, [format!("{stem}.block-result.block-result.json").as_str(), "_manifest.json"]);
}

#[test]
fn specimen_that_fails_does_not_stop_the_others_and_shows_in_the_exit_code() {
    let sample = &samples()[0];
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("1-1.avro"), b"not a specimen").unwrap();
    fs::copy(sample, directory.path().join("1-2.avro")).unwrap();
    fs::write(directory.path().join("1-3.avro"), &fs::read(sample).unwrap()[..1000]).unwrap();
    let ended = refiner(&["replay", text(directory.path()), "--json"]).expect(4);
    let verdicts: Vec<_> = ended.json_lines().into_iter().map(|line| line["verdict"].clone()).collect();
    assert_eq!(verdicts, ["unusable", "produced", "unusable"]);

    let table = refiner(&["replay", text(directory.path())]).expect(4);
    assert!(table.stderr.contains("1-1.avro"), "{}", table.stderr);
    assert!(table.text().contains("3 specimens: 1 run produced, 2 specimens unusable"), "{}", table.text());
}

#[test]
fn specimen_comes_from_standard_input() {
    let sample = &samples()[0];
    let from_file = refiner(&["replay", text(sample), "--json"]).expect(0).json_lines();
    let from_stdin = refiner_reading(&["replay", "-", "--json"], &fs::read(sample).unwrap()).expect(0).json_lines();
    assert_eq!(from_stdin[0]["specimen"], "standard input");
    assert_eq!(from_stdin[0]["artifacts"], from_file[0]["artifacts"]);
}

#[test]
fn rule_is_found_by_name_by_file_and_in_a_directory() {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/rules");
    let component = rules.join("block-result.wasm");
    let sample = &samples()[0];
    let identity = |rule: &str| {
        let ended = refiner(&["replay", text(sample), "--json", "--rule", rule]).expect(0);
        let lines = ended.json_lines();
        let line = lines.into_iter().find(|line| line["rule"] == "block-result").unwrap();
        line["ruleIdentity"].clone()
    };
    assert_eq!(identity("block-result"), identity(text(&component)));
    assert_eq!(identity("block-result"), identity(text(&rules)));
}

#[test]
fn format_is_part_of_the_rules_identity() {
    let sample = &samples()[0];
    let identity = |format: &str| {
        let ended = refiner(&["replay", text(sample), "--json", "--format", format]);
        ended.json_lines()[0]["ruleIdentity"].clone()
    };
    assert_ne!(identity("canonical"), identity("evm-server@d"));
}

#[test]
fn block_given_twice_under_two_names_is_no_collision() {
    let real = &samples()[0];
    let directory = tempfile::tempdir().unwrap();
    let copy = directory.path().join("copy.avro");
    fs::copy(real, &copy).unwrap();
    let out = tempfile::tempdir().unwrap();
    // Two specimens that differ are refused: `two_specimens_of_one_height_do_not_overwrite_each_other` in `output.rs`.
    refiner(&["replay", text(real), text(&copy), "--out", text(out.path())]).expect(0);
}

#[test]
fn hostile_rule_gets_its_verdict_and_the_next_specimen_runs() {
    let hostile = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/hostile");
    let samples = samples();
    for (case, verdict) in [
        ("spins", "outOfFuel"),
        ("eats-memory", "outOfMemory"),
        ("recurses", "trapped"),
        ("traps", "trapped"),
        ("logs-a-huge-line", "overBudget"),
    ] {
        let rule = tempfile::Builder::new().suffix(".wasm").tempfile().unwrap();
        let fields = fs::read_to_string(hostile.join(case).join("rule.wat")).unwrap();
        fs::write(rule.path(), component(&fields)).unwrap();
        let ended = refiner(&[
            "replay",
            text(&samples[0]),
            text(&samples[1]),
            "--json",
            "--rule",
            text(rule.path()),
            "--rule",
            "block-result",
        ])
        .expect(3);
        let verdicts: Vec<_> = ended.json_lines().into_iter().map(|line| line["verdict"].clone()).collect();
        assert_eq!(verdicts, [verdict, "produced", verdict, "produced"], "{case}");
    }
}

#[test]
fn rule_that_is_no_component_is_refused_before_any_specimen() {
    let sample = text(&samples()[0]).to_owned();
    let rule = tempfile::Builder::new().suffix(".wasm").tempfile().unwrap();
    for bytes in [&b"\0asm\x01\0\0\0"[..], b"", b"ELF"] {
        fs::write(rule.path(), bytes).unwrap();
        let ended = refiner(&["replay", &sample, "--rule", text(rule.path())]).expect(6);
        assert!(ended.stderr.contains(text(rule.path())), "{}", ended.stderr);
        assert!(!ended.text().contains("produced"));
        assert_eq!(ended.stderr.matches("only a WebAssembly component").count(), 1, "said once: {}", ended.stderr);
    }
}

#[test]
fn command_line_that_names_nothing_says_what_is_there() {
    let ended = refiner(&["replay", "/nonexistent/1-1.avro"]).expect(4);
    assert!(ended.stderr.contains("/nonexistent/1-1.avro: no such file"), "{}", ended.stderr);
    let ended = refiner(&["replay", text(&samples()[0]), "--rule", "block-resulr"]).expect(6);
    assert!(
        ended.stderr.contains("hint: built-in rules: ") && ended.stderr.contains("block-result"),
        "{}",
        ended.stderr
    );
    refiner(&["replay"]).expect(2);
    refiner(&["replay", text(&samples()[0]), "--format", "evm-server@z"]).expect(2);
}

#[test]
fn output_directory_that_is_a_file_or_below_one_is_named_before_the_first_run() {
    let file = tempfile::NamedTempFile::new().unwrap();
    for out in [file.path().to_owned(), file.path().join("out")] {
        let ended = refiner(&["replay", text(&samples()[0]), "--out", text(&out)]).expect(2);
        let message = format!("{}: expected a directory, found a file", out.display());
        assert!(ended.text().is_empty() && ended.stderr.contains(&message), "{}", ended.stderr);
    }
    let unwritable = refiner(&["replay", text(&samples()[0]), "--out", "/proc/out"]).expect(5);
    assert!(unwritable.stderr.contains("/proc/out"), "{}", unwritable.stderr);
}

#[test]
fn rule_that_is_named_twice_is_a_fault_of_the_command_line() {
    let twice = refiner(&["replay", text(&samples()[0]), "--rule", "logs", "--rule", "logs"]).expect(2);
    for words in ["two rules are named logs", "hint: name each rule once"] {
        assert!(twice.stderr.contains(words), "{}", twice.stderr);
    }
}

#[test]
fn rules_that_share_the_execution_of_a_block_report_what_each_reports_alone() {
    let rules = [
        "block-result",
        "token-transfers",
        "logs",
        "traces",
        "state-diffs",
        "opcode-gas",
        "access-sets",
        "transaction-summary",
    ];
    let directories: Vec<_> = [Some(samples_directory()), real::directory()].into_iter().flatten().collect();
    let report = |rules: &[&str]| -> Vec<Value> {
        let mut arguments = vec!["replay", "--json"];
        arguments.extend(directories.iter().map(|directory| text(directory)));
        arguments.extend(rules.iter().flat_map(|rule| ["--rule", rule]));
        let mut lines = refiner(&arguments).json_lines();
        for line in &mut lines {
            line.as_object_mut().unwrap().remove("elapsedMs").expect("the time of a run");
        }
        lines
    };
    let together = report(&rules);
    for rule in rules {
        let of_the_rule: Vec<_> = together.iter().filter(|line| line["rule"] == rule).cloned().collect();
        assert_eq!(of_the_rule, report(&[rule]), "{rule}");
        assert!(of_the_rule.len() >= 8, "{rule}");
    }
}
