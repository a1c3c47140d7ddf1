use super::*;
use crate::{
    error::Resource,
    interrupt::{Interrupt, Interrupted, Uninterrupted},
};

const BOUND: u64 = 1_000_000;

fn too_large(used: u64) -> BudgetExceeded {
    BudgetExceeded::TooLarge { resource: Resource::Gas, used, bound: BOUND }
}

/// A meter over a block whose header states this much gas.
fn meter<'a>(budget: &'a Budget<'a>, stated: u64, slack: u64) -> Meter<'a> {
    Meter::new(budget, Some(ExpectedGas { stated, slack }), true, 0)
}

/// A look from a transaction's first frame.
fn spent(meter: &mut Meter<'_>, spent: u64) -> Result<(), BudgetExceeded> {
    meter.look(counter::Position { spent, depth: 0, memory: 0, entries: 0 })
}

#[test]
fn a_budget_is_used_up_by_the_gas_beyond_its_bound() {
    let budget = Budget::new(BOUND, &Uninterrupted);
    assert_eq!(budget.charge(BOUND), Ok(()));
    assert_eq!(budget.charge(1), Err(too_large(BOUND + 1)));
    assert_eq!(budget.charge(0), Err(too_large(BOUND + 1)));
}

#[test]
fn a_transaction_may_spend_what_earlier_ones_left() {
    let budget = Budget::new(BOUND, &Uninterrupted);
    let mut meter = Meter::new(&budget, None, true, 0);
    meter.begin(BOUND, 0, 0, Paying::Sender).unwrap();
    meter.settle(400_000, 400_000).unwrap();
    meter.begin(BOUND, 0, 0, Paying::Sender).unwrap();
    assert_eq!(spent(&mut meter, 600_000), Ok(()));
    assert_eq!(spent(&mut meter, 600_001), Err(too_large(BOUND + 1)));
}

#[test]
fn a_second_run_counts_on_from_the_first_even_if_that_was_stopped() {
    let budget = Budget::new(BOUND, &Uninterrupted);
    let mut first = meter(&budget, 0, 0);
    first.begin(BOUND, 0, 0, Paying::Sender).unwrap();
    assert!(matches!(spent(&mut first, 700_000), Err(BudgetExceeded::BeyondHeader { .. })));
    let mut second = Meter::new(&budget, None, true, 0);
    second.begin(BOUND, 0, 0, Paying::Sender).unwrap();
    assert_eq!(spent(&mut second, 300_000), Ok(()));
    assert_eq!(spent(&mut second, 300_001), Err(too_large(BOUND + 1)));
}

#[test]
fn a_block_is_refuted_by_gas_that_no_refund_can_bring_back_to_its_headers() {
    for (london, enough, too_much) in [(true, 125_000, 125_001), (false, 200_000, 200_001)] {
        let budget = Budget::new(BOUND, &Uninterrupted);
        let mut meter = Meter::new(&budget, Some(ExpectedGas { stated: 100_000, slack: 0 }), london, 0);
        meter.begin(BOUND, 0, 0, Paying::Sender).unwrap();
        assert_eq!(spent(&mut meter, enough), Ok(()));
        let refuted = BudgetExceeded::BeyondHeader { stated: 100_000, at_least: 100_001 };
        assert_eq!(spent(&mut meter, too_much), Err(refuted), "london: {london}");
    }
}

#[test]
fn a_system_call_is_no_part_of_the_gas_that_a_header_states() {
    let budget = Budget::new(BOUND, &Uninterrupted);
    let mut meter = meter(&budget, 100_000, 0);
    meter.begin(BOUND, 0, 0, Paying::Sender).unwrap();
    assert_eq!(meter.settle(100_000, 100_000), Ok(()));
    meter.begin(BOUND, 0, 0, Paying::Nothing).unwrap();
    assert_eq!(spent(&mut meter, 500_000), Ok(()));
    assert_eq!(meter.settle(500_000, 500_000), Ok(()));
    assert_eq!(budget.charge(BOUND - 600_000), Ok(()));
    assert_eq!(budget.charge(1), Err(too_large(BOUND + 1)));
}

#[test]
fn small_differences_of_gas_are_executed_to_their_end() {
    let budget = Budget::new(BOUND, &Uninterrupted);
    let mut meter = meter(&budget, 100_000, 60_000);
    meter.begin(BOUND, 0, 0, Paying::Sender).unwrap();
    assert_eq!(spent(&mut meter, 200_000), Ok(()));
    assert_eq!(meter.settle(160_000, 160_000), Ok(()));
    let refuted = BudgetExceeded::BeyondHeader { stated: 100_000, at_least: 160_001 };
    assert_eq!(meter.settle(1, 1), Err(refuted));
}

#[test]
fn a_header_that_is_refuted_already_is_rejected_where_the_bound_ends_execution() {
    let budget = Budget::new(BOUND, &Uninterrupted);
    let mut meter = meter(&budget, 100_000, u64::MAX);
    meter.begin(2 * BOUND, 0, 0, Paying::Sender).unwrap();
    assert_eq!(spent(&mut meter, BOUND), Ok(()));
    assert!(matches!(spent(&mut meter, BOUND + 1), Err(BudgetExceeded::BeyondHeader { stated: 100_000, .. })));
}

#[test]
fn open_frames_hold_their_gas_and_their_bytes() {
    let budget = Budget::new(BOUND, &Uninterrupted);
    let mut meter = Meter::new(&budget, None, true, 0);
    meter.begin(100_000, 0, 0, Paying::Sender).unwrap();
    meter.open(0, 40_000, 0);
    meter.open(1, 10_000, bytes::MOST_BYTES);
    assert_eq!(meter.spent(2, 5_000), 45_000);
    let position = |depth| counter::Position { spent: 0, depth, memory: 0, entries: 0 };
    assert_eq!(meter.bytes_within(&position(1), 0), Ok(()));
    assert!(matches!(
        meter.bytes_within(&position(2), 0),
        Err(BudgetExceeded::TooLarge { resource: Resource::Memory, .. })
    ));
}

#[test]
fn memory_is_bounded_to_the_byte() {
    let budget = Budget::new(BOUND, &Uninterrupted);
    let bound = bytes::MOST_BYTES;
    let look = |held: u64, memory: u64, entries: usize| {
        let mut meter = Meter::new(&budget, None, true, held);
        meter.begin(0, 0, 0, Paying::Sender)?;
        meter.look(counter::Position { spent: 0, depth: 0, memory, entries })
    };
    let stop = |used| Err(BudgetExceeded::TooLarge { resource: Resource::Memory, used, bound });
    assert_eq!(look(bound, 0, 0), Ok(()));
    assert_eq!(look(bound + 1, 0, 0), stop(bound + 1));
    assert_eq!(look(bound - 100, 100, 0), Ok(()));
    assert_eq!(look(bound - 100, 101, 0), stop(bound + 1));
    assert_eq!(look(bound - bytes::JOURNAL_ENTRY, 0, 1), Ok(()));
    assert_eq!(look(bound - bytes::JOURNAL_ENTRY, 0, 2), stop(bound + bytes::JOURNAL_ENTRY));
}

#[test]
fn an_interrupted_budget_ends_every_later_run() {
    struct Once;
    impl Interrupt for Once {
        fn check(&self) -> Result<(), Interrupted> {
            Err(Interrupted { seconds: 61 })
        }
    }
    let budget = Budget::new(BOUND, &Once);
    for _ in 0..2 {
        assert_eq!(Meter::new(&budget, None, true, 0).begin(0, 0, 0, Paying::Sender), Err(BudgetExceeded::Interrupted));
    }
    assert_eq!(budget.interrupted(), Some(Interrupted { seconds: 61 }));
}
