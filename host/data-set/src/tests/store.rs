//! Data sets in an object store.

use refiner_remote_files::{Condition, RemoteFiles, Terms as RemoteTerms};
use refiner_teststore::{Fault, TestStore};

use super::*;

const BUCKET: &str = "results";

/// A store, and directories for runs of several machines.
struct Kit {
    store: TestStore,
    machines: Vec<tempfile::TempDir>,
}

impl Kit {
    fn new(machines: usize) -> Self {
        let store = TestStore::start();
        // Makes the bucket.
        store.put(BUCKET, "other/object", b"of others");
        Self { store, machines: (0..machines).map(|_| tempfile::tempdir().unwrap()).collect() }
    }

    fn destination(&self, machine: usize) -> Destination {
        self.destination_with(machine, &[])
    }

    fn destination_with(&self, machine: usize, more: &[(&str, &str)]) -> Destination {
        let more = more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let variables = self.store.variables().into_iter().chain(more);
        let variables = variables.map(|(name, value)| (name.into(), value.into())).collect();
        let files = RemoteFiles::new(RemoteTerms { variables, ..RemoteTerms::default() });
        let folder = files.folder(&format!("s3://{BUCKET}/a/run")).unwrap();
        Destination::Store { folder, staging: self.machines[machine].path().join("staging") }
    }

    fn open(&self, machine: usize) -> Result<DataSet, DataSetError> {
        DataSet::open(self.destination(machine), terms(&[]))
    }

    fn commit(data_set: &mut DataSet, heights: &[u64]) {
        for height in heights {
            let unit = staged(&data_set.staging(), *height);
            data_set.commit(unit).unwrap();
        }
    }

    /// Paths of the objects that lead to the manifest.
    fn pending(&self) -> Vec<String> {
        self.names().into_iter().filter(|name| name.starts_with("_manifest/") && name.contains("/units/")).collect()
    }

    fn manifest(&self) -> Vec<u8> {
        self.store.objects(BUCKET, "a/run").remove(Path::new(MANIFEST)).unwrap()
    }

    fn names(&self) -> Vec<String> {
        let objects = self.store.objects(BUCKET, "a/run");
        objects.into_keys().map(|path| path.display().to_string()).collect()
    }
}

#[test]
fn store_gets_the_files_and_the_manifest_of_a_directory_and_nothing_else() {
    let (_directory, expected) = undisturbed();
    let kit = Kit::new(1);
    let mut data_set = kit.open(0).unwrap();
    Kit::commit(&mut data_set, &[10, 11, 13]);
    data_set.finish().unwrap();
    assert_eq!(kit.manifest(), expected);
    let names = ["1-10.r.a", "1-10.r.b", "1-11.r.a", "1-11.r.b", "1-13.r.a", "1-13.r.b", MANIFEST];
    assert_eq!(kit.names(), names);
    assert_eq!(kit.store.objects(BUCKET, "a/run")[Path::new("1-10.r.a")], b"1-10.r.a");
    assert!(!kit.machines[0].path().join("staging").exists(), "nothing is left on the machine");
    // Again, with nothing to do.
    let before = kit.store.requests().len();
    kit.open(0).unwrap().finish().unwrap();
    let requests = kit.store.requests();
    assert!(requests[before..].iter().all(|request| !request.starts_with("PUT")), "{:?}", &requests[before..]);
}

#[test]
fn run_that_ends_anywhere_is_continued_on_another_machine_to_the_same_bytes() {
    let (_directory, expected) = undisturbed();
    for kill in 0..4 {
        let kit = Kit::new(2);
        let mut data_set = kit.open(0).unwrap();
        Kit::commit(&mut data_set, &[10]);
        match kill {
            // Committed, and without a manifest: what is dropped is on its way, as in a process that is killed a moment later.
            0 => {}
            // Files of a unit whose object is not there.
            1 => kit.store.put(BUCKET, "a/run/1-11.r.a", b"1-1"),
            // The manifest is there, and what led to it is not yet gone.
            2 => {
                data_set.finish().unwrap();
                let left = terms_object(&kit, &[10]);
                assert!(left, "objects of units are there again");
                data_set = kit.open(0).unwrap();
            }
            // A unit whose file is gone.
            _ => {
                data_set.finish().unwrap();
                kit.store.remove(BUCKET, "a/run/1-10.r.b");
                data_set = kit.open(0).unwrap();
                let path = "s3://results/a/run/1-10.r.b".into();
                assert_eq!(data_set.standing().damaged, [Damage { path, chain_id: 1, first: 10, last: 10 }]);
            }
        }
        let done = wait_until_sent(&mut data_set);
        assert!(done.is_ok(), "{kill}");
        drop(data_set);
        let mut data_set = kit.open(1).unwrap();
        let is_done = kill != 3;
        assert_eq!(data_set.standing().specimen(1, 10).is_some(), is_done, "{kill}");
        let left: &[u64] = if is_done { &[11, 13] } else { &[10, 11, 13] };
        Kit::commit(&mut data_set, left);
        data_set.finish().unwrap();
        assert_eq!(kit.manifest(), expected, "{kill}");
        assert_eq!(kit.names().len(), 7, "{kill}: {:?}", kit.names());
        assert_eq!(kit.store.objects(BUCKET, "a/run")[Path::new("1-11.r.a")], b"1-11.r.a", "{kill}");
    }
}

/// Makes the objects of these units again, as a run leaves them that is killed after the manifest.
fn terms_object(kit: &Kit, heights: &[u64]) -> bool {
    let mut data_set = kit.open(1).unwrap();
    Kit::commit(&mut data_set, heights);
    wait_until_sent(&mut data_set).unwrap();
    kit.names().iter().any(|name| name.starts_with("_manifest/"))
}

fn wait_until_sent(data_set: &mut DataSet) -> Result<(), DataSetError> {
    match &mut data_set.kept {
        Kept::Store(store) => store.wait_for_all(),
        Kept::Directory(_) => unreachable!("it was opened in a store"),
    }
}

#[test]
fn runs_of_two_machines_over_two_ranges_at_once_end_with_one_manifest_of_both() {
    let (_directory, expected) = undisturbed();
    let kit = Kit::new(2);
    let mut one = kit.open(0).unwrap();
    let mut other = kit.open(1).unwrap();
    Kit::commit(&mut one, &[10, 11]);
    Kit::commit(&mut other, &[13]);
    one.finish().unwrap();
    other.finish().unwrap();
    assert_eq!(kit.manifest(), expected);
    assert_eq!(kit.names().len(), 7, "{:?}", kit.names());
}

#[test]
fn manifest_is_read_before_the_objects_so_that_what_another_run_adds_meanwhile_is_not_taken_for_missing() {
    let kit = Kit::new(1);
    drop(kit.open(0).unwrap());
    let requests = kit.store.requests();
    let position = |is: &dyn Fn(&str) -> bool| requests.iter().position(|request| is(request)).unwrap();
    let manifest = position(&|request| request.ends_with("/a/run/_manifest.json"));
    let listing = position(&|request| request.trim_end_matches('/').ends_with("GET /results"));
    assert!(manifest < listing, "{requests:?}");
}

#[test]
fn units_that_overlap_are_an_error_and_no_manifest_and_then_no_run_begins() {
    for (heights, others) in [(&[10_u64][..], &[9_u64, 10][..]), (&[10], &[10, 11]), (&[10, 11], &[10])] {
        let kit = Kit::new(2);
        let [mut one, mut other] = [kit.open(0).unwrap(), kit.open(1).unwrap()];
        for (data_set, heights) in [(&mut one, heights), (&mut other, others)] {
            let unit = staged_table(&data_set.staging(), heights);
            data_set.commit(unit).unwrap();
            wait_until_sent(data_set).unwrap();
        }
        let error = other.finish().unwrap_err();
        assert!(matches!(error, DataSetError::Doubled { height: 10, .. }), "{error}");
        assert!(!kit.names().contains(&MANIFEST.to_owned()));
        let error = kit.open(1).unwrap_err();
        assert!(matches!(error, DataSetError::Doubled { height: 10, .. }), "{error}");
    }
}

#[test]
fn units_of_other_blocks_with_the_same_first_and_last_which_overwrite_each_other_are_an_error_as_well() {
    for ends_first in [false, true] {
        let kit = Kit::new(2);
        let [mut one, mut other] = [kit.open(0).unwrap(), kit.open(1).unwrap()];
        let unit = staged_table(&one.staging(), &[10, 11, 12]);
        one.commit(unit).unwrap();
        wait_until_sent(&mut one).unwrap();
        let mut one = Some(one);
        if ends_first {
            one.take().unwrap().finish().unwrap();
        }
        let unit = staged_table(&other.staging(), &[10, 12]);
        other.commit(unit).unwrap();
        for ended in [Some(other), one].into_iter().flatten() {
            let error = ended.finish().unwrap_err();
            assert!(matches!(error, DataSetError::Doubled { height: 10, .. }), "{error}");
        }
    }
}

#[test]
fn run_that_ends_first_is_kept_where_the_later_one_overlaps() {
    let kit = Kit::new(2);
    let [mut one, mut other] = [kit.open(0).unwrap(), kit.open(1).unwrap()];
    let unit = staged_table(&one.staging(), &[10]);
    one.commit(unit).unwrap();
    one.finish().unwrap();
    let before = kit.manifest();
    let unit = staged_table(&other.staging(), &[10, 11]);
    other.commit(unit).unwrap();
    let error = other.finish().unwrap_err();
    assert!(matches!(error, DataSetError::Doubled { height: 10, .. }), "{error}");
    assert_eq!(kit.manifest(), before);
}

#[test]
fn same_blocks_with_other_results_of_a_run_at_the_same_time_are_an_error_and_with_the_same_ones_none() {
    for (is_other, error_is_expected) in [(false, false), (true, true)] {
        let kit = Kit::new(2);
        let [mut one, mut other] = [kit.open(0).unwrap(), kit.open(1).unwrap()];
        Kit::commit(&mut one, &[10]);
        wait_until_sent(&mut one).unwrap();
        let mut unit = staged(&other.staging(), 10);
        if is_other {
            unit.conditions = Some(B256::ZERO);
        }
        other.commit(unit).unwrap();
        let sent = wait_until_sent(&mut other);
        assert_eq!(matches!(sent, Err(DataSetError::Doubled { height: 10, .. })), error_is_expected, "{sent:?}");
    }
}

#[test]
fn files_that_came_after_their_page_of_a_listing_are_asked_for_and_no_unit_is_lost() {
    let (_directory, expected) = undisturbed();
    let kit = Kit::new(3);
    let [mut one, mut other] = [kit.open(0).unwrap(), kit.open(1).unwrap()];
    Kit::commit(&mut one, &[10, 11]);
    Kit::commit(&mut other, &[13]);
    wait_until_sent(&mut one).unwrap();
    wait_until_sent(&mut other).unwrap();
    // The object of the unit was there before its page was listed, and its files after theirs.
    kit.store.list_only(BUCKET, "a/run/", |key| !key.contains("1-13.r."));
    assert_eq!(kit.open(2).unwrap().standing().damaged, []);
    one.finish().unwrap();
    kit.store.list_all();
    assert_eq!(kit.manifest(), expected);
    other.finish().unwrap();
    assert_eq!(kit.manifest(), expected);
    assert_eq!(kit.names().len(), 7, "{:?}", kit.names());
}

#[test]
fn run_whose_unit_is_gone_at_the_end_is_an_error_and_the_next_one_makes_it() {
    let (_directory, expected) = undisturbed();
    let kit = Kit::new(1);
    let mut data_set = kit.open(0).unwrap();
    Kit::commit(&mut data_set, &[10, 11]);
    wait_until_sent(&mut data_set).unwrap();
    let gone = kit.pending().into_iter().find(|name| name.contains("1-00000000000000000011-")).unwrap();
    kit.store.remove(BUCKET, &format!("a/run/{gone}"));
    let error = data_set.finish().unwrap_err();
    assert!(matches!(error, DataSetError::Lost { first: 11, last: 11, .. }), "{error}");
    let mut data_set = kit.open(0).unwrap();
    assert!(data_set.standing().specimen(1, 10).is_some());
    Kit::commit(&mut data_set, &[11, 13]);
    data_set.finish().unwrap();
    assert_eq!(kit.manifest(), expected);
}

#[test]
fn objects_of_units_of_earlier_builds_are_taken_in_and_make_way_for_later_ones() {
    let (_directory, expected) = undisturbed();
    let kit = Kit::new(1);
    let mut data_set = kit.open(0).unwrap();
    Kit::commit(&mut data_set, &[10, 11, 13]);
    wait_until_sent(&mut data_set).unwrap();
    drop(data_set);
    for name in kit.pending() {
        let bytes = kit.store.objects(BUCKET, "a/run").remove(Path::new(&name)).unwrap();
        kit.store.remove(BUCKET, &format!("a/run/{name}"));
        let (folder, height) = name.split_once("/units/1-").unwrap();
        let earlier = format!("a/run/{folder}/units/1-{}.json", &height[..20]);
        // The unit of block 11 was made again by this build.
        if earlier.ends_with("11.json") {
            kit.store.put(BUCKET, &format!("a/run/{name}"), &bytes);
            let mut replaced: Unit = serde_json::from_slice(&bytes).unwrap();
            replaced.files.truncate(1);
            kit.store.put(BUCKET, &earlier, &serde_json::to_vec(&replaced).unwrap());
        } else {
            kit.store.put(BUCKET, &earlier, &bytes);
        }
    }
    let data_set = kit.open(0).unwrap();
    assert!([10, 11, 13].iter().all(|height| data_set.standing().specimen(1, *height).is_some()));
    data_set.finish().unwrap();
    assert_eq!(kit.manifest(), expected);
    assert_eq!(kit.names().len(), 7, "{:?}", kit.names());
}

#[test]
fn unit_with_a_missing_object_stays_until_its_blocks_are_made_again_and_then_leaves_no_object_behind() {
    for (heights, expected) in [
        (&[20_u64][..], &["r/b/blocks_10_12", "r/b/blocks_20_20"][..]),
        (&[9, 10, 11, 12], &["r/b/blocks_9_12"]),
        (&[10], &["r/b/blocks_10_10"]),
    ] {
        let kit = Kit::new(1);
        let mut data_set = kit.open(0).unwrap();
        let unit = staged_table(&data_set.staging(), &[10, 11, 12]);
        data_set.commit(unit).unwrap();
        data_set.finish().unwrap();
        kit.store.remove(BUCKET, "a/run/r/a/blocks_10_12");
        let mut data_set = kit.open(0).unwrap();
        assert_eq!(data_set.standing().damaged.len(), 1);
        let unit = staged_table(&data_set.staging(), heights);
        data_set.commit(unit).unwrap();
        assert!(is_consistent(&data_set.finish().unwrap()), "{heights:?}");
        let mut names = kit.names();
        names.retain(|name| name.starts_with("r/b/"));
        assert_eq!(names, expected, "{heights:?}");
    }
}

#[test]
fn results_of_other_terms_are_not_mixed_whether_a_run_of_them_is_done_or_not() {
    let kit = Kit::new(2);
    let mut begun = kit.open(0).unwrap();
    // Opened before there was anything to see.
    let mut late = DataSet::open(kit.destination(1), terms(&[("format", "evm-server@d")])).unwrap();
    Kit::commit(&mut begun, &[10]);
    let unit = staged(&late.staging(), 11);
    let text = late.commit(unit).unwrap_err().to_string();
    assert!(text.contains("s3://results/a/run/: the data set there has the rule r 1.0.0, identity"), "{text}");
    drop(late);
    let other = || DataSet::open(kit.destination(1), terms(&[("format", "evm-server@d")])).unwrap_err().to_string();
    wait_until_sent(&mut begun).unwrap();
    assert!(other().contains("r 1.0.0 with format=evm-server@d"), "{}", other());
}

#[test]
fn store_that_fails_for_a_while_costs_nothing_and_one_that_refuses_ends_the_run() {
    let kit = Kit::new(1);
    let mut data_set = kit.open(0).unwrap();
    kit.store.fail_writes(Fault::SlowDown, 3);
    Kit::commit(&mut data_set, &[10]);
    wait_until_sent(&mut data_set).unwrap();
    kit.store.fail_writes(Fault::AccessDenied, usize::MAX);
    Kit::commit(&mut data_set, &[11]);
    let error = data_set.finish().unwrap_err();
    assert!(error.to_string().contains("the store refuses it: 403"), "{error}");
    kit.store.fail_writes(Fault::AccessDenied, 0);
    let data_set = kit.open(0).unwrap();
    assert!(data_set.standing().specimen(1, 10).is_some());
    assert!(data_set.standing().specimen(1, 11).is_none());
}

#[test]
fn second_run_of_one_machine_into_one_prefix_is_refused_while_the_first_is_there() {
    let kit = Kit::new(1);
    let first = kit.open(0).unwrap();
    let error = kit.open(0).unwrap_err();
    assert_eq!(error.to_string(), "s3://results/a/run/: another run on this machine writes below this prefix");
    drop(first);
    kit.open(0).unwrap();
}

#[test]
fn large_file_is_sent_in_parts() {
    let kit = Kit::new(1);
    let mut data_set = kit.open(0).unwrap();
    let large: Vec<u8> = (0..40_u32 << 18).flat_map(u32::to_le_bytes).collect();
    let (bytes, sha256) = data_set.staging().write("1-10.r.large", &large).unwrap();
    let mut unit = staged(&data_set.staging(), 10);
    let file = FileEntry { path: "1-10.r.large".to_owned(), bytes, sha256, ..unit.files[0].clone() };
    unit.files.push(file);
    data_set.commit(unit).unwrap();
    data_set.finish().unwrap();
    assert!(kit.store.objects(BUCKET, "a/run")[Path::new("1-10.r.large")] == large);
    let parts =
        kit.store.requests().iter().filter(|request| request.starts_with("PUT /results/a/run/1-10.r.large")).count();
    assert_eq!(parts, 3, "40 MiB in parts of 16");
}

#[test]
fn store_without_conditional_requests_gets_its_manifest_too() {
    let (_directory, expected) = undisturbed();
    let kit = Kit::new(2);
    for (machine, heights) in [(0, &[10, 13][..]), (1, &[11])] {
        let destination = kit.destination_with(machine, &[("AWS_CONDITIONAL_PUT", "disabled")]);
        let mut data_set = DataSet::open(destination, terms(&[])).unwrap();
        Kit::commit(&mut data_set, heights);
        data_set.finish().unwrap();
    }
    assert_eq!(kit.manifest(), expected);
}

#[test]
fn object_is_written_where_its_condition_holds_and_read_within_its_limit() {
    let kit = Kit::new(1);
    let Destination::Store { folder, .. } = kit.destination(0) else { unreachable!("it is a store") };
    let write = |bytes: &'static [u8], condition| folder.write("object", &bytes.into(), &condition).unwrap();
    assert!(folder.read("object", 1).unwrap().is_none());
    assert!(write(b"1", Condition::New));
    assert!(!write(b"2", Condition::New));
    let (bytes, mark) = folder.read("object", 1).unwrap().unwrap();
    assert_eq!(&bytes[..], b"1");
    assert!(write(b"33", Condition::Unchanged(mark.clone())));
    assert!(!write(b"4", Condition::Unchanged(mark)));
    let error = folder.read("object", 1).unwrap_err().to_string();
    assert_eq!(error, "s3://results/a/run/object: 2 bytes, and at most 1 are read");
    assert!(write(b"5", Condition::Always));
}
