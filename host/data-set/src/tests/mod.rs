//! Data sets that are interrupted at every step.

use std::{fs, io::Write as _, path::Path};

use alloy_primitives::B256;

use super::*;
use crate::{data_set::Kept, directory::Directory, log::LOG, staging::STAGING, standing::is_of_unit};

mod store;

fn terms(params: &[(&str, &str)]) -> Terms {
    let params = params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let rule = RuleTerms {
        name: "r".to_owned(),
        version: "1.0.0".to_owned(),
        identity: B256::with_last_byte(7),
        params,
        hypothetical: false,
    };
    Terms { engine_profile: B256::ZERO, rules: vec![rule], output: OutputTerms::Artifacts }
}

/// Stages the files of a unit of one block.
fn staged(staging: &Staging, height: u64) -> Unit {
    let file = |output: &str| {
        let path = format!("1-{height}.r.{output}");
        let (bytes, sha256) = staging.write(&path, path.as_bytes()).unwrap();
        FileEntry { path, rule: "r".to_owned(), output: output.to_owned(), rows: Some(1), bytes, sha256 }
    };
    let specimen = SpecimenEntry { height, block_hash: B256::ZERO, specimen_hash: B256::ZERO, bytes: 9 };
    Unit {
        chain_id: 1,
        first: height,
        last: height,
        specimens: vec![specimen],
        files: vec![file("a"), file("b")],
        verdicts: Vec::new(),
        conditions: None,
    }
}

/// Stages the files of a unit of several blocks, two tables.
fn staged_table(staging: &Staging, heights: &[u64]) -> Unit {
    let (first, last) = (heights[0], heights[heights.len() - 1]);
    let file = |output: &str| {
        let path = format!("r/{output}/blocks_{first}_{last}");
        let (bytes, sha256) = staging.write(&path, format!("{output} {heights:?}").as_bytes()).unwrap();
        FileEntry { path, rule: "r".to_owned(), output: output.to_owned(), rows: Some(1), bytes, sha256 }
    };
    let specimen =
        |height: &u64| SpecimenEntry { height: *height, block_hash: B256::ZERO, specimen_hash: B256::ZERO, bytes: 9 };
    let specimens = heights.iter().map(specimen).collect();
    Unit { chain_id: 1, first, last, specimens, files: vec![file("a"), file("b")], ..Unit::default() }
}

/// True for a manifest whose parts follow from its units, whatever their size.
fn is_consistent(manifest: &Manifest) -> bool {
    manifest.inconsistencies().iter().all(|found| matches!(found, Inconsistency::UnitSize { .. }))
}

fn directory_of(data_set: &mut DataSet) -> &mut Directory {
    match &mut data_set.kept {
        Kept::Directory(directory) => directory,
        Kept::Store(_) => unreachable!("it was opened in a directory"),
    }
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn undisturbed() -> (tempfile::TempDir, Vec<u8>) {
    let directory = tempfile::tempdir().unwrap();
    let mut data_set = DataSet::open(directory.path(), terms(&[])).unwrap();
    for height in [10, 11, 13] {
        let unit = staged(&data_set.staging(), height);
        data_set.commit(unit).unwrap();
    }
    data_set.finish().unwrap();
    let manifest = fs::read(directory.path().join(MANIFEST)).unwrap();
    (directory, manifest)
}

#[test]
fn finished_data_set_holds_its_files_and_the_manifest_and_nothing_else() {
    let (directory, manifest) = undisturbed();
    let expected = ["1-10.r.a", "1-10.r.b", "1-11.r.a", "1-11.r.b", "1-13.r.a", "1-13.r.b", MANIFEST];
    assert_eq!(names(directory.path()), expected);
    let read = Manifest::read(&directory.path().join(MANIFEST)).unwrap().unwrap();
    assert_eq!(read.chains[0].coverage, [(10, 11), (13, 13)]);
    assert_eq!(read.chains[0].gaps, [(12, 12)]);
    assert_eq!((read.totals.specimens, read.totals.files, read.totals.rows), (3, 6, 6));
    assert_eq!(manifest.iter().filter(|byte| **byte == b'\n').count(), 10, "a line a unit");
}

#[test]
fn run_that_ends_anywhere_is_continued_to_the_same_bytes() {
    let (_, expected) = undisturbed();
    for kill in 0..6 {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        let mut data_set = DataSet::open(path, terms(&[])).unwrap();
        let first = staged(&data_set.staging(), 10);
        data_set.commit(first).unwrap();
        let second = staged(&data_set.staging(), 11);
        match kill {
            // Staged, and not committed.
            0 => {}
            // Committed, and not one file named.
            1 => directory_of(&mut data_set).log.append(&terms(&[]), &second).unwrap(),
            // Committed, and one of two files named.
            2 => {
                directory_of(&mut data_set).log.append(&terms(&[]), &second).unwrap();
                directory_of(&mut data_set).name("1-11.r.a").unwrap();
            }
            // A line that is not whole.
            3 => {
                let mut log = fs::OpenOptions::new().append(true).open(path.join(LOG)).unwrap();
                log.write_all(br#"{"chainId":1,"fi"#).unwrap();
            }
            // Half a staged file of a later attempt at a committed unit.
            4 => {
                data_set.staging().write("1-10.r.a", b"half").unwrap();
            }
            // After the manifest, before the log is gone.
            _ => {}
        }
        if kill == 5 {
            let log = fs::read(path.join(LOG)).unwrap();
            data_set.finish().unwrap();
            fs::write(path.join(LOG), log).unwrap();
        } else {
            // The end of the process ends its lock.
            drop(data_set);
        }
        let is_done = kill == 1 || kill == 2;
        let mut data_set = DataSet::open(path, terms(&[])).unwrap();
        assert!(data_set.standing().specimen(1, 10).is_some());
        assert_eq!(data_set.standing().specimen(1, 11).is_some(), is_done, "{kill}");
        assert_eq!(path.join("1-11.r.b").exists(), is_done, "{kill}");
        assert!(!path.join(STAGING).exists());
        for height in [11, 13].into_iter().filter(|height| *height > 11 || !is_done) {
            let unit = staged(&data_set.staging(), height);
            data_set.commit(unit).unwrap();
        }
        data_set.finish().unwrap();
        assert_eq!(fs::read(path.join(MANIFEST)).unwrap(), expected, "{kill}");
        assert_eq!(names(path).len(), 7, "{kill}");
        assert_eq!(fs::read(path.join("1-10.r.a")).unwrap(), b"1-10.r.a", "{kill}");
    }
}

#[test]
fn results_of_other_terms_are_not_mixed_and_both_are_named() {
    let (directory, manifest) = undisturbed();
    let error = DataSet::open(directory.path(), terms(&[("format", "evm-server@d")])).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("r 1.0.0, identity") && text.contains("r 1.0.0 with format=evm-server@d"), "{text}");
    let mut more = terms(&[]);
    more.rules.push(RuleTerms { name: "s".to_owned(), ..more.rules[0].clone() });
    let text = DataSet::open(directory.path(), more).unwrap_err().to_string();
    assert!(text.contains("rules r; this run has the rules r, s"), "{text}");
    assert_eq!(fs::read(directory.path().join(MANIFEST)).unwrap(), manifest);
}

#[test]
fn second_run_into_one_directory_is_refused_while_the_first_is_there() {
    let directory = tempfile::tempdir().unwrap();
    let first = DataSet::open(directory.path(), terms(&[])).unwrap();
    let error = DataSet::open(directory.path(), terms(&[])).unwrap_err();
    assert!(matches!(error, DataSetError::Locked(_)), "{error}");
    drop(first);
    DataSet::open(directory.path(), terms(&[])).unwrap();
}

#[test]
fn file_that_is_missing_or_cut_makes_its_unit_undone() {
    let (directory, expected) = undisturbed();
    let path = directory.path();
    fs::remove_file(path.join("1-10.r.b")).unwrap();
    fs::write(path.join("1-11.r.a"), "1-11").unwrap();
    let mut data_set = DataSet::open(path, terms(&[])).unwrap();
    let damage = |name, height| Damage { path: path.join(name), chain_id: 1, first: height, last: height };
    assert_eq!(data_set.standing().damaged, [damage("1-10.r.b", 10), damage("1-11.r.a", 11)]);
    for height in [10, 11] {
        assert!(data_set.standing().specimen(1, height).is_none());
        let unit = staged(&data_set.staging(), height);
        data_set.commit(unit).unwrap();
    }
    data_set.finish().unwrap();
    assert_eq!(fs::read(path.join(MANIFEST)).unwrap(), expected);
}

#[test]
fn unit_that_is_made_again_replaces_the_earlier_one_with_its_files_wherever_the_run_ends() {
    let rejected = |height| VerdictEntry {
        height,
        rule: "r".to_owned(),
        verdict: "rejected".to_owned(),
        message: "reason".to_owned(),
    };
    for kill in 0..4 {
        let (directory, _) = undisturbed();
        let path = directory.path();
        let mut data_set = DataSet::open(path, terms(&[])).unwrap();
        let mut unit = staged(&data_set.staging(), 11);
        unit.files.truncate(1);
        unit.verdicts = vec![rejected(11)];
        match kill {
            // Committed, and not one file named.
            0 => directory_of(&mut data_set).log.append(&terms(&[]), &unit).unwrap(),
            1 => data_set.commit(unit.clone()).unwrap(),
            // Twice.
            2 => {
                data_set.commit(unit.clone()).unwrap();
                data_set.finish().unwrap();
                data_set = DataSet::open(path, terms(&[])).unwrap();
                let unit = staged(&data_set.staging(), 11);
                data_set.commit(unit).unwrap();
                assert!(!data_set.standing().has_other_verdict(1, 11));
            }
            _ => {
                data_set.commit(unit.clone()).unwrap();
                data_set.finish().unwrap();
                data_set = DataSet::open(path, terms(&[])).unwrap();
            }
        }
        drop(data_set);
        let data_set = DataSet::open(path, terms(&[])).unwrap();
        let is_whole = kill == 2;
        assert_eq!(data_set.standing().has_only_other_verdicts(1, 11), !is_whole, "{kill}");
        assert_eq!(data_set.standing().unit_of(1, 11).unwrap().files.len(), if is_whole { 2 } else { 1 }, "{kill}");
        data_set.finish().unwrap();
        assert_eq!(path.join("1-11.r.b").exists(), is_whole, "{kill}: a file that no unit has any more is removed");
        assert_eq!(names(path).len(), if is_whole { 7 } else { 6 }, "{kill}");
        let manifest = Manifest::read(&path.join(MANIFEST)).unwrap().unwrap();
        assert_eq!(manifest.inconsistencies(), [], "{kill}");
        assert_eq!(manifest.totals.other_verdicts, u64::from(!is_whole), "{kill}");
    }
}

#[test]
fn unit_with_a_missing_file_stays_as_it_is_until_its_blocks_are_made_again_and_then_leaves_no_file_behind() {
    for (heights, expected, coverage) in [
        (&[20_u64][..], &["blocks_10_12", "blocks_20_20"][..], &[(10, 12), (20, 20)][..]),
        (&[9, 10, 11, 12], &["blocks_9_12"], &[(9, 12)]),
        (&[10, 12], &["blocks_10_12"], &[(10, 10), (12, 12)]),
        (&[10], &["blocks_10_10"], &[(10, 10)]),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        let mut data_set = DataSet::open(path, terms(&[])).unwrap();
        let unit = staged_table(&data_set.staging(), &[10, 11, 12]);
        data_set.commit(unit).unwrap();
        data_set.finish().unwrap();
        fs::remove_file(path.join("r/a/blocks_10_12")).unwrap();
        let before = fs::read(path.join(MANIFEST)).unwrap();
        // Nothing is made.
        DataSet::open(path, terms(&[])).unwrap().finish().unwrap();
        assert_eq!(fs::read(path.join(MANIFEST)).unwrap(), before);

        let mut data_set = DataSet::open(path, terms(&[])).unwrap();
        let Damage { first, last, .. } = data_set.standing().damaged[0];
        assert_eq!((first, last), (10, 12));
        assert!((10..=12).all(|height| data_set.standing().unit_of(1, height).is_none()));
        let unit = staged_table(&data_set.staging(), heights);
        data_set.commit(unit).unwrap();
        let manifest = data_set.finish().unwrap();
        assert!(is_consistent(&manifest), "{heights:?}");
        assert_eq!(manifest.chains[0].coverage, coverage, "{heights:?}");
        assert_eq!(names(&path.join("r/b")), expected, "{heights:?}");
    }
}

#[test]
fn unit_of_more_blocks_than_a_file_may_have_is_named_with_the_term() {
    let staging = Staging { root: tempfile::tempdir().unwrap().keep() };
    let unit = staged_table(&staging, &[10, 11, 12]);
    fs::remove_dir_all(staging.root).unwrap();
    let found = |output| Manifest::of(Terms { output, ..terms(&[]) }, vec![unit.clone()]).inconsistencies();
    let table = |blocks_per_file| OutputTerms::Table {
        format: "csv".to_owned(),
        blocks_per_file,
        wide_numbers: "string".to_owned(),
        columns: Default::default(),
    };
    assert_eq!(found(table(3)), []);
    let message = "unit 1-10 to 12 has 3 blocks, and by the manifest's terms (blocksPerFile) a file has at most 2";
    assert_eq!(found(table(2))[0].to_string(), message);
    assert!(found(OutputTerms::Artifacts)[0].to_string().contains("(form artifacts) a file has at most 1"));
}

#[test]
fn temporary_files_of_earlier_builds_are_removed_and_others_are_not() {
    let directory = tempfile::tempdir().unwrap();
    for name in [".tmpAb12Zz", ".tmpAb12Zzz", ".tmp", "x.tmpAb12Zz"] {
        fs::write(directory.path().join(name), "x").unwrap();
    }
    DataSet::open(directory.path(), terms(&[])).unwrap();
    assert_eq!(names(directory.path()), [".tmp", ".tmpAb12Zzz", "x.tmpAb12Zz"]);
}

#[test]
fn manifest_that_leads_out_of_its_directory_is_refused() {
    let unit = Unit { chain_id: 1, first: 10, last: 12, ..Unit::default() };
    for path in ["1-10.r.a", "r/a/chain-1/blocks_0000000010_0000000012.parquet", "r/a/blocks_10_12"] {
        assert!(is_of_unit(path, &unit), "{path}");
    }
    let of_none =
        ["", "/1-10.r.a", "../1-10.r.a", "1-1.r.a", "1-100.r.a", "10-10.r.a", "1-10.r\0.a", "_1-10.r.a", "a/1-10.r.a"];
    let of_no_table = [
        "blocks_10_12",
        "a/victim",
        "a/../b/blocks_10_12",
        "a//blocks_10_12",
        "a/./blocks_10_12",
        "a/blocks_10_13",
        "_a/blocks_10_12",
    ];
    for path in of_none.into_iter().chain(of_no_table) {
        assert!(!is_of_unit(path, &unit), "{path}");
    }
    let (directory, manifest) = undisturbed();
    let text = String::from_utf8(manifest).unwrap().replace("1-10.r.a", "../../victim");
    fs::write(directory.path().join(MANIFEST), text).unwrap();
    let error = DataSet::open(directory.path(), terms(&[])).unwrap_err();
    assert!(matches!(error, DataSetError::OtherFile { .. }), "{error}");
}

#[test]
fn file_and_link_to_nowhere_are_no_directory() {
    let directory = tempfile::tempdir().unwrap();
    let (file, link) = (directory.path().join("file"), directory.path().join("link"));
    fs::write(&file, "mine").unwrap();
    std::os::unix::fs::symlink("nowhere", &link).unwrap();
    for path in [&file, &link, &file.join("below")] {
        let error = DataSet::open(path.as_path(), terms(&[])).unwrap_err();
        assert!(matches!(&error, DataSetError::NoDirectory(of) if of == path), "{error}");
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
}

#[test]
fn file_that_is_no_manifest_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(MANIFEST);
    for (text, message) in [
        ("{", "not a manifest"),
        (r#"{"kind":"other","version":1}"#, "its kind is another"),
        (r#"{"kind":"refiner-data-set","version":9}"#, "version 9, and this program reads version 1"),
    ] {
        fs::write(&path, text).unwrap();
        let error = DataSet::open(directory.path(), terms(&[])).unwrap_err().to_string();
        assert!(error.contains(message) && error.contains(MANIFEST), "{error}");
    }
}

#[test]
fn ten_thousand_units_cost_no_more_each_than_a_thousand() {
    let time = |units: u64| {
        let directory = tempfile::tempdir().unwrap();
        let begun = std::time::Instant::now();
        let mut data_set = DataSet::open(directory.path(), terms(&[])).unwrap();
        for height in 0..units {
            let specimen = SpecimenEntry { height, block_hash: B256::ZERO, specimen_hash: B256::ZERO, bytes: 9 };
            data_set
                .commit(Unit { chain_id: 1, first: height, last: height, specimens: vec![specimen], ..Unit::default() })
                .unwrap();
        }
        data_set.finish().unwrap();
        begun.elapsed().as_secs_f64() / units as f64
    };
    let (few, many) = (time(1_000), time(10_000));
    assert!(many < few * 4.0, "{few} s a unit of 1,000, {many} s of 10,000");
}
