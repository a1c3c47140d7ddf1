//! Items that are dropped, those that stay, and the room that an item takes.

use std::fs;

use refiner_journal::{PruneStep, Pruned, State};

use crate::{Bench, announcement, artifact, checkpoint, step_to, target, way_to};

const DAY_MS: u64 = 86_400_000;
/// A time at which everything that these tests write is old.
const LATER_MS: u64 = 10 * DAY_MS;
/// A block so far above all others that none of them is scanned again.
const FAR: u64 = 1_000_000;

fn all(finished_by_ms: u64) -> PruneStep {
    PruneStep { finished_by_ms, ..PruneStep::default() }
}

#[test]
fn finished_items_are_dropped_by_age_and_what_is_unfinished_stays() {
    let mut bench = Bench::new();
    for (height, state) in (1..).zip(State::ALL) {
        bench.item_in(state, height);
    }
    // The newest nonce, which is never dropped, belongs to one more.
    bench.item_in(State::Final, 900);
    bench.pass(FAR);
    let pruned = bench.journal.prune(&all(LATER_MS), LATER_MS, 100).unwrap();
    let left: Vec<_> = bench.journal.list(&Default::default(), 100).unwrap().iter().map(|item| item.state).collect();
    let dropped = [State::Refused, State::Final, State::Skipped, State::Withdrawn];
    let mut expected: Vec<_> = State::ALL.into_iter().filter(|state| !dropped.contains(state)).collect();
    expected.push(State::Final);
    assert_eq!(left, expected);
    assert_eq!((pruned.dropped, pruned.last), (4, None));
}

#[test]
fn items_that_are_too_young_stay() {
    let mut bench = Bench::new();
    let old = bench.item_in(State::Refused, 1);
    bench.pass(FAR);
    // Steps are written down at 2 ms after 1970.
    assert_eq!(bench.journal.prune(&all(1), LATER_MS, 100).unwrap().dropped, 0);
    assert_eq!(bench.journal.prune(&all(2), LATER_MS, 100).unwrap().dropped, 1);
    assert_eq!(bench.journal.item(old).unwrap(), None);
}

#[test]
fn surplus_is_taken_from_the_oldest() {
    let mut bench = Bench::new();
    let items: Vec<_> = (1..=6).map(|height| bench.item_in(State::Refused, height)).collect();
    bench.pass(FAR);
    assert_eq!(bench.journal.finished().unwrap(), 6);
    let step = PruneStep { surplus: 4, ..PruneStep::default() };
    assert_eq!(bench.journal.prune(&step, LATER_MS, 100).unwrap().dropped, 4);
    let left: Vec<_> = bench.journal.list(&Default::default(), 10).unwrap().iter().map(|item| item.id).collect();
    assert_eq!(left, items[4..]);
}

#[test]
fn proof_of_the_last_two_days_stays_whatever_the_settings_are() {
    let mut bench = Bench::new();
    bench.item_in(State::Final, 1);
    bench.item_in(State::Final, 2);
    bench.pass(FAR);
    let step = PruneStep { surplus: 2, finished_by_ms: u64::MAX, ..PruneStep::default() };
    assert_eq!(bench.journal.prune(&step, DAY_MS, 100).unwrap().dropped, 0, "looked at again for a day");
    assert_eq!(bench.journal.prune(&step, LATER_MS, 100).unwrap().dropped, 1, "all but the newest nonce");
    assert_eq!(bench.journal.next_nonce(0).unwrap(), 3);
}

#[test]
fn items_that_the_next_scan_would_announce_anew_stay() {
    let mut bench = Bench::new();
    let item = bench.item_in(State::Refused, 1);
    bench.pass(200);
    assert_eq!(bench.journal.prune(&all(LATER_MS), LATER_MS, 100).unwrap(), Pruned::default());
    assert!(bench.journal.item(item).unwrap().is_some());
}

#[test]
fn each_step_looks_at_a_bounded_number_of_items() {
    let mut bench = Bench::new();
    for height in 1..=10 {
        bench.item_in(State::Refused, height);
    }
    bench.pass(FAR);
    let mut step = all(LATER_MS);
    let mut steps = Vec::new();
    loop {
        let pruned = bench.journal.prune(&step, LATER_MS, 4).unwrap();
        steps.push(pruned.dropped);
        step.after = pruned.last;
        if pruned.last.is_none() {
            break;
        }
    }
    assert_eq!(steps, [4, 4, 2]);
}

#[test]
fn content_is_unneeded_once_no_item_has_it() {
    let mut bench = Bench::new();
    let mut other = target();
    (other.rule, other.name, other.proves) = ([8; 32].into(), "other".into(), false);
    bench.journal.scanned(&[announcement(1)], &[target(), other], &[checkpoint(1)], 1).unwrap();
    let items: Vec<_> = bench.journal.list(&Default::default(), 10).unwrap().iter().map(|item| item.id).collect();
    for (item, name) in items.iter().zip(["bafkreifirst", "bafkreisecond"]) {
        bench.journal.advance(*item, &step_to(State::Fetched, 1), 2).unwrap();
        let artifacts = vec![
            refiner_journal::Artifact { cid: name.into(), ..artifact("own") },
            refiner_journal::Artifact { cid: "bafkreishared".into(), ..artifact("shared") },
        ];
        bench.journal.advance(*item, &refiner_journal::Step::Produced { artifacts, basis: None }, 2).unwrap();
        bench.journal.advance(*item, &step_to(State::Skipped, 1), 2).unwrap();
    }
    bench.pass(FAR);
    let first = PruneStep { surplus: 1, ..PruneStep::default() };
    assert_eq!(bench.journal.prune(&first, LATER_MS, 10).unwrap().unneeded, ["bafkreifirst"]);
    let rest = bench.journal.prune(&first, LATER_MS, 10).unwrap().unneeded;
    assert_eq!(rest, ["bafkreisecond", "bafkreishared", "bafkreispec"]);
}

#[test]
fn finished_item_takes_less_room_than_the_page_for_operators_states() {
    const ITEMS: u64 = 2_000;
    /// The figure of `compose/README.md`.
    const ITEM_BYTES: u64 = 2_048;
    let mut bench = Bench::new();
    let items = (1..=10).flat_map(|part| bench.announce(ITEMS / 10 * (part - 1) + 1..=ITEMS / 10 * part));
    let items: Vec<_> = items.collect();
    for (height, item) in (1..=ITEMS).zip(items) {
        for mut step in way_to(State::Final, height) {
            // As large as a real one: 66 bytes of URL, a signature, content ids of 59 characters.
            match &mut step {
                refiner_journal::Step::Signed(signed) => signed.raw = vec![7; 430].into(),
                refiner_journal::Step::Fetched { cid, .. } => *cid = format!("bafybei{height:052}"),
                refiner_journal::Step::Produced { artifacts, .. } => {
                    artifacts[0].cid = format!("bafybeg{height:052}");
                }
                _ => {}
            }
            bench.journal.advance(item, &step, 1_700_000_000_000).unwrap();
        }
    }
    let path = bench.directory.path().join("copy.sqlite");
    let compact = refiner_journal::JournalReader::open(bench.journal.path()).unwrap().backup(&path, false).unwrap();
    let live = fs::metadata(bench.journal.path()).unwrap().len();
    let (compact, live) = (compact.bytes / ITEMS, live / ITEMS);
    assert!(live <= ITEM_BYTES && compact >= ITEM_BYTES / 4, "{live} bytes an item, {compact} in a copy");
    println!("{live} bytes an item, {compact} in a copy");
}
