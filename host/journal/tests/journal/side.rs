//! Transactions that are no proofs, final proofs that a reorganisation takes away, what was spent, and clocks that were wrong.

use refiner_journal::{Holder, Journal, JournalError, Purpose, SessionKey, SessionOutcome, State, Step};
use rusqlite::Connection;

use crate::{Bench, number, signed, step_to, way_to};

#[test]
fn side_transaction_and_proof_never_hold_one_nonce() {
    let mut bench = Bench::new();
    bench.item_in(State::Signed, 3);
    let error = bench.journal.sign_side(Purpose::Gap, &signed(3, 120), 3).unwrap_err();
    assert!(matches!(error, JournalError::NonceTaken { nonce: 3, .. }), "{error}");

    bench.journal.sign_side(Purpose::Gap, &signed(2, 120), 3).unwrap();
    let proof = bench.item_in(State::ProofIntent, 9);
    let error = bench.journal.advance(proof, &Step::Signed(signed(2, 100)), 3).unwrap_err();
    assert!(matches!(error, JournalError::NonceTakenAside { nonce: 2 }), "{error}");
    assert_eq!(bench.journal.next_nonces(2, 2).unwrap(), [4, 5]);
    assert_eq!((bench.journal.open_transactions().unwrap(), bench.journal.lowest_open_nonce().unwrap()), (2, Some(2)));
}

#[test]
fn side_transaction_is_there_after_a_crash_until_its_nonce_is_used_up() {
    let mut bench = Bench::new();
    bench.journal.sign_side(Purpose::Gap, &signed(7, 100), 3).unwrap();
    bench.journal.sign_side(Purpose::Gap, &signed(7, 113), 4).unwrap();
    bench = bench.reopen();
    let open = bench.journal.open_side().unwrap();
    let fees: Vec<_> = open.iter().map(|side| side.transaction.max_fee).collect();
    assert_eq!((fees, open[0].purpose), (vec![113, 100], Purpose::Gap), "the last signed first");

    bench.journal.close_side(7, Some((signed(7, 113).hash, Some(5)))).unwrap();
    assert_eq!(bench.journal.open_side().unwrap(), []);
    assert_eq!(bench.journal.next_nonce(0).unwrap(), 8, "a node that lags behind does not give it out again");
    assert_eq!(bench.journal.settled_holder(7).unwrap(), Some(Holder::Side));
    bench.journal.reopen_side(7).unwrap();
    assert_eq!(bench.journal.open_side().unwrap().len(), 2);
}

#[test]
fn nonce_that_another_transaction_took_has_no_holder() {
    let mut bench = Bench::new();
    bench.journal.sign_side(Purpose::Gap, &signed(7, 100), 3).unwrap();
    bench.journal.close_side(7, None).unwrap();
    assert_eq!((bench.journal.settled_holder(7).unwrap(), bench.journal.next_nonce(7).unwrap()), (None, 7));
}

#[test]
fn final_proof_that_a_reorganisation_took_away_keeps_its_nonce() {
    let mut bench = Bench::new();
    let item = bench.item_in(State::Final, 3);
    assert_eq!(bench.journal.settled_holder(3).unwrap(), Some(Holder::Item(item)));
    bench.journal.advance(item, &Step::Broadcast, 9).unwrap();
    bench = bench.reopen();
    assert!(bench.journal.transactions(item).unwrap().iter().all(|transaction| transaction.open));
    assert_eq!(bench.journal.next_nonce(3).unwrap(), 4);
    let error = bench.journal.advance(item, &Step::Signed(signed(4, 120)), 9).unwrap_err();
    assert!(matches!(error, JournalError::NonceChanged { held: 3, nonce: 4, .. }), "{error}");
    for state in [State::Mined, State::Final] {
        bench.journal.advance(item, &step_to(state, 3), 10).unwrap();
    }
    assert_eq!(bench.journal.open_transactions().unwrap(), 0);
}

#[test]
fn final_proof_does_not_take_a_nonce_back_that_another_holds() {
    let mut bench = Bench::new();
    let item = bench.item_in(State::Final, 3);
    bench.journal.sign_side(Purpose::Gap, &signed(3, 120), 3).unwrap();
    let error = bench.journal.advance(item, &Step::Broadcast, 9).unwrap_err();
    assert!(matches!(error, JournalError::NonceTakenAside { nonce: 3 }), "{error}");
    assert_eq!(bench.state(item), State::Final);
}

#[test]
fn everything_signed_since_is_an_expense() {
    let mut bench = Bench::new();
    bench.item_in(State::Final, 1);
    bench.journal.paid(signed(1, 100).hash, u128::MAX).unwrap();
    let item = bench.item_in(State::ProofIntent, 2);
    bench.journal.advance(item, &Step::Signed(signed(2, 100)), 50).unwrap();
    bench.journal.advance(item, &Step::Signed(signed(2, 113)), 60).unwrap();
    bench.journal.sign_side(Purpose::Gap, &signed(3, 100), 70).unwrap();
    bench = bench.reopen();
    let expenses = |since| -> Vec<_> {
        let expenses = bench.journal.expenses(since).unwrap();
        expenses.iter().map(|one| (one.nonce, one.open, one.mined, one.paid)).collect()
    };
    let open = |nonce| (nonce, true, false, None);
    assert_eq!(expenses(0), [(1, false, true, Some(u128::MAX)), open(2), open(2), open(3)]);
    assert_eq!(expenses(60), [open(2), open(3)]);
}

#[test]
fn final_items_are_looked_at_again_for_a_time() {
    let mut bench = Bench::new();
    let item = bench.item_in(State::Final, 1);
    // It became final at 2.
    let due = |bench: &Bench, since, now, first| {
        let finals = bench.journal.finals(since, now, first, 9).unwrap();
        finals.iter().map(|item| item.id).collect::<Vec<_>>()
    };
    assert_eq!(due(&bench, 0, 11, 10), []);
    assert_eq!(due(&bench, 0, 12, 10), [item]);
    assert_eq!(due(&bench, 3, 12, 10), [], "too old");
    assert_eq!(due(&bench, 0, 1, 10), [item], "a time to come is a clock's that was wrong");
    bench.journal.looked_at(item, 40).unwrap();
    assert_eq!((due(&bench, 0, 39, 10), due(&bench, 0, 40, 10)), (vec![], vec![item]));
}

#[test]
fn differences_from_others_are_counted_by_rule_across_restarts() {
    let mut bench = Bench::new();
    let rules = [number(1, 1), number(2, 2)];
    bench.journal.set_differences(rules[0], 2).unwrap();
    bench.journal.set_differences(rules[0], 3).unwrap();
    bench = bench.reopen();
    assert_eq!(rules.map(|rule| bench.journal.differences(rule).unwrap()), [3, 0]);
}

#[test]
fn session_is_followed_once_and_waits_for_its_block() {
    let mut bench = Bench::new();
    bench.item_in(State::Final, 1);
    let session = SessionKey { chain: 1, height: 1 };
    assert_eq!(bench.journal.sessions_of_proofs(0).unwrap(), [(session, 77)]);
    bench.journal.follow_sessions(&[(session, 100)]).unwrap();
    bench.journal.follow_sessions(&[(session, 50)]).unwrap();
    bench = bench.reopen();
    assert_eq!(bench.journal.sessions_of_proofs(0).unwrap(), []);
    let due = |bench: &Bench, block| bench.journal.sessions_due(block, 9).unwrap();
    assert_eq!((due(&bench, 99), due(&bench, 100)), (vec![], vec![session]));

    bench.journal.put_session_off(session, 110).unwrap();
    assert_eq!((due(&bench, 109), due(&bench, 110)), (vec![], vec![session]));
    bench.journal.sign_side(Purpose::Finalize(session), &signed(7, 100), 3).unwrap();
    assert_eq!(bench.journal.open_side().unwrap()[0].purpose, Purpose::Finalize(session));
    assert_eq!(due(&bench, 110), [], "its transaction is under way");
    bench.journal.close_side(7, None).unwrap();
    assert_eq!(due(&bench, 110), [session], "another transaction took the nonce");
    bench.journal.end_session(session, Some(SessionOutcome::Finalized)).unwrap();
    assert_eq!(due(&bench, 110), []);
}

#[test]
fn pauses_longer_than_any_are_ended() {
    let mut bench = Bench::new();
    let items = bench.announce([1, 2]);
    bench.journal.failed(items[0], State::Announced, "failed", 1_000).unwrap();
    bench.journal.failed(items[1], State::Announced, "failed", 90_000).unwrap();
    assert_eq!(bench.journal.due_by(500, 600).unwrap(), 1);
    let due = |now| bench.journal.due(State::Announced, now, 9).unwrap().len();
    assert_eq!((due(500), due(1_000)), (1, 2));
}

#[test]
fn journal_from_before_this_version_opens_with_its_transactions() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.sqlite");
    let before = Connection::open(&path).unwrap();
    before.execute_batch(include_str!("../../src/schema.sql")).unwrap();
    before.execute_batch(include_str!("../../src/schema_2.sql")).unwrap();
    before
        .execute_batch(
            "INSERT INTO item (id, chain, height, block_hash, specimen_hash, rule, rule_name, proves, announced_in, announced_ms,
             state, state_ms, mined_block, mined_tx)
             VALUES (1, 1, 7, zeroblob(32), zeroblob(32), zeroblob(32), 'block-result', 1, 5, 1, 'final', 2, 9, zeroblob(32));
             INSERT INTO proof_transaction (hash, item, nonce, raw, max_fee, priority_fee, signed_ms, open)
             VALUES (zeroblob(32), 1, 4, x'02', '100', '1', 2, 0);
             PRAGMA application_id = 1919247977; PRAGMA user_version = 2;",
        )
        .unwrap();
    drop(before);
    let mut journal = Journal::open(&path).unwrap();
    assert_eq!(journal.next_nonce(0).unwrap(), 5);
    let item = journal.list(&Default::default(), 9).unwrap().remove(0);
    assert_eq!(journal.finals(0, 100, 1, 9).unwrap(), std::slice::from_ref(&item));
    journal.advance(item.id, &Step::Broadcast, 3).unwrap();
    assert_eq!(journal.transactions(item.id).unwrap()[0].hash, number(0, 0));
    assert_eq!(journal.open_transactions().unwrap(), 1);
}

#[test]
fn times_of_unfinished_and_recent_work_move_with_the_clock() {
    const DAY_MS: i64 = 86_400_000;
    let mut bench = Bench::new();
    let now = 100 * DAY_MS.unsigned_abs();
    let (old, recent, failing) = (bench.item_in(State::Final, 1), bench.announce([2])[0], bench.announce([3])[0]);
    for step in way_to(State::Final, 2) {
        bench.journal.advance(recent, &step, now - 7).unwrap();
    }
    bench.journal.failed(failing, State::Announced, "for a time", now + 5).unwrap();
    let times = |bench: &Bench| {
        let of = |item| bench.journal.item(item).unwrap().unwrap();
        let spent = bench.journal.expenses(now - 10).unwrap().len();
        (of(old).state_ms, of(recent).state_ms, of(failing).state_ms, of(failing).due_ms, spent)
    };
    assert_eq!(times(&bench), (2, now - 7, 1, now + 5, 1));
    bench.journal.move_times(now, DAY_MS).unwrap();
    let tomorrow = now + DAY_MS.unsigned_abs();
    let moved = (2, tomorrow - 7, 1 + DAY_MS.unsigned_abs(), tomorrow + 5, 1);
    assert_eq!(times(&bench), moved);
    assert_eq!(bench.journal.expenses(tomorrow - 10).unwrap().len(), 1);
    bench.journal.move_times(tomorrow, -DAY_MS).unwrap();
    assert_eq!(times(&bench), (2, now - 7, 1, now + 5, 1));
}

#[test]
fn session_whose_turn_is_beyond_what_a_column_holds_is_never_due() {
    let mut bench = Bench::new();
    let session = SessionKey { chain: 1, height: 7 };
    bench.journal.follow_sessions(&[(session, u64::MAX)]).unwrap();
    assert_eq!(bench.journal.sessions_due(1_000_000, 10).unwrap(), []);
    bench.journal.put_session_off(session, 1 << 63).unwrap();
    assert_eq!(bench.journal.sessions_due(1_000_000, 10).unwrap(), []);
    assert_eq!(bench.journal.sessions_due(u64::MAX, 10).unwrap(), [session]);
}
