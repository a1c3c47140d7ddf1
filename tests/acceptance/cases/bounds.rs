//! Blocks that are too much work end by a meter, in any way of running them, and soon.

use std::time::{Duration, Instant};

use refiner_evm::DEFAULT_GAS_BOUND;
use refiner_testkit::case::{Case, Flood, diagnosis_heavy, floods};

use super::{
    WAYS,
    answers::{Answer, rejected, unsupported},
    complaint, replay,
};

/// Processor time is bounded by 45 s; this leaves room for other tests beside on two cores.
const WALL: Duration = Duration::from_secs(120);

fn flood(name: &str) -> Flood {
    floods().into_iter().find(|flood| flood.name == name).unwrap()
}

#[track_caller]
fn check(case: &Case, bound: u64, answer: &Answer) {
    let bound = bound.to_string();
    for way in WAYS {
        let begun = Instant::now();
        let complaint = complaint(answer, &replay(case, &[&["--gas-bound", &bound], way].concat()));
        assert!(complaint.is_none(), "{way:?}: {complaint:?}");
        assert!(begun.elapsed() < WALL, "{} took {:?}", case.name, begun.elapsed());
    }
}

#[test]
fn gas_that_is_really_used_is_bounded_whatever_limit_the_header_states() {
    for (gas, bound) in [(2_000_000_000, DEFAULT_GAS_BOUND), (1 << 62, 100_000_000)] {
        let case = flood("jumps").case(gas).unwrap();
        check(&case, bound, &unsupported("jumps", &["execution too large", "gas"]));
    }
}

#[test]
fn block_that_uses_more_gas_than_its_header_states_is_rejected_without_executing_the_rest() {
    let case = flood("jumps").case_that_states(11_583_658, 1 << 62).unwrap();
    check(&case, DEFAULT_GAS_BOUND, &rejected("jumps", &["gas"]));
}

#[test]
fn transient_storage_is_bounded_by_memory() {
    let case = flood("tstore").case(1_000_000_000).unwrap();
    check(&case, DEFAULT_GAS_BOUND, &unsupported("tstore", &["execution too large", "memory"]));
}

#[test]
fn long_exponents_are_bounded_by_what_they_cost() {
    let case = flood("modexp-with-a-long-exponent").case(50_000_000).unwrap();
    check(&case, 50_000_000, &unsupported("modexp-with-a-long-exponent", &["execution too large", "gas"]));
}

#[test]
fn search_for_missing_code_is_within_the_bound_of_its_block() {
    let case = diagnosis_heavy(50, 2_000_000).unwrap();
    check(&case, DEFAULT_GAS_BOUND, &rejected("diagnosis-heavy", &["receiptsRoot"]));
}
