//! Copies of the journal, made while it is written to.

use std::{
    fs,
    os::unix::{
        fs::{PermissionsExt as _, symlink},
        net::UnixListener,
    },
    path::Path,
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use refiner_diagnostics::{Diagnostic as _, ExitCode};
use refiner_journal::{BackupError, FileKind, Journal, JournalError, JournalReader, State};

use crate::{Bench, announcement, checkpoint, target};

fn reader(bench: &Bench) -> JournalReader {
    JournalReader::open(bench.journal.path()).unwrap()
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn copy_has_every_item_and_belongs_to_its_owner_alone() {
    let mut bench = Bench::new();
    for (state, height) in [(State::Final, 5), (State::Signed, 6), (State::Waiting, 7)] {
        bench.item_in(state, height);
    }
    let directory = tempfile::tempdir().unwrap();
    let to = directory.path().join("copy.sqlite");
    let backup = reader(&bench).backup(&to, false).unwrap();
    assert_eq!((backup.items, backup.bytes), (3, fs::metadata(&to).unwrap().len()));
    assert_eq!(fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(names(directory.path()), ["copy.sqlite"], "one file, and nothing beside it");
    let copy = Journal::open(&to).unwrap();
    let all = |journal: &Journal| journal.list(&Default::default(), 10).unwrap();
    assert_eq!(all(&copy), all(&bench.journal));
    assert_eq!(copy.cursor().unwrap(), bench.journal.cursor().unwrap());
    assert_eq!(copy.next_nonce(0).unwrap(), bench.journal.next_nonce(0).unwrap());
}

#[test]
fn copy_that_is_made_while_a_writer_writes_is_one_moment_of_the_journal() {
    let bench = Bench::new();
    let (directory, ended) = (tempfile::tempdir().unwrap(), AtomicBool::new(false));
    let Bench { directory: kept, mut journal } = bench;
    let path = journal.path().to_owned();
    thread::scope(|scope| {
        scope.spawn(|| {
            for height in 1.. {
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                // An announcement and the cursor, in one transaction.
                journal.scanned(&[announcement(height)], &[target()], &[checkpoint(height)], height).unwrap();
            }
        });
        for number in 0..20 {
            let to = directory.path().join(number.to_string());
            let backup = JournalReader::open(&path).unwrap().backup(&to, false).unwrap();
            let copy = JournalReader::open(&to).unwrap();
            assert_eq!(copy.cursor().unwrap().map_or(0, |cursor| cursor.number), backup.items, "copy {number}");
        }
        ended.store(true, Ordering::SeqCst);
    });
    drop(kept);
}

#[test]
fn file_that_is_there_is_replaced_only_where_that_is_asked_for() {
    let mut bench = Bench::new();
    let directory = tempfile::tempdir().unwrap();
    let to = directory.path().join("copy.sqlite");
    reader(&bench).backup(&to, false).unwrap();
    bench.announce([1]);
    let error = reader(&bench).backup(&to, false).unwrap_err();
    assert!(matches!(error, BackupError::Exists(_)), "{error}");
    assert_eq!(error.exit_code(), ExitCode::Usage);
    assert_eq!(JournalReader::open(&to).unwrap().counts().unwrap(), [], "the old copy stays");
    assert_eq!(reader(&bench).backup(&to, true).unwrap().items, 1);
    assert_eq!(names(directory.path()), ["copy.sqlite"]);
}

#[test]
fn copy_never_takes_the_place_of_what_is_no_regular_file() {
    let bench = Bench::new();
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    fs::write(path("file"), "kept").unwrap();
    symlink(path("file"), path("link")).unwrap();
    // A name that leads elsewhere is taken, even where nothing is there.
    symlink("/nowhere/at/all", path("dangling")).unwrap();
    fs::create_dir(path("directory")).unwrap();
    let _listener = UnixListener::bind(path("socket")).unwrap();
    assert!(Command::new("mkfifo").arg(path("pipe")).status().unwrap().success());
    let before = names(directory.path());
    for (name, found) in [
        ("link", FileKind::Link),
        ("dangling", FileKind::Link),
        ("directory", FileKind::Directory),
        ("socket", FileKind::Socket),
        ("pipe", FileKind::Pipe),
    ] {
        for replaces in [false, true] {
            let error = reader(&bench).backup(&path(name), replaces).unwrap_err();
            let BackupError::NotAFile { found: kind, .. } = &error else { panic!("{name}: {error}") };
            assert_eq!((*kind, error.exit_code()), (found, ExitCode::Usage), "{name}");
            assert!(error.hint().is_some() && error.to_string().contains(&found.to_string()), "{error}");
        }
    }
    assert_eq!((names(directory.path()), fs::read_to_string(path("file")).unwrap()), (before, "kept".to_owned()));
}

#[test]
fn copy_never_takes_the_place_of_a_file_that_the_journal_or_its_daemon_uses() {
    let bench = Bench::new();
    let beside = bench.directory.path();
    symlink(beside, beside.join("again")).unwrap();
    fs::create_dir_all(beside.join("content/kept")).unwrap();
    let before = names(beside);
    for name in [
        "journal.sqlite",
        "journal.sqlite-wal",
        "journal.sqlite.lock",
        "again/journal.sqlite",
        "control.sock",
        "again/control.sock",
        "content",
        "content/format",
        "content/kept/copy.sqlite",
        "code",
    ] {
        let error = reader(&bench).backup(&beside.join(name), true).unwrap_err();
        assert!(matches!(error, BackupError::InUse(_)), "{name}: {error}");
    }
    assert_eq!(names(beside), before);
    assert_eq!(reader(&bench).backup(&beside.join("copy.sqlite"), false).unwrap().items, 0);
}

#[test]
fn damaged_journal_has_no_copy() {
    let mut bench = Bench::new();
    bench.announce(1..400);
    let bench = bench.reopen();
    let path = bench.journal.path().to_owned();
    let reader = reader(&bench);
    let mut bytes = fs::read(&path).unwrap();
    // Every page but the first, whose header opens the file.
    bytes[4096..].fill(0xa5);
    fs::write(&path, bytes).unwrap();
    let to = bench.directory.path().join("copy.sqlite");
    let error = reader.backup(&to, false).unwrap_err();
    assert!(matches!(error, BackupError::Unreadable(JournalError::Corrupt { .. })), "{error}");
    assert!(!to.exists());
    assert!(!names(bench.directory.path()).iter().any(|name| name.starts_with(".journal-backup")));
}

#[test]
fn directory_that_is_not_there_is_named() {
    let bench = Bench::new();
    let error = reader(&bench).backup(Path::new("/nowhere/copy.sqlite"), false).unwrap_err();
    assert!(error.to_string().starts_with("/nowhere/copy.sqlite: "), "{error}");
    assert_eq!(error.exit_code(), ExitCode::Host);
}
