//! What operators do by hand.

use refiner_journal::{Action, Selection, State, Step};

use crate::{Bench, artifact};

#[test]
fn quarantined_and_skipped_items_begin_again_and_paused_ones_are_tried_at_once() {
    for (height, state) in (1..).zip(State::ALL) {
        let mut bench = Bench::new();
        let item = bench.item_in(state, height);
        let begins = matches!(state, State::Quarantined | State::Skipped);
        assert_eq!(bench.act(item, Action::Retry), begins, "{state}");
        if begins {
            assert_eq!(bench.state(item), State::Announced);
        }
    }
    let mut bench = Bench::new();
    let item = bench.item_in(State::Produced, 1);
    bench.journal.failed(item, State::Produced, "no route", 500).unwrap();
    assert!(bench.act(item, Action::Retry));
    let found = bench.journal.item(item).unwrap().unwrap();
    assert_eq!((found.state, found.due_ms, found.attempts), (State::Produced, 0, 1));
}

#[test]
fn items_go_back_exactly_to_the_states_of_the_table() {
    for (row, from) in (0..).zip(State::ALL) {
        let mut bench = Bench::new();
        for (column, to) in (0..).zip(State::ALL) {
            let item = bench.item_in(from, 1 + row * 100 + column);
            // These two come straight from `announced`, and were nowhere else.
            let was_there = to == State::Announced || !matches!(from, State::Skipped | State::Quarantined);
            let goes = from.rewinds_to().contains(&to) && was_there;
            assert_eq!(bench.act(item, Action::Rewind { to }), goes, "{from} to {to}");
            assert_eq!(bench.state(item), if goes { to } else { from });
        }
    }
}

#[test]
fn item_that_goes_back_keeps_what_its_state_needs_and_nothing_of_its_failure() {
    let mut bench = Bench::new();
    let item = bench.item_in(State::Produced, 1);
    bench.journal.failed(item, State::Produced, "no route", 500).unwrap();
    bench.journal.advance(item, &Step::Quarantined { reason: "another id".into() }, 3).unwrap();
    assert!(bench.act(item, Action::Rewind { to: State::Produced }));
    let found = bench.journal.item(item).unwrap().unwrap();
    assert_eq!((found.state, found.attempts, found.reason, found.last_error), (State::Produced, 0, None, None));
    assert_eq!(found.basis.as_deref(), Some("receipts"));
    assert_eq!(bench.journal.artifacts(item).unwrap(), [artifact("result.json")]);
    assert!(bench.act(item, Action::Rewind { to: State::Fetched }));
    assert_eq!(bench.journal.item(item).unwrap().unwrap().basis, None);
}

#[test]
fn what_the_chain_may_know_is_neither_skipped_nor_forgotten() {
    for (height, state) in (1..).zip(State::ALL) {
        let mut bench = Bench::new();
        let item = bench.item_in(state, height);
        let undecided = state.can_be_withdrawn();
        assert_eq!(bench.act(item, Action::Skip), undecided || state == State::Quarantined, "{state}");
        let mut bench = Bench::new();
        let item = bench.item_in(state, height);
        bench.pass(1_000);
        let ended = matches!(state, State::Skipped | State::Quarantined | State::Refused | State::Withdrawn);
        assert_eq!(bench.act(item, Action::Forget), undecided || ended, "{state}");
    }
}

#[test]
fn settled_item_is_forgotten_but_for_the_one_with_the_newest_nonce() {
    let mut bench = Bench::new();
    let (older, newest) = (bench.item_in(State::Final, 1), bench.item_in(State::Final, 2));
    bench.pass(1_000);
    assert!(bench.act(older, Action::Forget));
    assert!(!bench.act(newest, Action::Forget));
    assert_eq!(bench.journal.item(older).unwrap(), None);
    assert_eq!(bench.journal.next_nonce(0).unwrap(), 3);
}

#[test]
fn item_whose_block_is_scanned_again_is_not_forgotten() {
    let mut bench = Bench::new();
    let item = bench.item_in(State::Quarantined, 1_000);
    let one = Selection { items: vec![item], ..Selection::default() };
    bench.pass(1_255);
    let applied = bench.journal.apply(&one, Action::Forget, 9).unwrap();
    assert_eq!((applied.changed, applied.kept), (0, 1));
    let reason = &applied.reasons[0].reason;
    assert!(reason.contains("scanned again until block 1256") && reason.contains("journal skip"), "{reason}");
    assert_eq!(bench.state(item), State::Quarantined);
    bench.pass(1_256);
    assert!(bench.act(item, Action::Forget));
}

#[test]
fn items_that_a_longer_window_scans_again_are_not_forgotten() {
    for (window, kept) in [(0, 256), (128, 256), (129, 258), (10_000, 20_000)] {
        let mut bench = Bench::new();
        let item = bench.item_in(State::Quarantined, 1_000);
        bench.journal.set_scan_window(window).unwrap();
        let mut bench = bench.reopen();
        bench.pass(999 + kept);
        assert!(!bench.act(item, Action::Forget), "{window}");
        bench.pass(1_000 + kept);
        assert!(bench.act(item, Action::Forget), "{window}");
    }
}

#[test]
fn items_are_selected_by_number_or_by_heights_and_state() {
    let mut bench = Bench::new();
    let items: Vec<_> = (1..=4).map(|height| bench.item_in(State::Quarantined, height)).collect();
    bench.item_in(State::Final, 5);
    let retried = |bench: &mut Bench, selection| bench.journal.apply(&selection, Action::Retry, 9).unwrap();
    let first = retried(&mut bench, Selection { items: vec![items[0]], ..Selection::default() });
    assert_eq!((first.changed, first.kept), (1, 0));
    let two = Selection { heights: Some((1, 2)), state: Some(State::Quarantined), ..Selection::default() };
    assert_eq!(retried(&mut bench, two).changed, 1);
    let rest = retried(&mut bench, Selection { heights: Some((3, 5)), ..Selection::default() });
    assert_eq!((rest.changed, rest.kept), (2, 1));
    assert_eq!(rest.reasons[0].reason, "it is final, and waits for no further try");
}

#[test]
fn heights_beyond_what_a_column_holds_select_what_is_there() {
    let mut bench = Bench::new();
    let item = bench.item_in(State::Quarantined, 5);
    let all = Selection { heights: Some((0, u64::MAX)), ..Selection::default() };
    assert_eq!(bench.journal.apply(&all, Action::Retry, 9).unwrap().changed, 1);
    assert_eq!(bench.state(item), State::Announced);
    let none = refiner_journal::Filter { height: Some(u64::MAX), ..Default::default() };
    assert_eq!(bench.journal.list(&none, 10).unwrap(), []);
}
