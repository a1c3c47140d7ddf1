//! `refiner verify` over data sets that are not as a replay left them.

use std::{fs, path::Path};

use refiner_teststore::TestStore;
use serde_json::{Value, json};

use super::{MANIFEST, RULES, manifest, replay, some_samples};
use crate::program::{Ended, command, ended, refiner, samples_directory, text};

/// A data set with the specimens that it was made of.
struct Made {
    specimens: tempfile::TempDir,
    out: tempfile::TempDir,
}

impl Made {
    fn of(count: usize, more: &[&str]) -> Self {
        let (specimens, _) = some_samples(count);
        let out = tempfile::tempdir().unwrap();
        refiner(&replay(specimens.path(), out.path(), &[&RULES[..], more].concat())).expect(0);
        Self { specimens, out }
    }

    fn verify(&self) -> Ended {
        self.verify_from(self.specimens.path())
    }

    fn verify_from(&self, specimens: &Path) -> Ended {
        refiner(&["verify", text(&self.out.path().join(MANIFEST)), text(specimens)])
    }

    /// Writes the manifest with a change.
    fn change(&self, change: impl FnOnce(&mut Value)) {
        let mut changed = manifest(self.out.path());
        change(&mut changed);
        fs::write(self.out.path().join(MANIFEST), serde_json::to_vec(&changed).unwrap()).unwrap();
    }
}

fn list(value: &mut Value) -> &mut Vec<Value> {
    value.as_array_mut().unwrap()
}

#[test]
fn unit_without_specimens_is_no_part_of_a_manifest() {
    let made = Made::of(2, &[]);
    made.change(|manifest| manifest["units"][1]["specimens"] = json!([]));
    let refused = made.verify().expect(4);
    assert!(refused.stderr.contains("not a manifest of a data set: the unit 1-"), "{}", refused.stderr);
    assert!(refused.stderr.contains("has no specimens"), "{}", refused.stderr);
    assert!(!refused.stderr.contains("--out"), "{}", refused.stderr);
}

#[test]
fn rule_that_a_manifest_names_is_loaded_only_where_it_is_built_in() {
    let made = Made::of(1, &[]);
    let folder = tempfile::tempdir().unwrap();
    let rule = folder.path().join("mine");
    fs::create_dir(&rule).unwrap();
    made.change(|manifest| {
        let rules = list(&mut manifest["terms"]["rules"]);
        rules.push(rules[0].clone());
    });
    let twice = made.verify().expect(4).stderr;
    assert!(twice.contains("the manifest has the rule state-access more than once"), "{twice}");
    made.change(|manifest| drop(list(&mut manifest["terms"]["rules"]).pop()));
    for name in ["mine", "http://127.0.0.1:9/rule.wasm#sha256=", "oci://127.0.0.1:9/a/b@sha256:", text(&rule)] {
        made.change(|manifest| manifest["terms"]["rules"][0]["name"] = json!(name));
        let mut verify = command(&["verify", text(made.out.path()), text(made.specimens.path())]);
        verify.current_dir(folder.path());
        let refused = ended(verify).expect(2);
        assert!(
            refused.stderr.contains(&format!("the data set has the rule {name}, which is not built in")),
            "{}",
            refused.stderr
        );
        assert!(refused.stderr.contains("--rule FILE"), "{}", refused.stderr);
    }
}

#[test]
fn manifest_that_names_a_file_behind_a_link_does_not_have_it_removed() {
    let made = Made::of(1, &[]);
    let elsewhere = tempfile::tempdir().unwrap();
    let victim = elsewhere.path().join("victim.txt");
    fs::write(&victim, "precious").unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), made.out.path().join("sub")).unwrap();
    let file = manifest(made.out.path())["units"][0]["files"][1]["path"].as_str().unwrap().to_owned();
    fs::remove_file(made.out.path().join(file)).unwrap();
    made.change(|manifest| manifest["units"][0]["files"][0]["path"] = json!("sub/victim.txt"));
    let refused = refiner(&replay(made.specimens.path(), made.out.path(), &RULES)).expect(4);
    assert!(refused.stderr.contains("names a file that its blocks do not have: sub/victim.txt"), "{}", refused.stderr);
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
}

#[test]
fn pipe_in_the_place_of_a_file_is_named_and_not_waited_for() {
    let made = Made::of(1, &[]);
    let file = manifest(made.out.path())["units"][0]["files"][0]["path"].as_str().unwrap().to_owned();
    let put_pipe = |name: &str| {
        let path = made.out.path().join(name);
        fs::remove_file(&path).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    };
    put_pipe(&file);
    assert!(made.verify().expect(3).text().contains(&format!("{file}: expected a regular file")));
    put_pipe(MANIFEST);
    let manifest = made.verify().expect(5).stderr;
    assert!(manifest.contains("_manifest.json: expected a regular file"), "{manifest}");
}

#[test]
fn data_set_of_a_run_that_was_killed_is_named_as_unfinished() {
    let made = Made::of(1, &[]);
    let log = made.out.path().join("_manifest.log");
    fs::write(&log, "").unwrap();
    let unfinished = made.verify().expect(4);
    assert!(unfinished.stderr.contains("a replay was interrupted there, or is under way"), "{}", unfinished.stderr);
    fs::remove_file(made.out.path().join(MANIFEST)).unwrap();
    assert_eq!(made.verify().expect(4).stderr, unfinished.stderr);
    fs::remove_file(&log).unwrap();
    assert!(made.verify().expect(4).stderr.contains("no such file"));
}

#[test]
fn totals_and_chains_that_do_not_follow_from_the_units_are_differences() {
    let made = Made::of(3, &[]);
    let honest = manifest(made.out.path());
    for (pointer, value, message) in [
        ("/totals/files", json!(8), "the manifest's totals state 8 files, and its units have 9"),
        ("/totals/rows", json!(0), "the manifest's totals state 0 rows, and its units have"),
        ("/totals/otherVerdicts", json!(1), "totals state 1 other verdicts, and its units have 0"),
        ("/chains/0/blocks", json!(4), "the manifest's chains differ from its units in the blocks of chain 1"),
        ("/chains/0/coverage/0/1", json!(15_600_007), "in the coverage of chain 1"),
        ("/chains/0/gaps", json!([]), "in the gaps of chain 1"),
        ("/chains/0/chainId", json!(5), "in the blocks of chain 1"),
        ("/chains", json!([]), "in the blocks of chain 1"),
    ] {
        made.change(|manifest| *manifest.pointer_mut(pointer).unwrap() = value);
        let different = made.verify().expect(3).text();
        assert!(different.contains("different  ") && different.contains(message), "{pointer}: {different}");
        assert!(different.contains("the same   9 files of 3 of 3 units"), "{pointer}: {different}");
        made.change(|manifest| *manifest = honest.clone());
    }
    made.verify().expect(0);
    made.change(|manifest| list(&mut manifest["units"]).swap(0, 1));
    assert!(made.verify().expect(3).text().contains("is twice in the manifest's units, or not in its order"));
}

#[test]
fn files_that_no_unit_has_are_differences_and_what_a_replay_leaves_is_none() {
    let made = Made::of(2, &["--table", "csv"]);
    let folder = made.out.path().join("transaction-summary/transaction-summary/chain-1");
    assert!(folder.is_dir());
    fs::create_dir(made.out.path().join("_staging")).unwrap();
    fs::write(made.out.path().join("_staging/a.csv"), "a\n").unwrap();
    fs::write(made.out.path().join("_queue"), "id").unwrap();
    made.verify().expect(0);
    for number in 0..12 {
        fs::write(folder.join(format!("blocks_{number:02}.csv")), "forged\n").unwrap();
    }
    let different = made.verify().expect(3).text();
    let first = "different  transaction-summary/transaction-summary/chain-1/blocks_00.csv: no unit has this file";
    assert!(different.contains(first), "{different}");
    assert!(different.contains("different  2 more files that no unit has"), "{different}");
    assert!(different.contains("the same   3 files of 1 of 1 units"), "{different}");
}

#[test]
fn unit_that_was_taken_out_shows_by_its_files_and_by_its_height() {
    let made = Made::of(3, &[]);
    made.change(|manifest| drop(list(&mut manifest["units"]).remove(1)));
    let different = made.verify().expect(3).text();
    assert!(different.contains("the manifest's totals state 3 specimens, and its units have 2"), "{different}");
    assert_eq!(different.matches("no unit has this file").count(), 3, "{different}");
    assert!(different.contains("different  1 of the specimens are in no unit, and the manifest covers"), "{different}");
}

#[test]
fn specimens_that_a_data_set_does_not_cover_are_counted_and_no_difference() {
    let (specimens, copies) = some_samples(3);
    let out = tempfile::tempdir().unwrap();
    refiner(&replay(&copies[1], out.path(), &RULES)).expect(0);
    let made = Made { specimens, out };
    let verified = made.verify().expect(0).text();
    assert!(verified.contains("besides    2 specimens that no unit has"), "{verified}");
    assert!(!made.verify_from(&copies[1]).expect(0).text().contains("besides"));
}

#[test]
fn object_of_a_store_that_no_unit_has_is_a_difference() {
    let (specimens, _) = some_samples(1);
    let store = TestStore::start();
    store.put("results", "other/object", b"of others");
    let run = |arguments: &[&str]| {
        let mut command = command(arguments);
        command.envs(store.variables());
        ended(command)
    };
    run(&["replay", text(specimens.path()), "--out", "s3://results/a"]).expect(0);
    for named in ["s3://results/a/_manifest.json", "s3://results/a/", "s3://results/a"] {
        let verified = run(&["verify", named, text(specimens.path())]).expect(0).text();
        assert!(verified.contains("the same   1 files of 1 of 1 units"), "{named}: {verified}");
    }
    store.put("results", "a/forged.json", b"{}");
    let different = run(&["verify", "s3://results/a", text(specimens.path())]).expect(3).text();
    assert!(different.contains("different  forged.json: no unit has this file"), "{different}");
}

#[test]
fn directory_of_a_data_set_stands_for_its_manifest() {
    let made = Made::of(1, &[]);
    let verified = refiner(&["verify", text(made.out.path()), text(made.specimens.path())]).expect(0).text();
    assert!(verified.contains("the same   3 files of 1 of 1 units"), "{verified}");
    let empty = tempfile::tempdir().unwrap();
    let missing = refiner(&["verify", text(empty.path()), text(made.specimens.path())]).expect(4);
    assert!(missing.stderr.contains("/_manifest.json: no such file"), "{}", missing.stderr);
}

#[test]
fn values_that_the_manifest_states_otherwise_are_named() {
    let made = Made::of(1, &[]);
    let honest = manifest(made.out.path());
    let file = &honest["units"][0]["files"][0];
    let (length, rows) = (file["bytes"].as_u64().unwrap(), file["rows"].as_u64().unwrap());
    for (pointer, value, message) in [
        ("/units/0/files/0/rows", json!(rows + 1), format!("states rows {}; computed again: rows {rows}\n", rows + 1)),
        ("/units/0/files/0/rule", json!("other"), "states rule other; computed again: rule state-access\n".to_owned()),
        ("/units/0/files/0/sha256", json!(format!("0x{}", "11".repeat(32))), "states sha256 0x1111".to_owned()),
        (
            "/units/0/files/0/bytes",
            json!(length + 1),
            format!("length {}; computed again: length {length}", length + 1),
        ),
        ("/units/0/specimens/0/bytes", json!(7), "states length 7; computed again: length ".to_owned()),
        ("/units/0/first", json!(7), "the unit's specimens are of other heights".to_owned()),
    ] {
        made.change(|manifest| *manifest.pointer_mut(pointer).unwrap() = value);
        let different = made.verify().expect(3).text();
        assert!(different.contains(&message), "{pointer}: {different}");
        assert!(!different.contains("another hash"), "{pointer}: {different}");
        made.change(|manifest| *manifest = honest.clone());
    }
}

#[test]
fn number_of_blocks_a_file_that_the_units_contradict_is_named() {
    let made = Made::of(3, &["--table", "csv", "--blocks-per-file", "3"]);
    let term = |blocks: u64| made.change(|manifest| manifest["terms"]["output"]["blocksPerFile"] = blocks.into());
    term(2);
    let different = made.verify().expect(3).text();
    let message = "has 3 blocks, and by the manifest's terms (blocksPerFile) a file has at most 2";
    assert!(different.contains("different  unit 1-15600000 to") && different.contains(message), "{different}");
    term(0);
    let refused = made.verify().expect(4);
    assert!(refused.stderr.contains("the manifest has the output blocksPerFile 0"), "{}", refused.stderr);
    term(3);
    made.verify().expect(0);
}

#[test]
fn conditions_of_verdicts_are_compared_with_what_the_options_give() {
    let list = tempfile::NamedTempFile::new().unwrap();
    let hashes = ["--block-hashes", text(list.path())];
    let (specimens, _) = some_samples(2);
    fs::write(list.path(), format!("15600000 0x{}\n", "11".repeat(32))).unwrap();
    let out = tempfile::tempdir().unwrap();
    refiner(&replay(specimens.path(), out.path(), &[&RULES[..], &hashes].concat())).expect(3);
    let made = Made { specimens, out };
    let verify = |code: i32| {
        let manifest = made.out.path().join(MANIFEST);
        refiner(&[&["verify", text(&manifest), text(made.specimens.path())], &hashes[..]].concat()).expect(code).text()
    };
    assert!(!verify(0).contains("conditions"));
    let honest = manifest(made.out.path());
    assert!(honest["units"][0]["conditions"].is_string());
    for (unit, value, message) in [
        (0, json!(format!("0x{}", "22".repeat(32))), "the manifest states conditions 0x2222"),
        (0, Value::Null, "the manifest states conditions none; computed again: conditions 0x"),
        (1, json!(format!("0x{}", "22".repeat(32))), "computed again: conditions none"),
    ] {
        made.change(|manifest| manifest["units"][unit]["conditions"] = value);
        let different = verify(3);
        assert!(
            different.contains(message) && different.contains("by --chain-config and --block-hashes"),
            "{different}"
        );
        made.change(|manifest| *manifest = honest.clone());
    }
    made.change(|manifest| drop(manifest["units"][0].as_object_mut().unwrap().remove("conditions")));
    assert!(verify(3).contains("the manifest states conditions none"));
}

#[test]
fn conditions_that_no_option_gives_are_counted_and_no_difference() {
    let devnet = samples_directory().join("1337-2.avro");
    let [first, out] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    refiner(&replay(&devnet, first.path(), &RULES)).expect(3);
    let hash = manifest(first.path())["units"][0]["specimens"][0]["blockHash"].as_str().unwrap().to_owned();
    let list = tempfile::NamedTempFile::new().unwrap();
    fs::write(list.path(), format!("1337 2 {hash}\n")).unwrap();
    let hashes = ["--block-hashes", text(list.path())];
    refiner(&replay(&devnet, out.path(), &[&RULES[..], &hashes].concat())).expect(3);
    let verify =
        |more: &[&str]| refiner(&[&["verify", text(out.path()), text(&devnet)], more].concat()).expect(0).text();
    assert!(!verify(&hashes).contains("conditions"));
    let message =
        "besides    conditions of 1 unit, which are not compared: no --chain-config and no --block-hashes is given";
    assert!(verify(&[]).contains(message), "{}", verify(&[]));
}

#[test]
fn form_of_tables_that_is_another_is_named_by_its_keys() {
    let made = Made::of(1, &["--table", "csv"]);
    let other = ["--table", "csv", "--blocks-per-file", "7"];
    let refused = refiner(&replay(made.specimens.path(), made.out.path(), &[&RULES[..], &other].concat())).expect(2);
    let message = "the data set there has the output blocksPerFile 1000; this run has the output blocksPerFile 7";
    assert!(refused.stderr.contains(message), "{}", refused.stderr);
    let artifacts = refiner(&replay(made.specimens.path(), made.out.path(), &RULES)).expect(2);
    assert!(artifacts.stderr.contains("this run has the output form artifacts"), "{}", artifacts.stderr);
    made.change(|manifest| {
        let columns = &mut manifest["terms"]["output"]["columns"]["state-access/accounts"];
        columns[0]["type"] = "other".into();
    });
    let columns = made.verify().expect(2);
    assert!(columns.stderr.contains("the data set has the columns state-access/accounts."), "{}", columns.stderr);
    assert!(columns.stderr.len() < 600, "{}", columns.stderr);
}

#[test]
fn verification_that_ends_at_a_difference_leaves_no_temporary_directory() {
    let made = Made::of(6, &[]);
    made.change(|manifest| manifest["units"][0]["files"][0]["sha256"] = format!("0x{}", "11".repeat(32)).into());
    let temporary = tempfile::tempdir().unwrap();
    for _ in 0..8 {
        let mut verify =
            command(&["verify", text(&made.out.path().join(MANIFEST)), text(made.specimens.path()), "-j", "4"]);
        verify.env("TMPDIR", temporary.path());
        ended(verify).expect(3);
    }
    let left: Vec<_> = fs::read_dir(temporary.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(left.is_empty(), "{left:?}");
}
