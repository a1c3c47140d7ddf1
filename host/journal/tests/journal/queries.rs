//! Tests of the queries that people make.

use refiner_journal::{Filter, JournalReader, State, Step};

use crate::Bench;

#[test]
fn items_are_counted_and_listed_by_state_and_height() {
    let mut bench = Bench::new();
    bench.item_in(State::Final, 1);
    bench.item_in(State::Quarantined, 2);
    let third = bench.item_in(State::Quarantined, 3);
    let counts: Vec<_> = bench.journal.counts().unwrap().into_iter().map(|count| (count.state, count.items)).collect();
    assert_eq!(counts, [(State::Final, 1), (State::Quarantined, 2)]);
    let list =
        |filter| -> Vec<u64> { bench.journal.list(&filter, 10).unwrap().into_iter().map(|item| item.height).collect() };
    assert_eq!(list(Filter::default()), [1, 2, 3]);
    assert_eq!(list(Filter { state: Some(State::Quarantined), ..Default::default() }), [2, 3]);
    assert_eq!(list(Filter { height: Some(3), ..Default::default() }), [3]);
    assert_eq!(list(Filter { after: Some(third), ..Default::default() }), [] as [u64; 0]);
}

#[test]
fn due_are_the_oldest_that_nobody_works_on() {
    let mut bench = Bench::new();
    let items = bench.announce(1..=6);
    bench.journal.failed(items[1], State::Announced, "no route", 500).unwrap();
    let heights = |limit, now_ms, at_work: &[usize]| -> Vec<u64> {
        let is_at_work = |item| at_work.iter().any(|index| items[*index] == item);
        let due = bench.journal.due_but(State::Announced, now_ms, limit, is_at_work).unwrap();
        due.into_iter().map(|item| item.height).collect()
    };
    assert_eq!(heights(10, 499, &[]), [1, 3, 4, 5, 6]);
    assert_eq!(heights(2, 500, &[0, 2]), [2, 4]);
    assert_eq!(heights(10, 500, &[0, 1, 2, 3, 4, 5]), [] as [u64; 0]);
    assert_eq!(heights(0, 500, &[]), [] as [u64; 0]);
    for (most, now_ms, expected) in [(10, 499, 5), (10, 500, 6), (3, 500, 3), (0, 500, 0)] {
        assert_eq!(bench.journal.count_due(State::Announced, now_ms, most).unwrap(), expected, "{most} at {now_ms}");
    }
}

#[test]
fn export_is_one_json_object_a_line_with_everything() {
    let mut bench = Bench::new();
    // More than one page.
    bench.announce(1..=600);
    bench.item_in(State::Broadcast, 700);
    let mut out = Vec::new();
    let written = bench.journal.export(&Filter::default(), &mut out).unwrap();
    let lines: Vec<serde_json::Value> = out
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    assert_eq!((written, lines.len()), (601, 601));
    let last = &lines[600];
    assert_eq!(last["state"], "broadcast");
    assert_eq!(last["transactions"][0]["nonce"], 700);
    assert_eq!(last["artifacts"][0]["name"], "result.json");
}

#[test]
fn views_answer_while_the_journal_is_open() {
    let mut bench = Bench::new();
    bench.item_in(State::Quarantined, 2);
    bench.item_in(State::Broadcast, 3);
    let reader =
        rusqlite::Connection::open_with_flags(bench.journal.path(), rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)
            .unwrap();
    let text = |query: &str| reader.query_row(query, [], |row| row.get::<_, String>(0)).unwrap();
    assert_eq!(text("SELECT reason FROM items WHERE state = 'quarantined'"), "because");
    let item = bench.journal.list(&Filter { height: Some(3), ..Default::default() }, 1).unwrap().remove(0);
    assert_eq!(text("SELECT key FROM items WHERE height = 3"), item.key());
    assert_eq!(text("SELECT group_concat(state || items) FROM backlog"), "broadcast1,quarantined1");
    assert_eq!(text("SELECT transaction_hash FROM proofs WHERE nonce = 3"), crate::signed(3, 100).hash.to_string());
}

#[test]
fn journal_can_be_read_while_another_process_writes() {
    let mut bench = Bench::new();
    let reader = JournalReader::open(bench.journal.path()).unwrap();
    assert_eq!(reader.counts().unwrap(), []);
    bench.announce([1, 2]);
    assert_eq!(reader.counts().unwrap()[0].items, 2);
    let missing = JournalReader::open(&bench.directory.path().join("none.sqlite")).unwrap_err();
    assert!(missing.to_string().contains("none.sqlite"), "{missing}");
}

#[test]
fn results_from_receipts_and_refusals_of_a_class_are_counted_and_a_further_try_begins_without_either() {
    let mut bench = Bench::new();
    let produced = bench.item_in(State::Produced, 1);
    let refused = bench.item_in(State::Refused, 2);
    bench.item_in(State::Final, 3);
    let counts = |bench: &Bench| {
        let of_basis = |basis| bench.journal.count_of_basis(basis).unwrap();
        (of_basis("receipts"), of_basis("execution"), bench.journal.count_of_class("noState").unwrap())
    };
    assert_eq!(counts(&bench), (2, 0, 1));
    let words = |bench: &Bench, item| {
        let item = bench.journal.item(item).unwrap().unwrap();
        (item.basis, item.reason_class)
    };
    assert_eq!(words(&bench, produced), (Some("receipts".to_owned()), None));
    assert_eq!(words(&bench, refused), (None, Some("noState".to_owned())));
    bench.journal.advance(produced, &Step::Again, 9).unwrap();
    assert_eq!(words(&bench, produced), (None, None));
    assert_eq!(counts(&bench), (1, 0, 1));
}
