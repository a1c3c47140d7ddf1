//! `refiner replay --out`: data sets that are continued, and `refiner verify`.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::program::{command, ended, refiner, refiner_reading, samples, samples_directory, text};

mod again;
mod azure;
mod kills;
mod verifying;

/// Built-in rules that are quick, with three outputs.
const RULES: [&str; 4] = ["--rule", "transaction-summary", "--rule", "state-access"];
const MANIFEST: &str = "_manifest.json";

/// Every file below a directory with its bytes.
pub fn files(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    refiner_testkit::folder::files(directory).unwrap()
}

fn manifest(directory: &Path) -> Value {
    serde_json::from_slice(&fs::read(directory.join(MANIFEST)).unwrap()).unwrap()
}

/// Samples of chain 1 in a directory of their own.
pub fn some_samples(count: usize) -> (tempfile::TempDir, Vec<PathBuf>) {
    let directory = tempfile::tempdir().unwrap();
    let of_mainnet = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().starts_with("1-");
    let copy = |path: PathBuf| {
        let copy = directory.path().join(path.file_name().unwrap());
        fs::copy(path, &copy).unwrap();
        copy
    };
    let copies: Vec<_> = samples().into_iter().filter(of_mainnet).take(count).map(copy).collect();
    assert_eq!(copies.len(), count);
    (directory, copies)
}

fn replay<'a>(from: &'a Path, out: &'a Path, more: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = vec!["replay", text(from), "--out", text(out)];
    arguments.extend(more);
    arguments
}

#[test]
fn second_run_makes_only_what_is_missing_and_ends_with_the_same_bytes() {
    let (directory, copies) = some_samples(4);
    let [whole, parts] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    refiner(&replay(directory.path(), whole.path(), &RULES)).expect(0);
    let expected = files(whole.path());

    let some = directory.path().join("1-1*.avro");
    let first = refiner(&replay(&copies[0], parts.path(), &RULES)).expect(0);
    assert!(first.text().contains("1 specimen: 2 runs produced"), "{}", first.text());
    let before = fs::metadata(parts.path().join(expected.keys().next().unwrap())).unwrap().modified().unwrap();
    refiner(&replay(&some, parts.path(), &RULES)).expect(0);
    let last = refiner(&replay(directory.path(), parts.path(), &RULES)).expect(0);
    assert!(last.text().contains(" done before"), "{}", last.text());
    let after = fs::metadata(parts.path().join(expected.keys().next().unwrap())).unwrap().modified().unwrap();
    assert_eq!(before, after, "what is there is not written again");
    assert_eq!(files(parts.path()), expected);
    let again = refiner(&replay(directory.path(), parts.path(), &RULES)).expect(0);
    assert!(again.text().contains("0 specimens: 0 runs produced, 4 done before"), "{}", again.text());
    assert_eq!(files(parts.path()), expected);
}

#[test]
fn manifest_names_rules_specimens_files_coverage_and_gaps() {
    let (directory, copies) = some_samples(3);
    let out = tempfile::tempdir().unwrap();
    let lines =
        refiner(&[&replay(directory.path(), out.path(), &RULES)[..], &["--json"]].concat()).expect(0).json_lines();
    let manifest = manifest(out.path());
    assert_eq!(manifest["kind"], "refiner-data-set");
    assert_eq!(manifest["terms"]["output"]["form"], "artifacts");
    let identities: Vec<_> =
        manifest["terms"]["rules"].as_array().unwrap().iter().map(|rule| &rule["identity"]).collect();
    assert_eq!(identities, [&lines[1]["ruleIdentity"], &lines[0]["ruleIdentity"]], "by name");
    assert_eq!(manifest["chains"][0]["blocks"], 3);
    assert_eq!(manifest["chains"][0]["coverage"].as_array().unwrap().len(), 3);
    assert_eq!(manifest["chains"][0]["gaps"].as_array().unwrap().len(), 2);
    assert_eq!(manifest["totals"]["specimens"], 3);
    let unit = &manifest["units"][0];
    assert_eq!(unit["specimens"][0]["specimenHash"], lines[0]["specimenHash"]);
    assert_eq!(unit["specimens"][0]["bytes"], fs::metadata(&copies[0]).unwrap().len());
    for file in unit["files"].as_array().unwrap() {
        let bytes = fs::read(out.path().join(file["path"].as_str().unwrap())).unwrap();
        assert_eq!(file["sha256"], refiner_specimen::sha256(&bytes).to_string());
        assert_eq!(file["rows"], bytes.iter().filter(|byte| **byte == b'\n').count());
    }
    let artifacts = lines[1]["artifacts"].as_array().unwrap();
    let stated = unit["files"].as_array().unwrap().iter();
    let hashes = |of: &Value| of["sha256"].clone();
    let stated: Vec<_> = stated.filter(|file| file["rule"] == "state-access").map(hashes).collect();
    let mut named: Vec<_> = artifacts.iter().collect();
    named.sort_by_key(|artifact| artifact["name"].to_string());
    assert_eq!(named.into_iter().map(hashes).collect::<Vec<_>>(), stated, "hashes are written in one form");
}

#[test]
fn other_format_into_one_directory_is_refused_and_nothing_changes() {
    let (directory, _) = some_samples(1);
    let out = tempfile::tempdir().unwrap();
    refiner(&replay(directory.path(), out.path(), &[])).expect(0);
    let before = files(out.path());
    let other = refiner(&replay(directory.path(), out.path(), &["--format", "evm-server@d"])).expect(2);
    assert!(other.stderr.contains("block-result 0.1.0, identity 0x"), "{}", other.stderr);
    assert!(other.stderr.contains("with format=evm-server@d, identity 0x"), "{}", other.stderr);
    assert!(other.stderr.contains("hint: name another directory"), "{}", other.stderr);
    let rules = refiner(&replay(directory.path(), out.path(), &RULES)).expect(2);
    assert!(
        rules.stderr.contains("rules block-result; this run has the rules state-access, transaction-summary"),
        "{}",
        rules.stderr
    );
    assert_eq!(files(out.path()), before);
}

#[test]
fn two_specimens_of_one_height_are_refused_by_name_unless_they_are_equal() {
    let (directory, copies) = some_samples(1);
    let other = directory.path().join("1-other.avro");
    fs::copy(&copies[0], &other).unwrap();
    let out = tempfile::tempdir().unwrap();
    let equal = refiner(&replay(directory.path(), out.path(), &RULES)).expect(0);
    assert!(equal.text().contains("1 specimen: 2 runs produced, 1 copy left out"), "{}", equal.text());

    let mut specimen = refiner_specimen::decode(&fs::read(&other).unwrap()).unwrap();
    specimen.stated_codec_version += 1.0;
    fs::write(&other, refiner_specimen::encode(&specimen, specimen.layout).unwrap()).unwrap();
    for threads in ["1", "2"] {
        let out = tempfile::tempdir().unwrap();
        let refused = refiner(&replay(directory.path(), out.path(), &["-j", threads])).expect(4);
        assert!(
            refused.stderr.contains(text(&copies[0])) && refused.stderr.contains(text(&other)),
            "{}",
            refused.stderr
        );
        assert!(files(out.path()).is_empty());
    }
    // Without files there is nothing that one could take from the other.
    refiner(&["replay", text(directory.path())]).expect(0);
}

#[test]
fn second_run_at_the_same_time_is_refused() {
    let (directory, _) = some_samples(1);
    let out = tempfile::tempdir().unwrap();
    let held = fs::File::open(out.path()).unwrap();
    held.try_lock().unwrap();
    let refused = refiner(&replay(directory.path(), out.path(), &RULES)).expect(5);
    assert!(refused.stderr.contains("another run writes into this directory"), "{}", refused.stderr);
    drop(held);
    refiner(&replay(directory.path(), out.path(), &RULES)).expect(0);
}

#[test]
fn specimens_come_compressed_in_archives_by_lists_and_under_the_names_of_the_network() {
    let (directory, copies) = some_samples(3);
    let results = |arguments: &[&str], input: &[u8]| -> Vec<Value> {
        let lines = refiner_reading(&[&["replay", "--json"], arguments].concat(), input).expect(0).json_lines();
        lines.into_iter().map(|line| line["artifacts"].clone()).collect()
    };
    let expected = results(&[text(directory.path())], b"");
    assert_eq!(expected.len(), 3);
    let run = |program: &str, arguments: &[&str]| {
        let status = std::process::Command::new(program).args(arguments).current_dir(directory.path()).status();
        assert!(status.unwrap().success(), "{program} {arguments:?}");
    };
    let names: Vec<_> = copies.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
    run("tar", &[&["-czf", "all.tar.gz"], &names[..]].concat());
    run("tar", &[&["-cf", "all.tar"], &names[..]].concat());
    for archive in ["all.tar", "all.tar.gz"] {
        let path = directory.path().join(archive);
        assert_eq!(results(&[text(&path)], b""), expected, "{archive}");
        assert_eq!(results(&["-"], &fs::read(&path).unwrap()), expected, "{archive} on standard input");
    }
    let list = copies.iter().map(|path| format!("{}\0", path.display())).collect::<String>();
    assert_eq!(results(&["--files-from", "-"], list.as_bytes()), expected);
    let twice = refiner_reading(&["replay", "--files-from", "-", "-"], list.as_bytes()).expect(4);
    assert!(twice.stderr.contains("standard input is the list of names already"), "{}", twice.stderr);
    fs::write(directory.path().join("list"), list.replace('\0', "\n")).unwrap();
    assert_eq!(results(&["--files-from", text(&directory.path().join("list"))], b""), expected);

    let others = directory.path().join("a/b");
    fs::create_dir_all(&others).unwrap();
    run("gzip", &[names[0]]);
    fs::rename(directory.path().join(format!("{}.gz", names[0])), others.join("1-1.AVRO.GZ")).unwrap();
    let unusual = OsStr::from_bytes(b"1-2-replica-0x\xff");
    fs::rename(&copies[1], others.join(unusual)).unwrap();
    fs::rename(&copies[2], others.join("1-3")).unwrap();
    std::os::unix::fs::symlink("..", others.join("loop")).unwrap();
    let below = directory.path().join("a");
    assert_eq!(results(&[text(&below)], b""), expected);
    assert_eq!(results(&[&format!("{}/**/1-*", below.display())], b""), expected);
    let mut by_name = command(&["replay", "--json"]);
    by_name.arg(others.join(unusual));
    assert_eq!(ended(by_name).expect(0).json_lines()[0]["artifacts"], expected[1]);
}

/// A Zstandard file with this content behind so many bytes of a frame in which nothing is.
fn hidden(content: &[u8], skipped: u32) -> Vec<u8> {
    // A frame without content, by which the file is one of Zstandard.
    let mut file = b"\x28\xb5\x2f\xfd\x20\x00\x01\x00\x00".to_vec();
    file.extend([0x184d_2a50_u32.to_le_bytes(), skipped.to_le_bytes()].as_flattened());
    file.resize(file.len() + usize::try_from(skipped).unwrap(), 0);
    file.extend(b"\x28\xb5\x2f\xfd\xa0");
    file.extend(u32::try_from(content.len()).unwrap().to_le_bytes());
    let blocks = content.chunks(128 << 10);
    let last = blocks.len() - 1;
    for (number, block) in blocks.enumerate() {
        // Blocks that are not compressed: a bit of the last, two of the kind, and the length.
        let header = u32::try_from(block.len() << 3 | usize::from(number == last)).unwrap();
        file.extend(&header.to_le_bytes()[..3]);
        file.extend(block);
    }
    file
}

#[test]
fn member_whose_heading_lies_deep_in_it_is_kept_or_unusable_and_never_dropped() {
    let (directory, copies) = some_samples(1);
    for (skipped, is_kept) in [(300_000, true), (17 << 20, false)] {
        let [out, packed] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        fs::write(packed.path().join("1-1.avro.zst"), hidden(&fs::read(&copies[0]).unwrap(), skipped)).unwrap();
        let archive = directory.path().join("a.tar");
        let mut tar = std::process::Command::new("tar");
        assert!(tar.args(["-cf", text(&archive), "-C", text(packed.path()), "."]).status().unwrap().success());
        let ended = refiner(&replay(&archive, out.path(), &RULES)).expect(if is_kept { 0 } else { 4 });
        let kept = manifest(out.path())["units"].as_array().unwrap().len();
        assert_eq!(kept, usize::from(is_kept), "{}", ended.text());
        assert!(is_kept || ended.stderr.contains("not kept: it is of block 1-"), "{}", ended.stderr);
        assert!(is_kept || ended.text().contains("0 runs produced, 1 specimen unusable"), "{}", ended.text());
    }
}

#[test]
fn pipes_give_the_data_set_that_their_files_give() {
    let (_directory, copies) = some_samples(2);
    let [expected, found] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let mut arguments = vec!["replay", text(&copies[0]), text(&copies[1]), "--out", text(expected.path())];
    arguments.extend(RULES);
    refiner(&arguments).expect(0);
    let mut piped = std::process::Command::new("bash");
    piped.args(["-c", "program=$1 out=$2 one=$3 other=$4; shift 4; \"$program\" replay <(cat \"$one\") <(cat \"$other\") --out \"$out\" \"$@\""]);
    piped.args(["bash", env!("CARGO_BIN_EXE_refiner"), text(found.path()), text(&copies[0]), text(&copies[1])]);
    piped.args(RULES);
    ended(piped).expect(0);
    assert!(files(found.path()) == files(expected.path()));
}

#[test]
fn bad_argument_stops_only_itself_and_shows_in_the_exit_code() {
    let (directory, copies) = some_samples(1);
    let absent = directory.path().join("absent.avro");
    let ended =
        refiner(&["replay", text(&absent), text(&copies[0]), &format!("{}/*.none", directory.path().display())])
            .expect(4);
    assert!(ended.text().contains("1 specimen: 1 run produced, 2 arguments that name nothing"), "{}", ended.text());
    assert!(ended.stderr.contains("absent.avro: no such file"), "{}", ended.stderr);
    assert!(ended.stderr.contains("matches no file"), "{}", ended.stderr);
    let unusable = directory.path().join("1-1.avro");
    fs::write(&unusable, "no specimen").unwrap();
    let lines = refiner(&["replay", "--json", text(directory.path())]).expect(4).json_lines();
    assert_eq!((&lines[0]["verdict"], &lines[0]["class"]), (&"unusable".into(), &"malformed".into()));
}

#[test]
fn heights_are_selected_as_in_cryo() {
    let (directory, _) = some_samples(4);
    let heights = |blocks: &[&str]| -> Vec<u64> {
        let arguments = [&["replay", "--json", text(directory.path())], blocks].concat();
        refiner(&arguments).expect(0).json_lines().iter().map(|line| line["height"].as_u64().unwrap()).collect()
    };
    let all = heights(&[]);
    let between = format!("{}:{}", all[1], all[3]);
    assert_eq!(heights(&["--blocks", &between]), all[1..3]);
    assert_eq!(heights(&["--blocks", &format!("{}:", all[2])]), all[2..]);
    assert_eq!(heights(&["--blocks", "-1:"]), all[3..]);
    assert_eq!(heights(&["--blocks", &all[0].to_string(), "--blocks", &format!("{}:+1", all[2])]), [all[0], all[2]]);
    let none = refiner(&["replay", text(directory.path()), "--blocks", "1:2"]).expect(4);
    assert!(
        none.stderr.contains(&format!("selects none of the 4 specimens, whose heights are {} to {}", all[0], all[3])),
        "{}",
        none.stderr
    );
    let wrong = refiner(&["replay", text(directory.path()), "--blocks", "5:1"]).expect(2);
    assert!(wrong.stderr.contains("is empty"), "{}", wrong.stderr);
}

#[test]
fn dry_run_says_what_would_be_done_and_does_nothing() {
    let (directory, copies) = some_samples(3);
    let out = tempfile::tempdir().unwrap();
    let place = out.path().join("new");
    let dry = refiner(&replay(directory.path(), &place, &[&RULES[..], &["--dry-run"]].concat())).expect(0);
    assert!(dry.text().contains("rule       state-access"), "{}", dry.text());
    assert!(dry.text().contains("specimens  3 to run, 0 done already"), "{}", dry.text());
    assert!(!place.exists());
    refiner(&replay(&copies[0], &place, &RULES)).expect(0);
    let report = refiner(&replay(directory.path(), &place, &[&RULES[..], &["--dry-run", "--json"]].concat()))
        .expect(0)
        .json_lines();
    assert_eq!((&report[0]["specimens"], &report[0]["done"]), (&2.into(), &1.into()));
    refiner(&replay(directory.path(), &place, &RULES)).expect(0);
    let promised: Vec<_> = report[0]["files"].as_array().unwrap().iter().map(|file| file.as_str().unwrap()).collect();
    assert_eq!(promised.len(), 6);
    for file in promised {
        assert!(place.join(file).exists(), "{file}");
    }
}

#[test]
fn data_set_is_verified_byte_for_byte() {
    let (directory, copies) = some_samples(3);
    let out = tempfile::tempdir().unwrap();
    refiner(&replay(directory.path(), out.path(), &RULES)).expect(0);
    let manifest_path = out.path().join(MANIFEST);
    let verify = |from: &Path, code: i32| refiner(&["verify", text(&manifest_path), text(from)]).expect(code).text();
    assert!(verify(directory.path(), 0).contains("the same   9 files of 3 of 3 units"));

    let missing = verify(&copies[1], 4);
    assert!(missing.contains("the same   3 files of 1 of 3 units"), "{missing}");
    assert_eq!(missing.matches("missing    the specimen of block").count(), 2, "{missing}");

    let file = manifest(out.path())["units"][2]["files"][0]["path"].as_str().unwrap().to_owned();
    let path = out.path().join(&file);
    let honest = fs::read(&path).unwrap();
    let mut changed = honest.clone();
    let last = changed.len() - 2;
    changed[last] ^= 1;
    fs::write(&path, &changed).unwrap();
    let different = verify(directory.path(), 3);
    assert!(different.contains(&format!("{file}: differs from what is computed at byte {last}, line")), "{different}");
    fs::remove_file(&path).unwrap();
    assert!(verify(directory.path(), 3).contains(&format!("{file}: the file is not there")));
    fs::write(&path, &honest).unwrap();

    let text_of = fs::read_to_string(&manifest_path).unwrap();
    let stated = manifest(out.path())["units"][0]["files"][1]["sha256"].as_str().unwrap().to_owned();
    fs::write(&manifest_path, text_of.replace(&stated, &format!("0x{}", "11".repeat(32)))).unwrap();
    assert!(verify(directory.path(), 3).contains("the manifest states sha256 0x1111"));
    let identity = manifest(out.path())["terms"]["rules"][0]["identity"].as_str().unwrap().to_owned();
    fs::write(&manifest_path, text_of.replace(&identity, &format!("0x{}", "22".repeat(32)))).unwrap();
    let other = refiner(&["verify", text(&manifest_path), text(directory.path())]).expect(2);
    assert!(other.stderr.contains(&identity) && other.stderr.contains(&"22".repeat(32)), "{}", other.stderr);
}

#[test]
fn summary_tells_why_runs_produced_nothing() {
    let sample = samples_directory().join("1-17100000.avro");
    let hashes = tempfile::NamedTempFile::new().unwrap();
    fs::write(hashes.path(), format!("1 17100000 0x{}\n", "11".repeat(32))).unwrap();
    let ended =
        refiner(&["replay", text(&sample), "--report", "summary", "--block-hashes", text(hashes.path())]).expect(3);
    assert!(
        ended.text().contains("1 x block-result: rejected: the block is not the one that is known"),
        "{}",
        ended.text()
    );
    assert!(ended.text().contains("(first 1-17100000)"), "{}", ended.text());
}

#[test]
fn parameter_that_no_rule_reads_is_refused_by_name() {
    let sample = samples_directory().join("1-17100000.avro");
    let ended = refiner(&["replay", text(&sample), "--param", "formt=evm-server@d"]).expect(2);
    assert!(ended.stderr.contains("no rule reads a parameter 'formt'"), "{}", ended.stderr);
    refiner(&["replay", text(&sample), "--param", "format=canonical"]).expect(0);
    let twice = ["replay", text(&sample), "--format", "canonical", "--param", "format=evm-server@d"];
    let ended = refiner(&twice).expect(2);
    assert!(ended.stderr.contains("'format' has two values, 'canonical' and 'evm-server@d'"), "{}", ended.stderr);
}

#[test]
fn parameter_of_one_rule_leaves_the_others_as_they_are_and_is_verified() {
    let (directory, _copies) = some_samples(2);
    let out = tempfile::tempdir().unwrap();
    let rules = ["--rule", "block-result", "--rule", "token-transfers"];
    let identities = |more: &[&str]| -> BTreeMap<String, Value> {
        let mut arguments = vec!["replay", "--json", text(directory.path())];
        arguments.extend(rules);
        arguments.extend(more);
        let lines = refiner(&arguments).expect(0).json_lines();
        lines
            .iter()
            .map(|line| (line["rule"].as_str().unwrap_or_default().to_owned(), line["ruleIdentity"].clone()))
            .collect()
    };
    let (plain, all) = (identities(&[]), identities(&["--format", "evm-server@d"]));
    let one = identities(&["--param", "block-result:format=evm-server@d", "--out", text(out.path())]);
    assert_eq!(one["block-result"], all["block-result"]);
    assert_eq!(one["token-transfers"], plain["token-transfers"]);
    assert_ne!(all["token-transfers"], plain["token-transfers"], "a parameter without a rule is one of all");
    let terms = manifest(out.path())["terms"]["rules"].clone();
    assert_eq!(terms[0]["params"]["format"], "evm-server@d");
    assert_eq!(terms[1]["params"].as_object().map(serde_json::Map::len), Some(0));
    let verified = refiner(&["verify", text(&out.path().join(MANIFEST)), text(directory.path())]).expect(0);
    assert!(verified.text().contains("the same"), "{}", verified.text());
    let misspelt = refiner(&["replay", text(directory.path()), "--param", "block-resul:format=evm-server@d"]).expect(2);
    assert!(misspelt.stderr.contains("no rule reads a parameter 'block-resul:format'"), "{}", misspelt.stderr);
}
