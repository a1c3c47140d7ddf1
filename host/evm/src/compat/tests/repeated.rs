//! Blocks of equal transactions, whose receipts have the logs of all before.

use super::*;
use crate::{embedded::EmbeddedExecutor, error::Resource};

/// Gas of a call that makes one log with a topic.
fn gas_of_one() -> u64 {
    run(&equal_calls(1), Era::D).unwrap().gas_used
}

fn equal_calls(count: usize) -> Specimen {
    specimen(CANCUN, &logging(&[0x30]), vec![call(2); count])
}

fn too_large(error: ExecuteError) -> (Resource, u64, u64) {
    match error {
        ExecuteError::Unsupported(Unsupported::ExecutionTooLarge { resource, used, bound }) => (resource, used, bound),
        other => panic!("{other}"),
    }
}

#[test]
fn log_that_a_receipt_repeats_costs_the_gas_that_it_cost_at_first() {
    const LOG1_GAS: u64 = 2 * 375;
    let within = |gas| {
        let (chain, budget) = (ChainSpec::builtin(1).unwrap(), Budget::new(gas, &Uninterrupted));
        execute(&equal_calls(10), &chain, Era::D, &CodeCache::default(), &budget, SenderGate::Open)
    };
    // The second has one of them, the tenth has nine.
    let gas = 10 * gas_of_one() + 45 * LOG1_GAS;
    assert_eq!(within(gas).unwrap().receipts.len(), 10);
    assert_eq!(too_large(within(gas - 1).unwrap_err()), (Resource::Gas, gas, gas - 1));
}

#[test]
fn equal_transactions_whose_receipts_need_more_than_may_be_held_are_too_large_in_every_era() {
    // Half a million logs.
    let block = equal_calls(1_000);
    for era in ERAS {
        let (resource, used, bound) = too_large(run(&block, era).unwrap_err());
        assert_eq!(resource, Resource::Memory, "{era:?}");
        assert!(used > bound && used < bound + (1 << 20), "{era:?}: it ends where the bound is reached, not at {used}");
    }
    assert_eq!(run(&equal_calls(500), Era::D).unwrap().receipts.len(), 500);
}

#[test]
fn answer_that_states_one_transaction_again_and_again_is_not_written_again_beyond_what_may_be_held() {
    let block = equal_calls(1_000);
    let (chain, embedded) = (ChainSpec::builtin(1).unwrap(), EmbeddedExecutor::default());
    let (frame, _) = Frame::of(&block.block, &chain, Era::D).unwrap();
    let log = r#"{"address":"0xc0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0","topics":[],"data":null}"#;
    let receipt = |(position, hash): (usize, &B256)| {
        let gas = position + 1;
        format!(r#"{{"TxHash":"{hash}","CumulativeGasUsed":{gas},"GasUsed":1,"Logs":[{log}]}}"#)
    };
    let receipts: Vec<_> = frame.manufactured.transaction_hashes.iter().enumerate().map(receipt).collect();
    let answer = format!(r#"{{"Hash":"{}","Receipts":[{}]}}"#, B256::ZERO, receipts.join(","));
    let error = verify(&answer.into_bytes().into(), &block, &frame, &embedded).unwrap_err();
    let UnverifiedAnswer::TooLarge(error) = error else { panic!("{error}") };
    assert_eq!(too_large(*error).0, Resource::Memory);
}
