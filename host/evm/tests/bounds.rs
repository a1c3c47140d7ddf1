//! The bounds of execution on blocks that reach them, and on those that just do not.

use std::cell::Cell;

use alloy_primitives::{Address, U256};
use refiner_evm::{ExecuteError, Interrupt, Interrupted, Rejected, Resource, Unsupported};
use refiner_specimen::{
    Block, Transaction,
    check::{CheckName, Outcome, Quantity},
};
use refiner_testblocks::{
    devnet::{self, CANCUN, CONTRACT, OSAKA, PARIS, TestBlock, call},
    hostile,
};
use rustix::time::{ClockId, clock_gettime};

const PUSH1: u8 = 0x60;
const JUMPDEST: u8 = 0x5b;
const JUMP: u8 = 0x56;
const MSTORE: u8 = 0x52;
const GAS: u8 = 0x5a;
const TSTORE: u8 = 0x5d;

/// Code that runs `body` for ever.
fn forever(body: &[u8]) -> Vec<u8> {
    [&[JUMPDEST], body, &[PUSH1, 0, JUMP]].concat()
}

/// A block whose header states `gas_used`, with one transaction of `gas` that calls `code`.
fn block(timestamp: u64, code: &[u8], gas: u64, gas_used: u64) -> TestBlock {
    let rich = |block: &mut Block| {
        block.header.gas_limit = gas.max(block.header.gas_limit);
        block.header.gas_used = gas_used.min(block.header.gas_limit);
        block.state.accounts[0].balance = U256::MAX >> 1;
    };
    TestBlock::at(timestamp).contract(code).transaction(Transaction { gas, ..call(CONTRACT) }).with(rich)
}

fn refused(block: &TestBlock, gas_bound: u64) -> ExecuteError {
    block.within(gas_bound).map(|_| "an execution").expect_err("a reason")
}

fn too_large(error: &ExecuteError) -> Option<(Resource, u64, u64)> {
    match error {
        ExecuteError::Unsupported(Unsupported::ExecutionTooLarge { resource, used, bound }) => {
            Some((*resource, *used, *bound))
        }
        _ => None,
    }
}

/// The gas that a block is shown to use at the least.
fn at_least(error: &ExecuteError) -> Option<u64> {
    let ExecuteError::Rejected(Rejected::HeaderMismatch(check)) = error else { return None };
    match (check.name, &check.outcome) {
        (CheckName::GasUsed, Outcome::Failed { computed: Quantity::AtLeast(gas), .. }) => Some(*gas),
        _ => None,
    }
}

#[test]
fn a_block_may_use_exactly_the_bound() {
    let two = TestBlock::at(PARIS).transaction(call(CONTRACT)).transaction(call(CONTRACT)).settled();
    assert_eq!(two.within(42_000).unwrap().gas_used, 42_000);
    assert_eq!(too_large(&refused(&two, 41_999)), Some((Resource::Gas, 42_000, 41_999)));
}

#[test]
fn system_calls_count_too() {
    let block = TestBlock::at(CANCUN).account(devnet::BEACON_ROOTS, &[PUSH1, 0, 0]).settled();
    block.within(3).unwrap();
    assert_eq!(too_large(&refused(&block, 2)), Some((Resource::Gas, 3, 2)));
}

#[test]
fn an_endless_loop_ends_at_the_bound_whatever_its_header_allows() {
    for gas in [30_000_000, 1 << 40, 1 << 62] {
        let error = refused(&block(PARIS, &forever(&[]), gas, u64::MAX), 1_000_000);
        let (resource, used, _) = too_large(&error).unwrap_or_else(|| panic!("{gas}: {error}"));
        assert_eq!(resource, Resource::Gas);
        assert!((1_000_001..1_030_000).contains(&used), "{gas}: {used}");
    }
}

#[test]
fn a_block_that_can_no_longer_end_at_its_headers_gas_is_rejected() {
    let lie = block(PARIS, &forever(&[]), 1 << 40, 100_000);
    let gas = at_least(&refused(&lie, u64::MAX)).unwrap();
    assert!((16_000_000..18_000_000).contains(&gas), "{gas}");
    // Also where the bound ends it first.
    let gas = at_least(&refused(&lie, 1_000_000)).unwrap();
    assert!((800_000..1_000_000).contains(&gas), "{gas}");
}

#[test]
fn memory_that_a_transaction_pays_for_and_no_machine_has_is_too_large() {
    // PUSH8 offset, MSTORE.
    let store = |offset: u64| [&[PUSH1, 1, 0x67][..], &offset.to_be_bytes(), &[MSTORE]].concat();
    let error = refused(&block(PARIS, &store(1 << 40), 1 << 62, u64::MAX), u64::MAX);
    assert_eq!(too_large(&error).unwrap().0, Resource::Memory, "{error}");
    let error = refused(&block(PARIS, &store(1 << 40), 1 << 62, u64::MAX), 1_000_000_000);
    assert_eq!(too_large(&error).unwrap().0, Resource::Gas, "{error}");
    // The EVM's own gas ends it where the transaction cannot pay.
    let rich = Transaction { gas: 1 << 31, ..call(Address::ZERO) };
    let short = block(PARIS, &store(1 << 40), 1 << 29, 0).transaction(rich);
    let short = short.with(|block| block.header.gas_limit = 1 << 32).settled();
    assert!(!short.within(u64::MAX).unwrap().receipts[0].success);
}

#[test]
fn transient_storage_counts_as_memory() {
    let code = forever(&[PUSH1, 1, GAS, TSTORE]);
    let error = refused(&block(CANCUN, &code, 1_000_000_000, u64::MAX), u64::MAX);
    assert_eq!(too_large(&error).unwrap().0, Resource::Memory, "{error}");
    // A full block of today's mainnet is executed.
    let today = block(CANCUN, &code, 60_000_000, 0).settled();
    assert_eq!(today.within(u64::MAX).unwrap().gas_used, 60_000_000);
}

/// Counts, and ends execution at the last of `checks`.
struct After {
    checks: u64,
    made: Cell<u64>,
}

impl Interrupt for After {
    fn check(&self) -> Result<(), Interrupted> {
        self.made.set(self.made.get() + 1);
        if self.made.get() >= self.checks { Err(Interrupted { seconds: 61 }) } else { Ok(()) }
    }
}

#[test]
fn an_interrupted_execution_gives_no_verdict() {
    let after = |checks| After { checks, made: Cell::new(0) };
    let endless = block(PARIS, &forever(&[]), 1 << 40, u64::MAX);
    for checks in [1, 2, 100] {
        let interrupt = after(checks);
        assert_eq!(endless.interrupted_by(&interrupt).unwrap_err(), Interrupted { seconds: 61 });
        assert_eq!(interrupt.made.get(), checks, "nothing runs on after the interruption");
    }
    let patient = after(u64::MAX);
    endless.interrupted_by(&patient).unwrap().unwrap_err();
    // Every 10,000 gas up to the bound.
    assert!((90_000..101_000).contains(&patient.made.get()), "{}", patient.made.get());
}

#[test]
fn any_number_in_any_header_field_ends_at_once() {
    type Field = fn(&mut alloy_consensus::Header, u64);
    let fields: [(&str, Field); 8] = [
        ("gasLimit", |header, value| header.gas_limit = value),
        ("gasUsed", |header, value| header.gas_used = value),
        ("number", |header, value| header.number = value),
        ("timestamp", |header, value| header.timestamp = value),
        ("baseFee", |header, value| header.base_fee_per_gas = Some(value)),
        ("blobGasUsed", |header, value| header.blob_gas_used = Some(value)),
        ("excessBlobGas", |header, value| header.excess_blob_gas = Some(value)),
        ("difficulty", |header, value| header.difficulty = U256::from(value)),
    ];
    for (name, set) in fields {
        for value in [0, 1, (1 << 31) - 1, 1 << 31, 1 << 53, 1 << 63, u64::MAX] {
            for timestamp in [PARIS, CANCUN, OSAKA] {
                let begun = std::time::Instant::now();
                let blob = Transaction { tx_type: 3, blob_hashes: None, blob_fee_cap: None, ..call(CONTRACT) };
                let block = TestBlock::at(timestamp).transaction(call(CONTRACT)).transaction(blob);
                let _verdict = block.with(|block| set(&mut block.header, value)).within(1_000_000_000);
                assert!(begun.elapsed().as_secs() < 2, "{name} {value}");
            }
        }
    }
}

#[test]
fn every_hostile_block_ends_at_a_small_bound_in_little_time() {
    const BOUND: u64 = 3_000_000;
    let large = |name: &str| name.starts_with("64 MiB") || name.starts_with("200,000");
    for hostile in hostile::all().into_iter().filter(|hostile| !large(&hostile.name)) {
        let block = (hostile.build)();
        let begun = clock_gettime(ClockId::ThreadCPUTime);
        let error = refused(&block, BOUND);
        let taken = clock_gettime(ClockId::ThreadCPUTime) - begun;
        assert!(too_large(&error).is_some(), "{}: {error}", hostile.name);
        // The first point evaluation reads a table for some seconds.
        assert!(taken.tv_sec < 10, "{}: {taken:?}", hostile.name);
    }
}
