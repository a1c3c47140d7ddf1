//! Announcements, the cursor, and reorganisations.

use alloy_primitives::B256;
use refiner_journal::{CHECKPOINTS_MAX, Rewound, Scanned, State, Step, Target};

use crate::{Bench, announcement, checkpoint, target};

#[test]
fn announcement_becomes_one_item_for_each_rule() {
    let mut bench = Bench::new();
    let other = Target { rule: B256::repeat_byte(8), name: "token-transfers".into(), proves: false };
    let targets = [target(), other];
    let scan = |bench: &mut Bench| bench.journal.scanned(&[announcement(5)], &targets, &[checkpoint(6)], 1).unwrap();
    assert_eq!(scan(&mut bench), Scanned { new: 2, ..Default::default() });
    assert_eq!(scan(&mut bench), Scanned { known: 2, ..Default::default() }, "seen twice, worked on once");
    assert_eq!(bench.journal.due(State::Announced, 1, 10).unwrap().len(), 2);
}

#[test]
fn result_that_is_not_proved_rests_when_it_is_pinned() {
    let mut bench = Bench::new();
    let plain = Target { proves: false, ..target() };
    bench.journal.scanned(&[announcement(5)], &[plain], &[checkpoint(6)], 1).unwrap();
    let item = bench.journal.due(State::Announced, 1, 1).unwrap()[0].id;
    for step in crate::way_to(State::Pinned, 5) {
        bench.journal.advance(item, &step, 2).unwrap();
    }
    assert_eq!(bench.journal.due(State::Pinned, 9, 10).unwrap(), []);
    let proved = bench.item_in(State::Pinned, 7);
    assert_eq!(bench.journal.due(State::Pinned, 9, 10).unwrap()[0].id, proved);
}

#[test]
fn blocks_that_are_scanned_again_add_what_was_missing_and_change_nothing_else() {
    let mut bench = Bench::new();
    let skipped = bench.item_in(State::Skipped, 5);
    let withdrawn = bench.item_in(State::Withdrawn, 6);
    bench.journal.scanned(&[], &[], &[checkpoint(9)], 1).unwrap();
    let found = [announcement(5), announcement(6), announcement(7)];
    assert_eq!(bench.journal.unknown(&found).unwrap(), found[1..], "a withdrawn one is announced again");
    let scan = |bench: &mut Bench| bench.journal.scanned_again(&found, &[target()], 3).unwrap();
    assert_eq!(scan(&mut bench), Scanned { new: 1, again: 1, known: 1 });
    assert_eq!(scan(&mut bench), Scanned { known: 3, ..Default::default() });
    assert_eq!((bench.state(skipped), bench.state(withdrawn)), (State::Skipped, State::Announced));
    assert_eq!(bench.journal.cursor().unwrap(), Some(checkpoint(9)), "the position stays");
    assert_eq!(bench.journal.unknown(&found).unwrap(), []);
}

#[test]
fn cursor_outlives_a_crash_and_old_checkpoints_go() {
    let mut bench = Bench::new();
    assert_eq!(bench.journal.cursor().unwrap(), None);
    let newest = CHECKPOINTS_MAX as u64 + 10;
    for number in [8, newest] {
        let checkpoints: Vec<_> = (1..=number).map(checkpoint).collect();
        bench.journal.scanned(&[], &[], &checkpoints, 1).unwrap();
    }
    let bench = bench.reopen();
    let found = bench.journal.checkpoints().unwrap();
    assert_eq!(found.len(), CHECKPOINTS_MAX);
    assert_eq!(found[0], checkpoint(newest));
    assert_eq!(found[found.len() - 1], checkpoint(11));
    assert_eq!(bench.journal.cursor().unwrap(), Some(checkpoint(newest)));
}

#[test]
fn reorganisation_withdraws_what_no_transaction_can_prove_yet() {
    for (state, height) in State::ALL.into_iter().zip(10..) {
        if state == State::Withdrawn {
            continue;
        }
        let mut bench = Bench::new();
        let below = bench.item_in(state, height);
        bench.journal.rewind(checkpoint(height), 5).unwrap();
        assert_eq!(bench.state(below), state, "announced in the ancestor itself");

        let rewound = bench.journal.rewind(checkpoint(height - 1), 5).unwrap();
        let expected = if state.can_be_withdrawn() {
            Rewound { withdrawn: 1, kept: 0 }
        } else {
            Rewound { withdrawn: 0, kept: u64::from(!state.is_end()) }
        };
        assert_eq!(rewound, expected, "{state}");
        assert_eq!(bench.journal.cursor().unwrap(), Some(checkpoint(height - 1)));
    }
}

#[test]
fn withdrawn_item_begins_again_when_it_is_announced_again() {
    let mut bench = Bench::new();
    let item = bench.item_in(State::Pinned, 9);
    bench.journal.rewind(checkpoint(8), 5).unwrap();
    assert_eq!(bench.state(item), State::Withdrawn);
    let moved = refiner_journal::Announcement { announced_in: 11, ..announcement(9) };
    let scanned = bench.journal.scanned(&[moved], &[target()], &[checkpoint(11)], 6).unwrap();
    assert_eq!(scanned, Scanned { again: 1, ..Default::default() });
    let found = bench.journal.item(item).unwrap().unwrap();
    assert_eq!((found.state, found.announced_in), (State::Announced, 11));
}

#[test]
fn withdrawn_item_that_is_announced_again_is_proved_as_its_rule_is_now() {
    for (before, now) in [(false, true), (true, false)] {
        let mut bench = Bench::new();
        let of = |proves| Target { proves, ..target() };
        bench.journal.scanned(&[announcement(9)], &[of(before)], &[checkpoint(9)], 1).unwrap();
        let item = bench.journal.due(State::Announced, 1, 1).unwrap()[0].id;
        let waiting = Step::Waiting { reason: "no source has it".into(), awaits: Some("ipfs".into()), due_ms: 90 };
        bench.journal.advance(item, &waiting, 2).unwrap();
        bench.journal.rewind(checkpoint(8), 5).unwrap();
        bench.journal.scanned(&[announcement(9)], &[of(now)], &[checkpoint(9)], 6).unwrap();
        let found = bench.journal.item(item).unwrap().unwrap();
        assert_eq!((found.state, found.proves), (State::Announced, now));
        assert_eq!((found.reason, found.awaits, found.due_ms), (None, None, 0));
    }
}
