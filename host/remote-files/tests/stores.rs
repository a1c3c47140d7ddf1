//! Files of a real store with Amazon's interface, on loopback.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::time::{Duration, Instant};

use refiner_loopback::pinner::{Fault as WebFault, PinnerDouble};
use refiner_remote_files::{Condition, ReadFault, RemoteError, RemoteFile, RemoteFiles, Terms};
use refiner_teststore::{Fault, SECRET, TestStore};

const BUCKET: &str = "specimens";

fn reached(store: &TestStore) -> RemoteFiles {
    let variables = store.variables().into_iter().map(|(name, value)| (name.into(), value.into())).collect();
    RemoteFiles::new(Terms { variables, stall: Duration::from_millis(500), ..Terms::default() })
}

/// A store with one object, and the object.
fn one(bytes: &[u8]) -> (TestStore, RemoteFile) {
    let store = TestStore::start();
    store.put(BUCKET, "a/1-10.avro", bytes);
    let mut files = reached(&store).find("s3://specimens/a/1-10.avro", &|_| true).unwrap();
    assert_eq!(files.len(), 1);
    (store, files.remove(0))
}

fn names(files: &[RemoteFile]) -> Vec<String> {
    files.iter().map(|file| file.name().strip_prefix("s3://specimens/").unwrap().to_owned()).collect()
}

#[test]
fn url_names_an_object_a_prefix_or_a_pattern() {
    let store = TestStore::start();
    for key in ["a/1-10.avro", "a/1-20.avro", "a/b/1-30.avro", "a/notes.txt", "ab/1-40.avro", "with space/1-50.avro"] {
        store.put(BUCKET, key, key.as_bytes());
    }
    let files = reached(&store);
    let found = |url: &str| names(&files.find(url, &|name| name.ends_with(".avro")).unwrap());
    assert_eq!(found("s3://specimens/a/1-20.avro"), ["a/1-20.avro"]);
    assert_eq!(
        found("s3://specimens/a/notes.txt"),
        ["a/notes.txt"],
        "one that is named need not be called as specimens are"
    );
    assert_eq!(found("s3://specimens/a"), ["a/1-10.avro", "a/1-20.avro", "a/b/1-30.avro"]);
    assert_eq!(found("s3://specimens/a/"), found("s3://specimens/a"));
    assert_eq!(found("s3://specimens/a/*0.avro"), ["a/1-10.avro", "a/1-20.avro"]);
    assert_eq!(found("s3://specimens/a/**/*.avro"), ["a/1-10.avro", "a/1-20.avro", "a/b/1-30.avro"]);
    assert_eq!(found("s3://specimens/with space/"), ["with space/1-50.avro"]);
    assert_eq!(found("s3://specimens").len(), 5);
    let file = files.find("s3://specimens/a/b/", &|_| true).unwrap().remove(0);
    assert_eq!((file.bytes(), file.read().unwrap()), (Some(13), b"a/b/1-30.avro".to_vec()));
    assert_eq!(file.head(3).unwrap(), b"a/b");
    assert_eq!(file.head(99).unwrap(), file.read().unwrap());
}

#[test]
fn url_that_names_nothing_is_an_error_with_what_was_found() {
    let store = TestStore::start();
    store.put(BUCKET, "a/notes.txt", b"");
    let files = reached(&store);
    let text = |url: &str| files.find(url, &|name| name.ends_with(".avro")).unwrap_err().to_string();
    assert_eq!(text("s3://specimens/a"), "s3://specimens/a: 1 objects are there, and none is called as specimens are");
    assert_eq!(text("s3://specimens/none"), "s3://specimens/none: no such object");
    assert_eq!(text("s3:///a"), "s3:///a: the URL names no bucket");
    assert_eq!(text("ftp://host/a"), "ftp://host/a: URLs of the scheme ftp are not read");
    assert!(text("s3://specimens/[").contains("not a pattern"));
    let scheme = text("ftp://user:canary@host/a");
    assert!(scheme.contains("scheme ftp") && !scheme.contains("canary"), "{scheme}");
    for url in ["s3://user:canary@bucket/a", "https://user:canary@host/a.avro"] {
        let text = text(url);
        assert!(text.contains("carries credentials") && !text.contains("canary"), "{text}");
    }
}

#[test]
fn listing_that_does_not_end_is_given_up_by_who_reads_and_by_who_writes() {
    let store = TestStore::start();
    let variables = store.variables().into_iter().map(|(name, value)| (name.into(), value.into())).collect();
    let files = RemoteFiles::new(Terms { variables, listing: Duration::from_secs(1), ..Terms::default() });
    let begun = Instant::now();
    for (keys, expected) in [
        (&[][..], "the listing of the store does not end: it has no further object within 1 s"),
        (&["a/1-10.avro"], "the listing of the store does not end: it has 'a/1-10.avro' again and again"),
        (&["a/1-10.avro", "a/1-20.avro", "a/1-30.avro"], "the listing of the store does not end: it has 'a/1-"),
    ] {
        store.list_without_end(keys);
        let read = files.find("s3://specimens/a/", &|_| true).unwrap_err();
        let written = files.folder("s3://specimens/a/").unwrap().list().unwrap_err();
        for error in [read, written] {
            assert!(error.to_string().starts_with(&format!("s3://specimens/a/: {expected}")), "{error}");
            assert!(refiner_diagnostics::Diagnostic::hint(&error).unwrap().to_string().contains("whole key"));
        }
    }
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[test]
fn what_the_web_sends_in_the_place_of_a_whole_file_is_named() {
    let web = PinnerDouble::start().unwrap();
    web.serve_at("/1-10.avro", 200, b"the bytes of a specimen");
    let files = RemoteFiles::new(Terms::default());
    let host = web.url().replace("http://", "");
    for (fault, expected) in [
        (WebFault::Partial, "answered 206 with a part of the file, where the whole was asked for"),
        (
            WebFault::Redirect("file:///etc/hostname".to_owned()),
            "answered 302 with a redirect to no address of http or https, and others are not followed",
        ),
    ] {
        web.fault_at("/1-10.avro", fault);
        let file = files.find(&format!("{}/1-10.avro", web.url()), &|_| true).unwrap().remove(0);
        let text = file.read().unwrap_err().to_string();
        assert!(text.contains(&host) && text.ends_with(expected), "{text}");
    }
}

#[test]
fn path_below_a_content_id_is_named_as_such_and_another_id_as_none() {
    let files = RemoteFiles::new(Terms::default());
    let text = |url: &str| files.find(url, &|_| true).unwrap_err().to_string();
    let below = "ipfs://bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e/1-10.avro";
    assert_eq!(text(below), format!("{below}: a path below a content id is not read"));
    assert!(text("ipfs://bafkreifzjut3/1-10.avro").contains("base32"));
}

#[test]
fn failure_that_passes_is_waited_out() {
    let bytes = vec![7; 1 << 20];
    for fault in [Fault::SlowDown, Fault::InternalError, Fault::CutShort, Fault::Silence(Duration::from_secs(2))] {
        let (store, file) = one(&bytes);
        store.fail(fault, 1);
        assert_eq!(file.read().unwrap(), bytes, "{fault:?}");
        let asked = store.requests().iter().filter(|line| line.starts_with("GET /specimens/a/1-10.avro")).count();
        assert_eq!(asked, 2, "{fault:?}: {:?}", store.requests());
    }
}

#[test]
fn failure_that_stays_is_an_error_of_one_line() {
    let (store, file) = one(&[7; 1000]);
    for (fault, expected) in [
        (Fault::AccessDenied, "the store refuses it: 403 Forbidden, AccessDenied: Access Denied"),
        (Fault::NoLength, "the store does not give it: Generic S3 error: Content-Length Header missing from response"),
        (Fault::Half, "the object is no longer the one that was listed"),
    ] {
        store.fail(fault, 99);
        assert_eq!(file.read().unwrap_err().to_string(), expected);
    }
    store.fail(Fault::LongPage, 99);
    let text = file.read().unwrap_err().to_string();
    assert!(text.len() < 400 && !text.contains('\n'), "{text}");
    store.fail(Fault::SlowDown, 0);
    assert_eq!(file.read().unwrap(), [7; 1000], "the next request is another");
}

#[test]
fn object_that_changes_after_it_was_listed_is_an_error() {
    let (store, file) = one(b"as it was listed");
    store.put(BUCKET, "a/1-10.avro", b"another length");
    assert!(matches!(file.read(), Err(ReadFault::Changed)));
    // Listed anew: bytes that are put back in another second are another object where a store lists no marks.
    let (store, file) = one(b"as it was listed");
    file.head(8).unwrap();
    // Of the same length, in the same second: by its mark.
    store.put(BUCKET, "a/1-10.avro", b"AS IT WAS LISTED");
    assert!(matches!(file.read(), Err(ReadFault::Changed)));
    store.remove(BUCKET, "a/1-10.avro");
    assert!(matches!(file.read(), Err(ReadFault::Missing)));
}

#[test]
fn wrong_credentials_are_an_error_that_names_the_variables_and_shows_no_secret() {
    let store = TestStore::start();
    store.put(BUCKET, "1-10.avro", b"bytes");
    let mut variables = store.variables();
    for (name, value) in &mut variables {
        if name == "AWS_SECRET_ACCESS_KEY" {
            value.push_str("-wrong");
        }
    }
    let variables = variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
    let files = RemoteFiles::new(Terms { variables, ..Terms::default() });
    let error = files.find("s3://specimens/", &|_| true).unwrap_err();
    let text = format!("{error} {error:?} {files:?}");
    assert!(matches!(error, RemoteError::Store { fault: ReadFault::Denied { .. }, .. }), "{text}");
    assert!(!text.contains(SECRET), "{text}");
    let hint = refiner_diagnostics::Diagnostic::hint(&error).unwrap().to_string();
    assert!(hint.contains("AWS_SECRET_ACCESS_KEY") && hint.contains("AWS_ENDPOINT_URL"), "{hint}");
}

#[test]
fn key_that_is_not_read_is_named_with_the_way_around_it() {
    let store = TestStore::start();
    let error = reached(&store).find("s3://specimens/odd/x/../1-10.avro", &|_| true).unwrap_err();
    let hint = refiner_diagnostics::Diagnostic::hint(&error).unwrap().to_string();
    assert!(error.to_string().contains("odd/x/..") && hint.contains("list a prefix that has none"), "{error}: {hint}");
}

#[test]
fn scheme_of_a_url_is_read_in_either_case() {
    let store = TestStore::start();
    store.put(BUCKET, "a/1-10.avro", b"ten");
    let names =
        |url: &str| -> Vec<_> { reached(&store).find(url, &|_| true).unwrap().iter().map(RemoteFile::name).collect() };
    assert_eq!(names("S3://specimens/a/"), ["s3://specimens/a/1-10.avro"]);
}

#[test]
fn files_under_way_come_to_their_end_when_another_cannot_be_read_here() {
    let store = TestStore::start();
    let folder = reached(&store).folder("s3://specimens/a/").unwrap();
    let here = tempfile::tempdir().unwrap();
    let (large, gone) = (here.path().join("large"), here.path().join("gone"));
    std::fs::write(&large, vec![7; (16 << 20) + 1]).unwrap();
    let files = vec![(large, "large".to_owned()), (gone.clone(), "gone".to_owned())];
    let error = folder.wait(folder.send(files, ("last".to_owned(), "last".into()), Condition::Always)).unwrap_err();
    assert!(matches!(&error, RemoteError::Local { path, .. } if *path == gone), "{error:?}");
    let objects: Vec<_> = store.objects(BUCKET, "a").into_iter().map(|(path, bytes)| (path, bytes.len())).collect();
    assert_eq!(objects, [("large".into(), (16 << 20) + 1)], "{:?}", store.requests());
}

#[test]
fn files_in_their_order_are_on_their_way_before_they_are_asked_for() {
    let store = TestStore::start();
    for height in 10..40 {
        store.put(BUCKET, &format!("1-{height}.avro"), &[1; 100]);
    }
    let files = reached(&store).find("s3://specimens/", &|_| true).unwrap();
    files[0].read().unwrap();
    files[1].read().unwrap();
    let begun = Instant::now();
    let gets = || store.requests().iter().filter(|line| line.starts_with("GET /specimens/1-")).count();
    while gets() < 18 {
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", store.requests());
        std::thread::sleep(Duration::from_millis(5));
    }
    for file in &files[2..] {
        assert_eq!(file.read().unwrap(), [1; 100]);
    }
    assert_eq!(gets(), files.len(), "each was asked for once");
}
