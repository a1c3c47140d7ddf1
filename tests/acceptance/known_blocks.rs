//! Blocks that are known from elsewhere: a list, and neighbours in the data set.

use std::{fs, path::PathBuf};

use serde_json::Value;

use crate::program::{refiner, samples, samples_directory, text};

/// Three samples, each the parent of the next.
fn chain() -> [PathBuf; 3] {
    [22_500_000, 22_500_001, 22_500_002].map(|height| samples_directory().join(format!("1-{height}.avro")))
}

fn hash(line: &Value) -> String {
    line["blockHash"].as_str().unwrap().to_owned()
}

fn outcomes(lines: &[Value]) -> Vec<&str> {
    lines.iter().map(|line| line["knownBlock"]["outcome"].as_str().unwrap()).collect()
}

#[test]
fn neighbours_of_a_data_set_know_each_other_by_parent_hash() {
    let [first, second, third] = chain();
    let ended = refiner(&["replay", text(&third), text(&first), text(&second), "--json"]);
    assert_eq!(outcomes(&ended.json_lines()), ["notCheckable", "passed", "passed"]);
    assert!(ended.stderr.contains("knownBlock: 2 passed, 0 failed, 1 not checkable"), "{}", ended.stderr);
    let alone = refiner(&["replay", text(&first), "--report", "summary"]).expect(0).text();
    assert!(alone.contains("knownBlock: 0 passed, 0 failed, 1 not checkable"), "{alone}");
}

#[test]
fn bytes_of_a_result_do_not_depend_on_the_company_of_its_specimen() {
    let [first, second, _] = chain();
    let artifacts = |ended: crate::program::Ended| ended.json_lines()[0]["artifacts"].clone();
    let alone = artifacts(refiner(&["replay", text(&first), "--json"]).expect(0));
    let together = artifacts(refiner(&["replay", text(&first), text(&second), "--json"]).expect(0));
    assert_eq!(alone, together);
}

#[test]
fn block_that_its_neighbour_does_not_name_is_rejected_by_every_rule_and_nothing_is_written() {
    let [first, second, _] = chain();
    let directory = tempfile::tempdir().unwrap();
    let mut child = refiner_specimen::decode(&fs::read(&second).unwrap()).unwrap();
    child.block.header.parent_hash = alloy_primitives::B256::repeat_byte(7);
    child.block.hash = child.block.header.hash_slow();
    child.event_hash = child.block.hash;
    let forged = directory.path().join("1-22500001.avro");
    fs::write(&forged, refiner_specimen::encode(&child, child.layout).unwrap()).unwrap();

    let out = directory.path().join("out");
    let rules = ["--rule", "block-result", "--rule", "state-access", "--out", text(&out), "--json"];
    let ended = refiner(&[&["replay", text(&first), text(&forged)], rules.as_slice()].concat()).expect(3);
    let lines = ended.json_lines();
    for line in &lines[..2] {
        let known = &line["knownBlock"];
        assert_eq!((&line["verdict"], &known["outcome"]), (&"rejected".into(), &"failed".into()), "{line}");
        assert_eq!(
            (known["stated"].as_str().unwrap(), known["computed"].as_str().unwrap()),
            (hash(line).as_str(), format!("0x{}", "07".repeat(32)).as_str(),)
        );
        assert!(
            line["message"].as_str().unwrap().contains("is not the one that is known: knownBlock failed"),
            "{line}"
        );
        assert!(line["usage"].is_null());
    }
    let mut written = fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(!written.any(|name| name.starts_with("1-22500000")));
    assert!(ended.stderr.contains("knownBlock: 0 passed, 1 failed, 1 not checkable"), "{}", ended.stderr);

    let checked = refiner(&["specimen", "check", text(&first), text(&forged), "--json"]).expect(3).json_lines();
    assert_eq!(checked[0]["checks"]["knownBlock"]["outcome"], "failed");
}

#[test]
fn list_of_block_hashes_decides_in_replay_and_specimen_check() {
    let sample = &samples()[0];
    let directory = tempfile::tempdir().unwrap();
    let list = directory.path().join("hashes");
    let line = &refiner(&["replay", text(sample), "--json"]).expect(0).json_lines()[0];
    let (height, other) = (line["height"].as_u64().unwrap(), format!("0x{}", "11".repeat(32)));
    for (content, outcome, code) in [
        (format!("# height,hash\n\n{height},{}\n", hash(line)), "passed", 0),
        (format!("1 {height} {other}"), "failed", 3),
        (format!("5 {height} {other}"), "notCheckable", 0),
    ] {
        fs::write(&list, &content).unwrap();
        let out = directory.path().join(outcome);
        let replayed = refiner(&["replay", text(sample), "--block-hashes", text(&list), "--json", "--out", text(&out)])
            .expect(code);
        assert_eq!(outcomes(&replayed.json_lines()), [outcome], "{content}");
        // Beside the manifest.
        assert_eq!(fs::read_dir(&out).unwrap().count(), 1 + usize::from(code == 0), "{content}");
        let checked =
            refiner(&["specimen", "check", text(sample), "--block-hashes", text(&list), "--json"]).expect(code);
        assert_eq!(checked.json_lines()[0]["checks"]["knownBlock"]["outcome"], outcome, "{content}");
    }
}

#[test]
fn list_that_cannot_be_read_is_a_mistake_of_the_command_line_and_names_the_line() {
    let sample = text(&samples()[0]).to_owned();
    let list = tempfile::NamedTempFile::new().unwrap();
    fs::write(list.path(), format!("1 0x{}\n15600000 0x12\n", "00".repeat(32))).unwrap();
    for command in [&["replay"][..], &["specimen", "check"]] {
        let ended = refiner(&[command, &[&sample, "--block-hashes", text(list.path())]].concat()).expect(2);
        assert!(
            ended.stderr.contains("line 2: expected a block hash of 64 hex digits, found '0x12'"),
            "{}",
            ended.stderr
        );
        refiner(&[command, &[&sample, "--block-hashes", "/nonexistent/list"]].concat()).expect(2);
    }
}

#[test]
fn list_with_two_hashes_of_one_height_takes_each_and_the_log_names_their_lines() {
    let sample = &samples()[0];
    let line = &refiner(&["replay", text(sample), "--json"]).expect(0).json_lines()[0];
    let (height, other) = (line["height"].as_u64().unwrap(), format!("0x{}", "11".repeat(32)));
    let list = tempfile::NamedTempFile::new().unwrap();
    fs::write(list.path(), format!("{height} {other}\r\n# again\r\n{height} {}\r\n", hash(line))).unwrap();
    let ended = refiner(&["replay", text(sample), "--block-hashes", text(list.path()), "--json"]).expect(0);
    assert_eq!(outcomes(&ended.json_lines()), ["passed"]);
    let log = &ended.stderr;
    assert!(log.contains("several block hashes are listed for one height") && log.contains("lines=[1, 3]"), "{log}");
}
