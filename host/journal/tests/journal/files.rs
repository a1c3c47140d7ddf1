//! Files that are locked, foreign, newer or damaged, and that stay as they are.

use std::{
    fs,
    io::{Seek as _, SeekFrom, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::Path,
};

use refiner_diagnostics::Diagnostic as _;
use refiner_journal::{Journal, JournalError, SCHEMA_VERSION, State};

use crate::{Bench, announcement, checkpoint, target};

#[test]
fn second_writer_is_refused_and_told_who_is_first() {
    let bench = Bench::new();
    let error = Journal::open(bench.journal.path()).unwrap_err();
    assert!(matches!(error, JournalError::Locked { pid: Some(pid), .. } if pid == std::process::id()), "{error}");
    assert!(error.hint().is_some());
    bench.reopen();
}

#[test]
fn file_that_is_removed_or_replaced_while_it_is_open_takes_no_more_writes() {
    for replaced in [false, true] {
        let mut bench = Bench::new();
        bench.announce([1]);
        let path = bench.journal.path().to_owned();
        let aside = path.with_extension("aside");
        fs::rename(&path, &aside).unwrap();
        if replaced {
            fs::copy(&aside, &path).unwrap();
        }
        let error = bench.journal.scanned(&[announcement(2)], &[target()], &[checkpoint(2)], 2).unwrap_err();
        assert!(matches!(&error, JournalError::Moved { path: named } if *named == path), "{error}");
        assert!(error.hint().unwrap().to_string().contains("journal rebuild"));
        // The same file put back is the journal again.
        fs::rename(&aside, &path).unwrap();
        bench.announce([2]);
    }
}

#[test]
fn newer_foreign_and_other_files_are_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, sql: &str| {
        let path = directory.path().join(name);
        drop(Journal::open(&path).unwrap());
        rusqlite::Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        path
    };
    let newer = file("newer", &format!("PRAGMA user_version = {}", SCHEMA_VERSION + 1));
    let foreign = file("foreign", "PRAGMA application_id = 77");
    let text = directory.path().join("text");
    fs::write(&text, "this is no database, but it is longer than its header would be. ".repeat(9)).unwrap();
    for (path, expected) in [(newer, "written by a later refiner"), (foreign, "not a journal"), (text, "not a journal")]
    {
        let before = fs::read(&path).unwrap();
        let error = Journal::open(&path).unwrap_err();
        assert!(error.to_string().contains(expected) && error.hint().is_some(), "{error}");
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
        assert_eq!(fs::read(&path).unwrap(), before);
    }
}

#[test]
fn file_that_a_killed_process_left_empty_is_begun_anew() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.sqlite");
    fs::write(&path, "").unwrap();
    Journal::open(&path).unwrap();
}

#[test]
fn file_that_a_killed_process_left_half_created_is_begun_anew() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.sqlite");
    let begun = directory.path().join("begun.sqlite");
    let mut connection = rusqlite::Connection::open(&begun).unwrap();
    let transaction = connection.transaction().unwrap();
    transaction.execute_batch("CREATE TABLE item (id INTEGER); INSERT INTO item VALUES (1)").unwrap();
    // The pages are in the file, and what undoes them is beside it: here the process is killed.
    transaction.cache_flush().unwrap();
    fs::copy(&begun, &path).unwrap();
    fs::copy(directory.path().join("begun.sqlite-journal"), directory.path().join("journal.sqlite-journal")).unwrap();
    drop(transaction);
    Journal::open(&path).unwrap();
    Journal::open(&path).unwrap();
}

#[test]
fn damaged_page_is_named_with_what_is_left_and_nothing_is_overwritten() {
    let mut bench = Bench::new();
    bench.announce(1..=300);
    bench.item_in(State::Broadcast, 900);
    let path = bench.journal.path().to_owned();
    let directory = bench.directory;
    drop(bench.journal);
    // The last connection to leave brought everything into the file itself.
    let pages = fs::metadata(&path).unwrap().len() / 4096;
    assert!(pages > 20, "{pages}");
    let (mut refused, mut with_losses) = (0, 0);
    for page in 1..pages {
        let copy = directory.path().join(format!("copy-{page}.sqlite"));
        fs::copy(&path, &copy).unwrap();
        overwrite(&copy, page * 4096);
        let before = fs::read(&copy).unwrap();
        // A page that is not in use may be damaged without harm.
        let Err(error) = Journal::open(&copy) else { continue };
        assert!(error.to_string().contains(copy.to_str().unwrap()), "{error}");
        assert!(error.hint().is_some_and(|hint| hint.contains(".recover")), "{error}");
        assert_eq!(fs::read(&copy).unwrap(), before);
        refused += 1;
        with_losses += u64::from(error.to_string().contains("not all items can be read"));
    }
    assert!(refused >= pages / 2, "{refused} of {pages}");
    assert!(with_losses > 0 && with_losses < refused, "{with_losses} of {refused}");
}

#[test]
fn damaged_header_is_refused() {
    let bench = Bench::new();
    let path = bench.journal.path().to_owned();
    let _directory = bench.directory;
    drop(bench.journal);
    overwrite(&path, 0);
    let error = Journal::open(&path).unwrap_err();
    assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
}

#[test]
fn journal_cut_off_in_the_middle_is_refused() {
    let mut bench = Bench::new();
    bench.announce(1..=300);
    let path = bench.journal.path().to_owned();
    let _directory = bench.directory;
    drop(bench.journal);
    let length = fs::metadata(&path).unwrap().len();
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(length / 2).unwrap();
    let error = Journal::open(&path).unwrap_err();
    assert!(matches!(error, JournalError::Corrupt { .. }), "{error}");
}

#[test]
fn place_where_no_file_can_be_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = Journal::open(&file.path().join("journal.sqlite")).unwrap_err();
    assert!(matches!(&error, JournalError::File { .. }), "{error}");
    assert!(error.to_string().contains(file.path().to_str().unwrap()), "{error}");
}

fn overwrite(path: &Path, offset: u64) {
    let mut file = fs::OpenOptions::new().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(offset)).unwrap();
    file.write_all(&[0xa5; 512]).unwrap();
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn journal_belongs_to_its_owner_alone_also_one_of_an_earlier_build() {
    let root = tempfile::tempdir().unwrap();
    let directory = root.path().join("data");
    let path = directory.join("journal.sqlite");
    let check = || {
        assert_eq!(mode(&directory), 0o700);
        let files: Vec<_> = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(files.len() >= 4, "the journal, its log, the log's index and the lock: {files:?}");
        files.iter().for_each(|path| assert_eq!(mode(path), 0o600, "{}", path.display()));
    };
    let journal = Journal::open(&path).unwrap();
    check();
    drop(journal);
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).unwrap();
    for entry in fs::read_dir(&directory).unwrap() {
        fs::set_permissions(entry.unwrap().path(), fs::Permissions::from_mode(0o644)).unwrap();
    }
    let _journal = Journal::open(&path).unwrap();
    check();
}
