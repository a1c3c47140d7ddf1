//! One nonce for one item, no gaps, and none used twice.

use alloy_primitives::Address;
use refiner_journal::{Binding, JournalError, PruneStep, Purpose, State, Step};

use crate::{Bench, signed, step_to};

#[test]
fn nonces_follow_each_other_without_gaps() {
    let mut bench = Bench::new();
    for height in 1..=5 {
        let item = bench.item_in(State::ProofIntent, height);
        let nonce = bench.journal.next_nonce(40).unwrap();
        assert_eq!(nonce, 39 + height);
        bench.journal.advance(item, &Step::Signed(signed(nonce, 100)), 3).unwrap();
        bench = bench.reopen();
    }
}

#[test]
fn nonce_is_the_first_that_neither_chain_nor_outbox_has() {
    // Nonces in the outbox, what the chain counts, what is next.
    let cases: [(&[u64], u64, u64); 7] = [
        (&[], 0, 0),
        (&[], 9, 9),
        (&[9, 10], 9, 11),
        (&[9, 10], 10, 11),
        (&[10, 11], 9, 9),
        (&[9, 11], 9, 10),
        (&[3], 9, 9),
    ];
    for (outbox, chain, expected) in cases {
        let mut bench = Bench::new();
        for &nonce in outbox {
            let item = bench.item_in(State::ProofIntent, nonce + 1);
            bench.journal.advance(item, &Step::Signed(signed(nonce, 100)), 3).unwrap();
        }
        assert_eq!(bench.journal.next_nonce(chain).unwrap(), expected, "{outbox:?} {chain}");
    }
}

#[test]
fn node_that_lags_behind_does_not_give_a_settled_nonce_out_again() {
    let mut bench = Bench::new();
    bench.item_in(State::Final, 7);
    assert_eq!(bench.journal.next_nonce(5).unwrap(), 8);
}

#[test]
fn two_items_never_hold_one_nonce() {
    let mut bench = Bench::new();
    let holder = bench.item_in(State::Signed, 3);
    let other = bench.item_in(State::ProofIntent, 4);
    let error = bench.journal.advance(other, &Step::Signed(signed(3, 101)), 3).unwrap_err();
    assert!(matches!(error, JournalError::NonceTaken { nonce: 3, holder: by } if by == holder), "{error}");
    assert_eq!(bench.state(other), State::ProofIntent);
}

#[test]
fn higher_fees_keep_the_nonce_and_every_transaction() {
    let mut bench = Bench::new();
    let item = bench.item_in(State::Broadcast, 3);
    let error = bench.journal.advance(item, &Step::Signed(signed(4, 120)), 3).unwrap_err();
    assert!(matches!(error, JournalError::NonceChanged { held: 3, nonce: 4, .. }), "{error}");

    bench.journal.advance(item, &Step::Signed(signed(3, 120)), 3).unwrap();
    let fees = |bench: &Bench| -> Vec<u128> {
        bench.journal.transactions(item).unwrap().iter().map(|transaction| transaction.max_fee).collect()
    };
    assert_eq!(fees(&bench), [120, 100], "the last signed first");
    bench.journal.advance(item, &step_to(State::Mined, 3), 4).unwrap();
    bench.journal.advance(item, &Step::Final, 5).unwrap();
    assert_eq!(bench.journal.open_transactions().unwrap(), 0);
    assert_eq!(fees(&bench), [120, 100], "nothing is forgotten");
}

#[test]
fn outbox_is_sent_in_the_order_of_nonces() {
    let mut bench = Bench::new();
    let items: Vec<_> = [3_u64, 1, 2].map(|nonce| bench.item_in(State::Signed, nonce)).into();
    bench.item_in(State::Mined, 9);
    let outbox: Vec<_> = bench.journal.outbox().unwrap().iter().map(|item| item.id).collect();
    assert_eq!(outbox, [items[1], items[2], items[0]]);
}

#[test]
fn another_operator_takes_over_only_when_everything_is_settled() {
    let binding = |operator: u8| Binding {
        proof_chain: 1284,
        announcer: Address::repeat_byte(1),
        operator: Some(Address::repeat_byte(operator)),
    };
    let mut bench = Bench::new();
    bench.journal.bind(&binding(2)).unwrap();
    let item = bench.item_in(State::Broadcast, 3);
    let error = bench.journal.bind(&binding(3)).unwrap_err();
    assert!(matches!(error, JournalError::OtherOperator { unsettled: 1, .. }), "{error}");
    bench.journal.bind(&binding(2)).unwrap();
    bench.journal.bind(&Binding { operator: None, ..binding(2) }).unwrap();
    for state in [State::Mined, State::Final] {
        bench.journal.advance(item, &step_to(state, 3), 4).unwrap();
    }
    bench.journal.bind(&binding(3)).unwrap();
    assert_eq!(bench.journal.binding().unwrap(), Some(binding(3)));
}

#[test]
fn journal_of_one_chain_refuses_another() {
    let binding = Binding { proof_chain: 1284, announcer: Address::repeat_byte(1), operator: None };
    let mut bench = Bench::new();
    bench.journal.bind(&binding).unwrap();
    for other in [Binding { proof_chain: 1287, ..binding }, Binding { announcer: Address::repeat_byte(2), ..binding }] {
        let error = bench.journal.bind(&other).unwrap_err();
        assert!(matches!(error, JournalError::OtherChain { found_chain: 1284, .. }), "{error}");
    }
}

fn bound(operator: u8) -> Binding {
    Binding { proof_chain: 1284, announcer: Address::ZERO, operator: Some(Address::repeat_byte(operator)) }
}

#[test]
fn nonces_that_another_user_of_the_key_took_are_counted_as_far_back_as_nothing_was_dropped() {
    let mut bench = Bench::new();
    bench.journal.bind(&bound(1)).unwrap();
    assert_eq!(bench.journal.known_nonces().unwrap(), None);
    for nonce in [3, 4, 8, 9, 12] {
        bench.item_in(State::Final, nonce);
    }
    bench.item_in(State::Broadcast, 20);
    let known = |bench: &Bench| {
        let known = bench.journal.known_nonces().unwrap().unwrap();
        (known.whole_from, known.highest, known.foreign)
    };
    assert_eq!(known(&bench), (3, 20, 5), "those before an open one may be used by nothing yet");
    bench.journal.sign_side(Purpose::Gap, &signed(10, 100), 3).unwrap();
    bench.journal.close_side(10, Some((signed(10, 100).hash, None))).unwrap();
    assert_eq!(known(&bench), (3, 20, 4));

    // The first three go, and with them what tells whose the nonces up to theirs were.
    bench.pass(1_000_000);
    let later_ms = 10 * 86_400_000;
    let step = PruneStep { surplus: 3, ..PruneStep::default() };
    assert_eq!(bench.journal.prune(&step, later_ms, 100).unwrap().dropped, 3);
    assert_eq!(known(&bench), (9, 20, 1));
    bench = bench.reopen();
    bench.journal.bind(&bound(1)).unwrap();
    assert_eq!(known(&bench), (9, 20, 1));
}

#[test]
fn nonces_of_a_journal_from_before_and_of_another_operator_tell_nothing() {
    let mut bench = Bench::new();
    for nonce in [3, 9] {
        bench.item_in(State::Final, nonce);
    }
    let foreign = |bench: &Bench| bench.journal.known_nonces().unwrap().unwrap().foreign;
    assert_eq!(foreign(&bench), 0, "what was dropped is not written down");
    bench.journal.bind(&bound(1)).unwrap();
    assert_eq!(foreign(&bench), 0);
    bench.item_in(State::Final, 11);
    bench.item_in(State::Final, 14);
    assert_eq!(foreign(&bench), 2);
    bench.journal.bind(&bound(2)).unwrap();
    assert_eq!(foreign(&bench), 0);
}
