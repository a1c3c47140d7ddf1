//! The first point evaluation (EIP-4844) of a process, which loads no trusted setup.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::time::{Duration, Instant};

use alloy_primitives::{Address, U256};
use refiner_evm::{EmbeddedExecutor, Era, ResultFormat, Uninterrupted};
use refiner_specimen::{Layout, sha256};
use refiner_testkit::{BlockPlan, Chain, Fork, Form, Key, MAINNET, Manner, Plan, World, export};

const POINT_EVALUATION: Address = Address::with_last_byte(0x0a);
/// Far above the 50 ms that it may take on an idle machine, far below the 2.7 s of a trusted setup.
const SOON: Duration = Duration::from_millis(500);

/// The proof that the polynomial zero is zero at a point: commitment and proof are the point at infinity.
fn input() -> Vec<u8> {
    let infinity = [&[0xc0][..], &[0; 47]].concat();
    let mut versioned_hash = sha256(&infinity);
    versioned_hash.0[0] = 1;
    let (z, y) = ([7; 32], [0; 32]);
    [&versioned_hash[..], &z, &y, &infinity, &infinity].concat()
}

#[test]
fn first_point_evaluation_of_a_process_succeeds_soon() {
    let caller = Key::named("alice");
    let mut world = World::with_contracts(Fork::Cancun);
    world.fund(caller.address(), U256::from(10).pow(U256::from(20)));
    let evaluation = Plan {
        from: caller,
        to: Some(POINT_EVALUATION),
        value: U256::ZERO,
        input: input().into(),
        gas: 200_000,
        form: Form::DynamicFee(Default::default()),
    };
    let mut chain = Chain::new(MAINNET, Fork::Cancun, 20_200_000, 1_720_000_007, world);
    let block = chain.seal(BlockPlan { transactions: vec![evaluation], ..BlockPlan::default() }).unwrap();
    let specimen = export(&block, Layout::V0_37, Manner::default());
    let begun = Instant::now();
    let format = ResultFormat::EvmServer(Era::D);
    let execution = EmbeddedExecutor::default().answer(&specimen, format, &Uninterrupted).unwrap().unwrap();
    let took = begun.elapsed();
    assert!(execution.receipts[0].success && execution.receipts[0].gas_used > 50_000 + 21_000);
    assert!(took < SOON, "{took:?}");
}
