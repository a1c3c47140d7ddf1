//! Blob gas against the transactions and the schedule.

use alloy_primitives::B256;
use refiner_specimen::{
    Specimen,
    check::{CheckName, Outcome, Quantity, Subject},
};

use crate::{cancun, check, failure, sample, with};

const GAS_PER_BLOB: u64 = 131_072;

#[test]
fn blob_gas_is_that_of_the_transactions_blobs() {
    let blob_gas = |specimen: &Specimen, gas| {
        let specimen = with(specimen.clone(), |specimen| specimen.block.header.blob_gas_used = Some(gas));
        check(&specimen, CheckName::HeaderRules)
    };
    let specimen = cancun();
    let stated = specimen.block.header.blob_gas_used.unwrap();
    assert!(stated > 0);
    for gas in [0, stated - GAS_PER_BLOB, stated + GAS_PER_BLOB, stated + 1] {
        let found = failure(blob_gas(&specimen, gas));
        assert_eq!(found, (Subject::Field("blobGasUsed"), Quantity::Number(gas), Quantity::Number(stated)));
    }
    // Six blobs a block in Cancun.
    let (_, _, most) = failure(blob_gas(&specimen, 7 * GAS_PER_BLOB));
    assert_eq!(most, Quantity::AtMost(6 * GAS_PER_BLOB));
    let block_of = |blobs: usize| {
        with(specimen.clone(), |specimen| {
            let transactions = &mut specimen.block.transactions;
            let transaction = transactions.iter_mut().find(|transaction| transaction.tx_type == 3).unwrap();
            transaction.blob_hashes = Some(vec![B256::with_last_byte(1); blobs]);
            specimen.block.header.blob_gas_used = Some(blobs as u64 * GAS_PER_BLOB);
        })
    };
    assert_eq!(check(&block_of(6), CheckName::HeaderRules).outcome, Outcome::Passed);
    assert!(check(&block_of(7), CheckName::HeaderRules).failed());
}

#[test]
fn blob_gas_of_a_transaction_whose_hashes_were_dropped_is_at_least_that_of_one() {
    // Layout 0.36.
    let specimen = sample("1-19435000");
    let blob_gas = |gas| {
        let specimen = with(specimen.clone(), |specimen| specimen.block.header.blob_gas_used = Some(gas));
        check(&specimen, CheckName::HeaderRules)
    };
    for gas in [1, 2, 6] {
        assert_eq!(blob_gas(gas * GAS_PER_BLOB).outcome, Outcome::Passed, "{gas}");
    }
    assert_eq!(failure(blob_gas(0)).2, Quantity::AtLeast(GAS_PER_BLOB));
    assert_eq!(failure(blob_gas(GAS_PER_BLOB + 1)).2, Quantity::Words("a multiple of 131072"));
    assert_eq!(failure(blob_gas(7 * GAS_PER_BLOB)).2, Quantity::AtMost(6 * GAS_PER_BLOB));
}
