//! Specimens with another verdict than *produced*, which are tried again where their file or what is known of their chain is another.

use std::{
    fs,
    path::{Path, PathBuf},
};

use alloy_primitives::U256;
use refiner_teststore::TestStore;
use serde_json::Value;

use super::{MANIFEST, RULES, files, manifest, replay, some_samples};
use crate::program::{command, ended, refiner, samples_directory, text};

/// Writes a specimen with one bit of a signature changed, and returns the bytes that were there.
fn break_signature(path: &Path) -> Vec<u8> {
    let sound = fs::read(path).unwrap();
    let mut specimen = refiner_specimen::decode(&sound).unwrap();
    let signature = &mut specimen.block.transactions[0].r;
    *signature = signature.map(|r| r ^ U256::from(1));
    let broken = refiner_specimen::encode(&specimen, specimen.layout).unwrap();
    assert_eq!(broken.len(), sound.len(), "nothing but the hash tells one from the other");
    assert_ne!(broken, sound);
    fs::write(path, broken).unwrap();
    sound
}

fn expected(specimens: &Path, more: &[&str]) -> tempfile::TempDir {
    let out = tempfile::tempdir().unwrap();
    refiner(&replay(specimens, out.path(), more)).expect(0);
    out
}

fn conditions(out: &Path) -> Vec<Value> {
    manifest(out)["units"].as_array().unwrap().iter().map(|unit| unit["conditions"].clone()).collect()
}

#[test]
fn sound_file_in_the_place_of_a_broken_download_is_tried() {
    for table in [&[][..], &["--table", "csv"]] {
        let more = [&RULES[..], table].concat();
        let (specimens, copies) = some_samples(3);
        let whole = expected(specimens.path(), &more);
        let sound = break_signature(&copies[1]);
        let out = tempfile::tempdir().unwrap();
        let broken = refiner(&replay(specimens.path(), out.path(), &more)).expect(3);
        assert!(broken.text().contains("2 ended in another verdict"), "{}", broken.text());
        let again = refiner(&replay(specimens.path(), out.path(), &more)).expect(3);
        assert!(again.text().contains("0 specimens: 0 runs produced, 3 done before"), "{}", again.text());

        fs::write(&copies[1], sound).unwrap();
        let planned = refiner(&replay(specimens.path(), out.path(), &[&more[..], &["--dry-run"]].concat())).expect(0);
        let (run, done) = if table.is_empty() { (1, 2) } else { (3, 0) };
        let message = format!("specimens  {run} to run, {done} done already");
        assert!(planned.text().contains(&message), "{}", planned.text());
        refiner(&replay(specimens.path(), out.path(), &more)).expect(0);
        assert_eq!(files(out.path()), files(whole.path()), "{table:?}");
        let done = refiner(&replay(specimens.path(), out.path(), &more)).expect(0);
        assert!(done.text().contains("0 specimens: 0 runs produced, 3 done before"), "{}", done.text());
        refiner(&["verify", text(out.path()), text(specimens.path())]).expect(0);
    }
}

#[test]
fn sound_file_of_another_length_is_tried_where_nothing_was_produced_and_refused_where_something_was() {
    let (specimens, copies) = some_samples(2);
    let whole = expected(specimens.path(), &RULES);
    let sound = break_signature(&copies[0]);
    let mut specimen = refiner_specimen::decode(&fs::read(&copies[0]).unwrap()).unwrap();
    specimen.block.transactions.pop();
    fs::write(&copies[0], refiner_specimen::encode(&specimen, specimen.layout).unwrap()).unwrap();
    let out = tempfile::tempdir().unwrap();
    refiner(&replay(specimens.path(), out.path(), &RULES)).expect(3);
    assert_eq!(manifest(out.path())["totals"]["otherVerdicts"], 2);
    fs::write(&copies[0], &sound).unwrap();
    refiner(&replay(specimens.path(), out.path(), &RULES)).expect(0);
    assert_eq!(files(out.path()), files(whole.path()));

    fs::write(&copies[0], refiner_specimen::encode(&specimen, specimen.layout).unwrap()).unwrap();
    let refused = refiner(&replay(specimens.path(), out.path(), &RULES)).expect(4);
    assert!(refused.stderr.contains("the data set was made with another specimen of block"), "{}", refused.stderr);
    assert_eq!(files(out.path()), files(whole.path()));
}

#[test]
fn unit_of_several_blocks_is_made_again_whole_or_not_at_all() {
    let more = [&RULES[..], &["--table", "csv"]].concat();
    let (specimens, copies) = some_samples(3);
    let sound = break_signature(&copies[0]);
    let out = tempfile::tempdir().unwrap();
    refiner(&replay(specimens.path(), out.path(), &more)).expect(3);
    let before = files(out.path());

    fs::write(&copies[0], sound).unwrap();
    let part = refiner(&replay(&copies[0], out.path(), &more)).expect(4);
    assert!(part.stderr.contains("and has it in one unit with blocks 15600000 to"), "{}", part.stderr);
    assert!(part.stderr.contains("hint: name the specimens of all these blocks"), "{}", part.stderr);
    // Another of its specimens cannot be decoded any more.
    let whole = fs::read(&copies[2]).unwrap();
    let cut = whole[..whole.len() - 9].iter().copied().chain([0xff; 9]).collect::<Vec<_>>();
    fs::write(&copies[2], cut).unwrap();
    refiner(&replay(specimens.path(), out.path(), &more)).expect(4);
    assert_eq!(files(out.path()), before, "the earlier unit stays");
    fs::write(&copies[2], whole).unwrap();
    refiner(&replay(specimens.path(), out.path(), &more)).expect(0);
    assert_eq!(files(out.path()), files(expected(specimens.path(), &more).path()));
}

#[test]
fn unit_with_a_missing_file_stays_where_other_blocks_are_named_and_is_made_again_with_no_row_twice() {
    let (specimens, copies) = some_samples(4);
    let [out, other] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let table = [&RULES[..], &["--table", "csv", "--blocks-per-file", "3"]].concat();
    let three = [&table[..], &[text(&copies[1]), text(&copies[2])]].concat();
    let two = [&table[..], &[text(&copies[2])]].concat();
    let accounts = Path::new("state-access/accounts/chain-1");
    let missing = |out: &Path| files(out).into_keys().find(|path| path.starts_with(accounts)).unwrap();
    refiner(&replay(&copies[0], out.path(), &three)).expect(0);
    let before = files(out.path());
    let path = missing(out.path());
    fs::remove_file(out.path().join(&path)).unwrap();

    let more = refiner(&replay(&copies[3], out.path(), &table)).expect(0);
    assert!(more.stderr.contains("not there as the manifest states; blocks 1-15600000 to "), "{}", more.stderr);
    assert!(more.stderr.contains("are made again where their specimens are named"), "{}", more.stderr);
    assert_eq!(manifest(out.path())["totals"]["specimens"], 4, "the unit stays in the manifest");
    let kept = before.iter().filter(|(name, _)| **name != path && **name != Path::new(MANIFEST));
    assert!(kept.into_iter().all(|(name, bytes)| files(out.path()).get(name) == Some(bytes)));
    let there = files(out.path());
    let part = refiner(&replay(&copies[0], out.path(), &table)).expect(4);
    assert!(part.stderr.contains("and 1 of its 3 specimens are named"), "{}", part.stderr);
    assert_eq!(files(out.path()), there, "nothing changes");
    refiner(&replay(specimens.path(), out.path(), &table)).expect(0);
    refiner(&["verify", text(out.path()), text(specimens.path())]).expect(0);

    // In files of other blocks: those of the earlier ones go.
    refiner(&replay(&copies[1], other.path(), &two)).expect(0);
    fs::remove_file(other.path().join(missing(other.path()))).unwrap();
    refiner(&replay(specimens.path(), other.path(), &table)).expect(0);
    let verified = refiner(&["verify", text(other.path()), text(specimens.path())]).expect(0).text();
    assert!(verified.contains("of 2 of 2 units"), "{verified}");
}

#[test]
fn sound_file_is_tried_in_a_store_too() {
    let (specimens, copies) = some_samples(2);
    let whole = expected(specimens.path(), &RULES);
    let sound = break_signature(&copies[1]);
    let store = TestStore::start();
    store.put("results", "other/object", b"of others");
    let run = |code: i32| {
        let mut command = command(&["replay", text(specimens.path()), "--out", "s3://results/a"]);
        command.args(RULES).envs(store.variables());
        ended(command).expect(code)
    };
    run(3);
    fs::write(&copies[1], sound).unwrap();
    run(0);
    assert_eq!(store.objects("results", "a"), files(whole.path()));
}

#[test]
fn specimens_of_an_unsupported_chain_are_tried_again_when_its_rules_are_given() {
    let directory = tempfile::tempdir().unwrap();
    let copy = |name: &str| {
        let copy: PathBuf = directory.path().join(name);
        fs::copy(samples_directory().join(name), &copy).unwrap();
        copy
    };
    let (devnet, _mainnet) = (copy("1337-2.avro"), copy("1-17100000.avro"));
    let config = samples_directory().join("devnet-1337.json");
    let with = [&RULES[..], &["--chain-config", text(&config)]].concat();
    let whole = expected(directory.path(), &with);
    assert_eq!(conditions(whole.path()), [Value::Null, Value::Null], "nothing but produced");

    let out = tempfile::tempdir().unwrap();
    refiner(&replay(directory.path(), out.path(), &RULES)).expect(3);
    assert_eq!(conditions(out.path()), [Value::Null, Value::Null], "no option");
    let mainnet = fs::metadata(out.path().join("1-17100000.state-access.accounts.ndjson")).unwrap().modified().unwrap();
    let again = refiner(&replay(directory.path(), out.path(), &with)).expect(0);
    assert!(again.text().contains("1 specimen: 2 runs produced, 1 done before"), "{}", again.text());
    assert_eq!(files(out.path()), files(whole.path()));
    let after = fs::metadata(out.path().join("1-17100000.state-access.accounts.ndjson")).unwrap().modified().unwrap();
    assert_eq!(mainnet, after, "what was produced stays");
    refiner(&replay(directory.path(), out.path(), &RULES)).expect(0);
    assert_eq!(files(out.path()), files(whole.path()), "without the option as well");

    // A configuration under which the chain is still refused counts once.
    let bad = directory.path().join("bad.json");
    fs::write(&bad, fs::read_to_string(&config).unwrap().replace("1337", "1338")).unwrap();
    let other = tempfile::tempdir().unwrap();
    let other_chain = [&RULES[..], &["--chain-config", text(&bad)]].concat();
    refiner(&replay(&devnet, other.path(), &RULES)).expect(3);
    let done = refiner(&replay(&devnet, other.path(), &other_chain)).expect(3);
    assert!(done.text().contains("1 done before"), "another chain's rules change nothing: {}", done.text());
}

#[test]
fn rejected_block_is_tried_again_when_the_list_of_hashes_has_another_one() {
    let (specimens, _) = some_samples(2);
    let whole = expected(specimens.path(), &RULES);
    let hash = manifest(whole.path())["units"][0]["specimens"][0]["blockHash"].as_str().unwrap().to_owned();
    let list = tempfile::NamedTempFile::new().unwrap();
    let with = [&RULES[..], &["--block-hashes", text(list.path())]].concat();
    let out = tempfile::tempdir().unwrap();
    let run = |code: i32| refiner(&replay(specimens.path(), out.path(), &with)).expect(code).text();
    fs::write(list.path(), format!("15600000 0x{}\n", "11".repeat(32))).unwrap();
    run(3);
    assert!(conditions(out.path())[0].is_string());
    assert!(run(3).contains("2 done before"), "under the same conditions");
    // A list that grows, and one that is written otherwise, are the same for the block.
    fs::write(list.path(), format!("# list\n1,15600000,0x{}\n5 7 {hash}\n", "11".repeat(32))).unwrap();
    assert!(run(3).contains("2 done before"), "of other blocks");
    fs::write(list.path(), format!("15600000 {hash}\n")).unwrap();
    assert!(run(0).contains("1 specimen: 2 runs produced, 1 done before"));
    assert_eq!(files(out.path()), files(whole.path()));
    assert!(!fs::read_to_string(out.path().join(MANIFEST)).unwrap().contains("conditions"));
}
