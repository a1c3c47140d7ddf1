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
                assert_eq!(data_set.standing().damaged, [Path::new("s3://results/a/run/1-10.r.b")]);
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
fn units_that_overlap_are_an_error_and_no_manifest() {
    let kit = Kit::new(2);
    let [mut one, mut other] = [kit.open(0).unwrap(), kit.open(1).unwrap()];
    Kit::commit(&mut one, &[10]);
    let mut unit = staged(&other.staging(), 9);
    unit.specimens.push(SpecimenEntry { height: 10, ..unit.specimens[0].clone() });
    other.commit(unit).unwrap();
    wait_until_sent(&mut one).unwrap();
    let error = other.finish().unwrap_err();
    assert!(matches!(error, DataSetError::Doubled { height: 10, .. }), "{error}");
    assert!(!kit.names().contains(&MANIFEST.to_owned()));
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
    let (bytes, sha256) = data_set.staging().write("large", &large).unwrap();
    let mut unit = staged(&data_set.staging(), 10);
    let file = FileEntry { path: "large".to_owned(), bytes, sha256, ..unit.files[0].clone() };
    unit.files.push(file);
    data_set.commit(unit).unwrap();
    data_set.finish().unwrap();
    assert!(kit.store.objects(BUCKET, "a/run")[Path::new("large")] == large);
    let parts = kit.store.requests().iter().filter(|request| request.starts_with("PUT /results/a/run/large")).count();
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
