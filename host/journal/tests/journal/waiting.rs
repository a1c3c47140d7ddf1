//! Items that no source has.

use refiner_journal::{Journal, State, Step};
use rusqlite::Connection;

use crate::Bench;

fn waiting(awaits: Option<&str>, due_ms: u64) -> Step {
    Step::Waiting { reason: "no source gave it".into(), awaits: awaits.map(Into::into), due_ms }
}

#[test]
fn what_waits_is_no_backlog_and_counts_its_looks_from_the_first_on() {
    let mut bench = Bench::new();
    let items = bench.announce(1..=3);
    bench.journal.advance(items[0], &waiting(None, 500), 10).unwrap();
    bench.journal.advance(items[0], &waiting(None, 900), 20).unwrap();
    assert_eq!(bench.journal.unfinished().unwrap(), 2);
    let found = bench.journal.item(items[0]).unwrap().unwrap();
    assert_eq!((found.attempts, found.state_ms, found.due_ms), (2, 10, 900));
    assert_eq!(found.reason.as_deref(), Some("no source gave it"));
    let numbers = bench.journal.waiting().unwrap();
    assert_eq!((numbers.items, numbers.oldest_ms, numbers.next_ms), (1, Some(10), Some(900)));
    bench.journal.advance(items[0], &crate::step_to(State::Fetched, 1), 30).unwrap();
    let found = bench.journal.item(items[0]).unwrap().unwrap();
    assert_eq!((found.attempts, found.reason, found.due_ms), (0, None, 0));
}

#[test]
fn longest_overdue_is_looked_at_first() {
    let mut bench = Bench::new();
    let items = bench.announce(1..=3);
    for (item, due_ms) in items.iter().zip([300, 100, 200]) {
        bench.journal.advance(*item, &waiting(None, due_ms), 10).unwrap();
    }
    let due = bench.journal.due(State::Waiting, 250, 10).unwrap();
    assert_eq!(due.into_iter().map(|item| item.height).collect::<Vec<_>>(), [2, 3]);
}

#[test]
fn source_that_comes_back_wakes_what_waits_for_it() {
    let mut bench = Bench::new();
    let items = bench.announce(1..=4);
    let awaits = [Some("http://a"), Some("http://b\nhttp://a"), Some("http://a/x"), None];
    for (item, awaits) in items.iter().zip(awaits) {
        bench.journal.advance(*item, &waiting(awaits, 500), 10).unwrap();
    }
    let failed = bench.announce([5])[0];
    bench.journal.failed(failed, State::Announced, "no route", 500).unwrap();
    let woken = bench.journal.wake(Some("http://a")).unwrap();
    assert_eq!((woken.waiting, woken.failed), (2, 1));
    let due = |bench: &Bench| bench.journal.due(State::Waiting, 0, 10).unwrap().len();
    assert_eq!(due(&bench), 2);
    assert_eq!(bench.journal.wake(None).unwrap().waiting, 2);
    assert_eq!(due(&bench), 4);
}

#[test]
fn change_of_a_fact_is_noticed_across_starts() {
    let mut bench = Bench::new();
    assert!(!bench.journal.replace_fact("sources", "one").unwrap());
    let mut bench = bench.reopen();
    assert!(!bench.journal.replace_fact("sources", "one").unwrap());
    assert!(bench.journal.replace_fact("sources", "two").unwrap());
}

#[test]
fn journal_of_version_2_is_brought_forward_with_its_items() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.sqlite");
    let connection = Connection::open(&path).unwrap();
    for (version, script) in [(1, include_str!("../../src/schema.sql")), (2, include_str!("../../src/schema_2.sql"))] {
        connection.execute_batch(script).unwrap();
        connection.pragma_update(None, "application_id", 0x7265_6669).unwrap();
        connection.pragma_update(None, "user_version", version).unwrap();
    }
    let insert = "INSERT INTO item (chain, height, block_hash, specimen_hash, rule, rule_name, proves, announced_in,
         announced_ms, state, state_ms, attempts, last_error, due_ms)
         VALUES (1, 7, zeroblob(32), zeroblob(32), zeroblob(32), 'block-result', 1, 7, 7, 'announced', 7, 3, 'no route', 9)";
    connection.execute(insert, []).unwrap();
    drop(connection);
    let journal = Journal::open(&path).unwrap();
    let item = journal.list(&Default::default(), 10).unwrap().remove(0);
    assert_eq!((item.state, item.attempts, item.awaits), (State::Announced, 3, None));
    assert_eq!(journal.waiting().unwrap().items, 0);
}
