//! A change of rules.

use alloy_primitives::B256;
use refiner_journal::{Action, Filter, Item, State, Target};

use crate::{Bench, target};

fn other() -> Target {
    Target { rule: B256::repeat_byte(8), ..target() }
}

/// The items of a rule, by height.
fn of(bench: &Bench, target: &Target) -> Vec<Item> {
    let items = bench.journal.list(&Filter::default(), 1_000).unwrap();
    items.into_iter().filter(|item| item.rule == target.rule).collect()
}

#[test]
fn what_no_transaction_was_signed_for_begins_anew_under_the_rule_of_today() {
    for (height, state) in (1..).zip(State::ALL) {
        let mut bench = Bench::new();
        let item = bench.item_in(state, height);
        let superseded = bench.journal.supersede(&[other()], 9).unwrap();
        let undecided = u64::from(state.can_be_withdrawn());
        assert_eq!((superseded.ended, superseded.begun), (undecided, undecided), "{state}");
        let begun = of(&bench, &other());
        if undecided == 0 {
            assert_eq!((bench.state(item), begun.len()), (state, 0), "{state}");
            continue;
        }
        let found = bench.journal.item(item).unwrap().unwrap();
        assert_eq!(found.state, State::Skipped);
        assert!(found.reason.unwrap().starts_with("superseded: "));
        let again = if state == State::Waiting { State::Waiting } else { State::Announced };
        assert_eq!((begun[0].state, begun[0].height, begun[0].proves), (again, height, true), "{state}");
        assert_eq!(bench.journal.artifacts(begun[0].id).unwrap(), []);
    }
}

#[test]
fn rules_that_did_not_change_keep_their_items() {
    let mut bench = Bench::new();
    let item = bench.item_in(State::Produced, 1);
    let superseded = bench.journal.supersede(&[target(), other()], 9).unwrap();
    assert_eq!((superseded.ended, superseded.begun), (0, 0));
    assert_eq!(bench.state(item), State::Produced);
}

#[test]
fn rule_that_comes_back_finds_its_items_again() {
    let mut bench = Bench::new();
    let item = bench.item_in(State::Produced, 1);
    bench.journal.supersede(&[other()], 9).unwrap();
    let superseded = bench.journal.supersede(&[target()], 10).unwrap();
    assert_eq!((superseded.ended, superseded.begun), (1, 1));
    assert_eq!(bench.state(item), State::Announced);
    // One that an operator skipped stays skipped.
    assert!(bench.act(item, Action::Skip));
    bench.item_in(State::Announced, 2);
    bench.journal.supersede(&[other()], 11).unwrap();
    bench.journal.supersede(&[target()], 12).unwrap();
    assert_eq!(bench.state(item), State::Skipped);
}

#[test]
fn finished_results_that_are_not_proved_stay_as_they_are() {
    let mut bench = Bench::new();
    let unproved = Target { proves: false, ..target() };
    bench.journal.scanned(&[crate::announcement(1)], &[unproved], &[crate::checkpoint(1)], 1).unwrap();
    let item = bench.journal.list(&Filter::default(), 1).unwrap()[0].id;
    for step in crate::way_to(State::Pinned, 1) {
        bench.journal.advance(item, &step, 2).unwrap();
    }
    assert_eq!(bench.journal.supersede(&[other()], 9).unwrap().begun, 0);
    assert_eq!(bench.state(item), State::Pinned);
}

#[test]
fn item_at_rest_is_proved_as_its_rule_is_when_it_comes_back() {
    let of = |proves| Target { proves, ..target() };
    for state in [State::Refused, State::Skipped, State::Quarantined, State::Withdrawn] {
        let mut bench = Bench::new();
        let item = bench.item_in(state, 1);
        let proves = |bench: &Bench| bench.journal.item(item).unwrap().unwrap().proves;
        for proved in [false, true] {
            // Another rule is proved, because a daemon that proves nothing changes nothing.
            bench.journal.supersede(&[of(proved), other()], 9).unwrap();
            assert_eq!((bench.state(item), proves(&bench)), (state, proved), "{state}");
        }
        match state {
            State::Skipped | State::Quarantined => assert!(bench.act(item, Action::Retry)),
            State::Refused => assert!(bench.act(item, Action::Rewind { to: State::Announced })),
            _ => {
                bench.journal.scanned(&[crate::announcement(1)], &[of(true)], &[crate::checkpoint(1)], 10).unwrap();
            }
        }
        assert_eq!((bench.state(item), proves(&bench)), (State::Announced, true), "{state}");
    }
}

#[test]
fn results_of_a_rule_that_is_proved_no_longer_are_not_proved() {
    let mut bench = Bench::new();
    let (pinned, intended) = (bench.item_in(State::Pinned, 1), bench.item_in(State::ProofIntent, 2));
    let unproved = Target { proves: false, ..target() };
    bench.journal.supersede(&[unproved.clone(), other()], 9).unwrap();
    for item in [pinned, intended] {
        let found = bench.journal.item(item).unwrap().unwrap();
        assert_eq!((found.state, found.proves), (State::Pinned, false));
    }
    // A daemon without a key proves nothing, and changes nothing for one with it.
    bench.item_in(State::Pinned, 3);
    bench.journal.supersede(&[unproved], 10).unwrap();
    assert!(of(&bench, &target()).iter().any(|item| item.height == 3 && item.proves));
}
