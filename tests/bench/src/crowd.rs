//! A journal with many items, as after months of work.

use std::{path::Path, time::Instant};

use alloy_primitives::B256;
use refiner_journal::{Announcement, Filter, Journal, State, Step, Target};

use crate::bench::Bench;

/// Items written at once.
const AT_ONCE: u64 = 10_000;
/// Bytes of a long reason: a failure of several gateways, each with its URL.
const LONG: usize = 5_000;
/// One of so many items is set aside.
const QUARANTINED_EACH: i64 = 10;

/// Begins a journal of ended items, a part of which is set aside for long reasons.
pub fn fill(data: &Path, items: u64) {
    let mut journal = Journal::open(&data.join("journal.sqlite")).unwrap();
    let target = Target { rule: B256::repeat_byte(1), name: "earlier".to_owned(), proves: false };
    for first in (0..items).step_by(usize::try_from(AT_ONCE).unwrap()) {
        let numbers = first..items.min(first + AT_ONCE);
        let announcements: Vec<_> = numbers
            .map(|number| {
                let hash = B256::from(alloy_primitives::U256::from(number + 1));
                Announcement { chain: 1, height: number, block_hash: hash, specimen_hash: hash, announced_in: 1 }
            })
            .collect();
        journal.scanned(&announcements, std::slice::from_ref(&target), &[], 1).unwrap();
        let filter = Filter { state: Some(State::Announced), ..Filter::default() };
        let begun = journal.list(&filter, usize::MAX >> 1).unwrap();
        let steps: Vec<_> = begun.iter().zip(0_i64..).map(|(item, number)| (item.id, ended(number))).collect();
        journal.advance_all(&steps, 2).unwrap();
    }
}

fn ended(number: i64) -> Step {
    match number % QUARANTINED_EACH {
        0 => Step::Quarantined { reason: "é".repeat(if number % 100 == 0 { LONG } else { 10 }) },
        _ => Step::Skipped { reason: "the session is closed".to_owned() },
    }
}

/// Seconds that an answer to each of `times` requests took, sorted.
pub fn answer_times(bench: &Bench, path: &str, times: usize) -> Vec<f64> {
    let mut taken: Vec<_> = (0..times)
        .map(|_| {
            let begun = Instant::now();
            assert!(bench.get(path).is_some_and(|answer| answer.contains(" 200 ")), "{path}");
            begun.elapsed().as_secs_f64()
        })
        .collect();
    taken.sort_by(f64::total_cmp);
    taken
}
