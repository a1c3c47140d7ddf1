//! One step after another, and the ones that are refused.

use refiner_journal::{Action, JournalError, State, Step};

use crate::{Bench, artifact, number, signed, step_to};

/// Steps whose state can follow but that mean something else there.
fn is_other_way(from: State, to: State) -> bool {
    matches!(
        (from, to),
        // `Again` is the pipeline's; these three are a person's or the scanner's, `PinAgain` is not `Produced`.
        (State::Skipped | State::Quarantined | State::Withdrawn, State::Announced)
            | (State::ProofIntent, State::Produced)
    )
}

#[test]
fn every_step_is_taken_exactly_from_the_states_of_the_table() {
    for (row, from) in (0..).zip(State::ALL) {
        let mut bench = Bench::new();
        for (column, to) in (0..).zip(State::ALL) {
            if to == State::Withdrawn {
                continue;
            }
            let height = 1 + row * 100 + column;
            let item = bench.item_in(from, height);
            let answer = bench.journal.advance(item, &step_to(to, height), 3);
            if from.may_become(to) && !is_other_way(from, to) {
                answer.unwrap();
                assert_eq!(bench.state(item), to);
            } else {
                let error = answer.unwrap_err();
                assert!(matches!(error, JournalError::Illegal { .. }) && error.is_stale(), "{from} to {to}: {error}");
                assert_eq!(bench.state(item), from, "nothing was written");
            }
        }
    }
}

#[test]
fn what_a_step_brings_is_there_after_a_crash() {
    let mut bench = Bench::new();
    let item = bench.item_in(State::Mined, 4);
    let bench = bench.reopen();
    let found = bench.journal.item(item).unwrap().unwrap();
    assert_eq!(found.specimen_cid.as_deref(), Some("bafkreispec"));
    assert_eq!((found.mined_block, found.mined_tx), (Some(77), Some(signed(4, 100).hash)));
    assert_eq!(bench.journal.artifacts(item).unwrap(), [artifact("result.json")]);
    let transactions = bench.journal.transactions(item).unwrap();
    assert_eq!(transactions.len(), 1);
    assert_eq!(transactions[0].raw, signed(4, 100).raw);
}

#[test]
fn several_steps_are_written_together_or_not_at_all() {
    let mut bench = Bench::new();
    let (good, bad) = (bench.item_in(State::ProofIntent, 1), bench.item_in(State::Fetched, 2));
    let steps = [(good, Step::Signed(signed(0, 100))), (bad, Step::Signed(signed(1, 100)))];
    let error = bench.journal.advance_all(&steps, 3).unwrap_err();
    assert!(matches!(error, JournalError::Illegal { from: State::Fetched, .. }), "{error}");
    assert_eq!(bench.state(good), State::ProofIntent);
    assert_eq!(bench.journal.transactions(good).unwrap(), []);
}

#[test]
fn failures_are_counted_until_the_item_moves_on() {
    let mut bench = Bench::new();
    let item = bench.announce([1])[0];
    assert_eq!(bench.journal.failed(item, State::Announced, "no route", 500).unwrap(), 1);
    assert_eq!(bench.journal.failed(item, State::Announced, "still none", 900).unwrap(), 2);
    let mut bench = bench.reopen();
    assert_eq!(bench.journal.due(State::Announced, 899, 10).unwrap(), []);
    let due = bench.journal.due(State::Announced, 900, 10).unwrap();
    assert_eq!((due[0].attempts, due[0].last_error.as_deref()), (2, Some("still none")));

    bench.journal.advance(item, &step_to(State::Fetched, 1), 950).unwrap();
    let moved = bench.journal.item(item).unwrap().unwrap();
    assert_eq!((moved.attempts, moved.last_error, moved.due_ms), (0, None, 0));
    let error = bench.journal.failed(item, State::Announced, "late", 0).unwrap_err();
    assert!(error.is_stale(), "{error}");
}

#[test]
fn quarantined_item_says_why_and_what_was_last_until_it_is_retried() {
    let mut bench = Bench::new();
    let item = bench.announce([1])[0];
    bench.journal.failed(item, State::Announced, "no route", 0).unwrap();
    let step = Step::Quarantined { reason: "fetch failed 10 times".into() };
    bench.journal.advance(item, &step, 5).unwrap();
    let found = bench.journal.item(item).unwrap().unwrap();
    assert_eq!(found.reason.as_deref(), Some("fetch failed 10 times"));
    assert_eq!(found.last_error.as_deref(), Some("no route"));
    assert!(bench.act(item, Action::Retry));
    let found = bench.journal.item(item).unwrap().unwrap();
    assert_eq!((found.state, found.reason, found.attempts), (State::Announced, None, 0));
}

#[test]
fn result_is_pinned_again_with_the_artifacts_it_has() {
    let mut bench = Bench::new();
    let item = bench.item_in(State::ProofIntent, 1);
    bench.journal.advance(item, &Step::PinAgain, 3).unwrap();
    assert_eq!(bench.state(item), State::Produced);
    assert_eq!(bench.journal.artifacts(item).unwrap(), [artifact("result.json")]);
}

#[test]
fn only_a_transaction_of_the_item_can_be_mined() {
    let mut bench = Bench::new();
    let item = bench.item_in(State::Broadcast, 1);
    let step = Step::Mined { hash: number(1, 1), block: 9 };
    let error = bench.journal.advance(item, &step, 3).unwrap_err();
    assert!(matches!(error, JournalError::NoTransaction { .. }), "{error}");
    assert_eq!(bench.state(item), State::Broadcast);
}
