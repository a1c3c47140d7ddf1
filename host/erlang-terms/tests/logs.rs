//! Log files: whole, half-written, damaged, doubled, and those that a real Erlang writes.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{fs, process::Command, time::Instant};

use refiner_erlang_terms::{Entry, Log, NotALog, Term, decode};

const OPENED: [u8; 8] = [1, 2, 3, 4, 6, 7, 8, 9];
const CLOSED: [u8; 8] = [1, 2, 3, 4, 99, 88, 77, 11];

fn item(term: &[u8]) -> Vec<u8> {
    [u32::try_from(term.len()).unwrap().to_be_bytes().as_slice(), b"bWLA", term].concat()
}

/// The term of a number.
fn number(number: u8) -> [u8; 3] {
    [131, 97, number]
}

fn file(header: [u8; 8], numbers: impl IntoIterator<Item = u8>) -> Vec<u8> {
    let items = numbers.into_iter().flat_map(|one| item(&number(one)));
    header.into_iter().chain(items).collect()
}

/// The numbers that a log gives, and the bytes of damage.
fn read(bytes: &[u8]) -> (Vec<u8>, usize) {
    let (mut numbers, mut damage) = (Vec::new(), 0);
    for entry in Log::open(bytes).unwrap() {
        match entry {
            Entry::Term(&[131, 97, number]) => numbers.push(number),
            Entry::Term(other) => panic!("{other:?}"),
            Entry::Damage { bytes } => damage += bytes,
        }
    }
    (numbers, damage)
}

#[test]
fn log_gives_its_terms_in_order_and_shows_whether_it_was_closed() {
    assert_eq!(read(&file(CLOSED, 0..50)), ((0..50).collect(), 0));
    assert!(Log::open(&CLOSED).unwrap().is_closed);
    assert!(!Log::open(&OPENED).unwrap().is_closed);
    assert_eq!(read(&OPENED), (vec![], 0));
}

#[test]
fn file_of_another_program_is_no_log() {
    let sqlite = b"SQLite format 3\0".repeat(9);
    for bytes in [b"".as_slice(), &[1, 2, 3, 4], &[1, 2, 3, 4, 0, 0, 0, 0], b"{\"json\": true}", &sqlite] {
        assert_eq!(Log::open(bytes).unwrap_err(), NotALog, "{bytes:?}");
    }
}

#[test]
fn half_written_file_gives_what_was_written_whole() {
    let whole = file(OPENED, 0..10);
    for cut in OPENED.len()..whole.len() {
        let (numbers, damage) = read(&whole[..cut]);
        let (items, rest) = ((cut - OPENED.len()) / 11, (cut - OPENED.len()) % 11);
        assert_eq!(numbers.len(), items, "cut at {cut}");
        assert_eq!(damage, rest, "cut at {cut}");
    }
}

#[test]
fn every_byte_that_changes_costs_two_terms_at_most() {
    let whole = file(CLOSED, 0..20);
    for at in OPENED.len()..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0xff;
        let kept = Log::open(&damaged).unwrap().filter(|entry| matches!(entry, Entry::Term([131, 97, _])));
        assert!(kept.count() >= 18, "byte {at}");
    }
}

#[test]
fn length_that_swallows_others_is_found_out() {
    let mut bytes = file(CLOSED, 0..20);
    // Long enough to end within a later item.
    bytes[8..12].copy_from_slice(&40_u32.to_be_bytes());
    assert_eq!(read(&bytes), ((1..20).collect(), 11));
    bytes[8..12].copy_from_slice(&u32::MAX.to_be_bytes());
    assert_eq!(read(&bytes), ((1..20).collect(), 11));
}

#[test]
fn two_logs_in_one_file_are_read_one_after_the_other() {
    let doubled = [file(OPENED, 0..5), file(CLOSED, 0..5), file(CLOSED, [9])].concat();
    assert_eq!(read(&doubled), (vec![0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 9], 0));
    // The first was cut within its last item: the one before it ends where none begins, and counts as damage too.
    let cut = [&file(OPENED, 0..5)[..8 + 4 * 11 + 6], &file(CLOSED, [7])].concat();
    assert_eq!(read(&cut), (vec![0, 1, 2, 7], 11 + 6));
}

#[test]
fn long_items_have_a_checksum_and_old_ones_another_word() {
    let long = [&[131, 109], 70_000_u32.to_be_bytes().as_slice(), &[7; 70_000]].concat();
    let length = u32::try_from(long.len()).unwrap().to_be_bytes();
    let bytes =
        [CLOSED.as_slice(), &length, b"bWLA", &[0xaa; 16], &long, &3_u32.to_be_bytes(), &[12, 33, 44, 55], &number(5)]
            .concat();
    let entries: Vec<_> = Log::open(&bytes).unwrap().collect();
    assert_eq!(entries, [Entry::Term(&long), Entry::Term(&number(5))]);
    assert!(matches!(decode(&long), Ok(Term::Binary(bytes)) if bytes.len() == 70_000));
}

#[test]
fn megabytes_of_headers_without_items_are_passed_over_in_a_moment() {
    let hostile = [OPENED.as_slice(), &[0xff, 0xff, 0xff, 0xff, b'b', b'W', b'L', b'A'].repeat(1 << 20)].concat();
    let begun = Instant::now();
    assert_eq!(Log::open(&hostile).unwrap().collect::<Vec<_>>(), [Entry::Damage { bytes: 8 << 20 }]);
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}

/// Writes what the reference refiner does, with the options that it does it with.
const WRITER: &str = r#"
    P = hd(init:get_plain_arguments()),
    {ok, l} = disk_log:open([{name, l}, {file, P}, {format, internal}, {type, wrap}, {repair, true}, {size, {1048576, 1000}},
        {notify, false}, {head, {vsn, {0, 1, 0}}}, {quiet, true}, {mode, read_write}]),
    [ok = disk_log:log(l, {commit, H}) || H <- [0, 255, 256, 4000000, 7000000000, 18446744073709551615]],
    ok = disk_log:log(l, {discover, <<"1_2_ab_cd">>}),
    ok = disk_log:close(l),
    halt()."#;

#[test]
fn file_of_a_real_erlang_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("worklog.etf");
    let written = Command::new("erl").args(["-noshell", "-eval", WRITER, "-extra"]).arg(&path).status();
    if !written.is_ok_and(|status| status.success()) {
        eprintln!("skipped: no erl (Debian: erlang-base)");
        return;
    }
    let bytes = fs::read(directory.path().join("worklog.etf.1")).unwrap();
    let terms: Vec<_> = Log::open(&bytes)
        .unwrap()
        .map(|entry| match entry {
            Entry::Term(term) => decode(term).unwrap(),
            Entry::Damage { bytes } => panic!("{bytes} bytes of damage"),
        })
        .collect();
    let commit = |height| Term::Tuple(vec![Term::Atom(b"commit"), Term::Integer(height)]);
    let version = Term::Tuple([0, 1, 0].map(Term::Integer).into());
    let mut expected = vec![Term::Tuple(vec![Term::Atom(b"vsn"), version])];
    expected.extend([0, 255, 256, 4_000_000, 7_000_000_000, u64::MAX.into()].map(commit));
    expected.push(Term::Tuple(vec![Term::Atom(b"discover"), Term::Binary(b"1_2_ab_cd")]));
    assert_eq!(terms, expected);
}
