//! Random lives of items, with crashes in between, against a map in memory.

use std::collections::BTreeMap;

use proptest::prelude::*;
use refiner_journal::{Action, ItemId, JournalError, State, Step};

use crate::{Bench, checkpoint, signed, step_to};

#[derive(Clone, Debug)]
enum Move {
    Advance { item: usize, to: usize },
    Fail { item: usize },
    Retry { item: usize },
    Announce { height: u64 },
    Rewind { to: u64 },
    Reopen,
}

const HEIGHTS: u64 = 6;

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let item = || 0..usize::try_from(HEIGHTS).unwrap();
    let one = prop_oneof![
        20 => (item(), 0..State::ALL.len()).prop_map(|(item, to)| Move::Advance { item, to }),
        2 => item().prop_map(|item| Move::Fail { item }),
        1 => item().prop_map(|item| Move::Retry { item }),
        2 => (1..=HEIGHTS).prop_map(|height| Move::Announce { height }),
        1 => (0..=HEIGHTS).prop_map(|to| Move::Rewind { to }),
        1 => Just(Move::Reopen),
    ];
    prop::collection::vec(one, 1..120)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn items_are_where_the_accepted_steps_brought_them(moves in moves()) {
        let mut bench = Bench::new();
        let mut model: BTreeMap<ItemId, (u64, State)> = BTreeMap::new();
        let mut settled: Vec<u64> = Vec::new();
        for one in moves {
            let ids: Vec<ItemId> = model.keys().copied().collect();
            match one {
                Move::Reopen => bench = bench.reopen(),
                Move::Announce { height } => {
                    let id = bench.announce([height])[0];
                    let (_, state) = model.entry(id).or_insert((height, State::Announced));
                    if *state == State::Withdrawn {
                        *state = State::Announced;
                    }
                }
                Move::Rewind { to } => {
                    bench.journal.rewind(checkpoint(to), 5).unwrap();
                    for (height, state) in model.values_mut().filter(|(height, _)| *height > to) {
                        if state.can_be_withdrawn() {
                            *state = State::Withdrawn;
                        }
                        prop_assert!(*height > to);
                    }
                }
                Move::Advance { item, to } => {
                    let Some(&id) = ids.get(item) else { continue };
                    let (from, to) = (model[&id].1, State::ALL[to]);
                    let step = match to {
                        State::Signed => {
                            let held = bench.journal.transactions(id).unwrap();
                            let nonce = held.iter().find(|transaction| transaction.open).map(|transaction| transaction.nonce);
                            let fee = 100 + held.len() as u128;
                            let next = bench.journal.next_nonce(0).unwrap();
                            Step::Signed(signed(nonce.unwrap_or(next), fee))
                        }
                        State::Mined => match bench.journal.transactions(id).unwrap().first() {
                            Some(newest) => Step::Mined { hash: newest.hash, block: 5 },
                            None => step_to(State::Mined, 1),
                        },
                        State::Withdrawn => continue,
                        other => step_to(other, 1),
                    };
                    match bench.journal.advance(id, &step, 6) {
                        Ok(()) => {
                            prop_assert!(from.may_become(to), "{from} to {to}");
                            if from == State::Final {
                                // Its nonce is free again until it is final once more.
                                let transactions = bench.journal.transactions(id).unwrap();
                                let reopened = transactions.iter().find(|transaction| transaction.open).unwrap().nonce;
                                settled.retain(|nonce| *nonce != reopened);
                            }
                            if to == State::Final {
                                settled.push(bench.journal.transactions(id).unwrap()[0].nonce);
                            }
                            model.insert(id, (model[&id].0, to));
                        }
                        Err(JournalError::Illegal { from: said, .. }) => prop_assert_eq!(said, from),
                        Err(other) => prop_assert!(false, "{}", other),
                    }
                }
                Move::Fail { item } => {
                    let Some(&id) = ids.get(item) else { continue };
                    bench.journal.failed(id, model[&id].1, "failed", 7).unwrap();
                }
                Move::Retry { item } => {
                    let Some(&id) = ids.get(item) else { continue };
                    let begins = matches!(model[&id].1, State::Quarantined | State::Skipped);
                    if bench.act(id, Action::Retry) && begins {
                        model.insert(id, (model[&id].0, State::Announced));
                    }
                }
            }
            for (id, (_, state)) in &model {
                prop_assert_eq!(bench.state(*id), *state);
            }
        }
        settled.sort_unstable();
        let count = settled.len();
        settled.dedup();
        prop_assert_eq!(settled.len(), count, "a nonce settled twice");
    }
}
