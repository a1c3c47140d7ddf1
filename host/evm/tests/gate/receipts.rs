//! Recorded receipts against the header and the block.

use alloy_primitives::{Address, B256, Bytes};
use refiner_evm::{BasisPolicy, EmbeddedExecutor, ExecuteError, ExecutionPolicy, Rejected, ResultFormat, gate};
use refiner_specimen::{
    Block, Log, Receipt, Specimen,
    check::{CheckName, Outcome, Quantity},
};

use crate::{failure, paris, with};

#[test]
fn every_field_of_a_recorded_receipt_is_checked() {
    type Lie = fn(&mut Specimen);
    let lies: [Lie; 17] = [
        |specimen| specimen.block.receipts.truncate(1),
        |specimen| specimen.block.receipts[1].post_state_or_status = Bytes::from_static(&[2]),
        |specimen| specimen.block.receipts[1].post_state_or_status = Bytes::from_static(&[0, 0]),
        |specimen| specimen.block.receipts[1].post_state_or_status = Bytes::from_static(&[7; 32]),
        |specimen| specimen.block.receipts[1].cumulative_gas_used = 0,
        |specimen| specimen.block.receipts.last_mut().unwrap().cumulative_gas_used += 1,
        |specimen| specimen.block.receipts[1].gas_used += 1,
        |specimen| specimen.block.receipts[1].tx_hash = B256::repeat_byte(1),
        |specimen| specimen.block.receipts[1].contract_address = Address::repeat_byte(1),
        |specimen| log(specimen).address = Address::repeat_byte(1),
        |specimen| log(specimen).topics.push(B256::ZERO),
        |specimen| log(specimen).data = Bytes::from_static(&[9; 9]),
        |specimen| log(specimen).block_number = 1,
        |specimen| log(specimen).transaction_hash = B256::repeat_byte(1),
        |specimen| log(specimen).transaction_index = 999,
        |specimen| log(specimen).log_index = 999,
        |specimen| log(specimen).removed = true,
    ];
    let honest = paris();
    assert_eq!(gate::recorded_receipts(&honest).outcome, Outcome::Passed);
    for (position, lie) in lies.into_iter().enumerate() {
        let lie = with(honest.clone(), lie);
        assert!(gate::recorded_receipts(&lie).failed(), "lie {position}");
    }
    let other_hash = with(honest.clone(), |specimen| log(specimen).block_hash = B256::repeat_byte(1));
    assert!(gate::recorded_receipts(&other_hash).failed());
    let other_bloom = with(honest, |specimen| specimen.block.header.logs_bloom.0[0] ^= 1);
    assert!(matches!(failure(gate::recorded_receipts(&other_bloom)).1, Quantity::Bloom(_)));
}

#[test]
fn status_of_a_failed_transaction_is_nothing_or_zero() {
    let honest = paris();
    let position = honest.block.receipts.iter().position(|receipt| receipt.post_state_or_status.is_empty()).unwrap();
    for (status, passes) in [(&[][..], true), (&[0], true), (&[2], false), (&[0, 0], false)] {
        let lie = with(honest.clone(), |specimen| {
            specimen.block.receipts[position].post_state_or_status = Bytes::copy_from_slice(status);
        });
        assert_eq!(gate::recorded_receipts(&lie).failed(), !passes, "{status:?}");
    }
}

/// A specimen whose receipts state truly what others leave out.
fn fully_recorded() -> Specimen {
    with(paris(), |specimen| {
        let Block { transactions, senders, receipts, header, hash, .. } = &mut specimen.block;
        let (mut gas, mut position) = (0, 0);
        for (index, (receipt, transaction)) in receipts.iter_mut().zip(transactions).enumerate() {
            receipt.gas_used = receipt.cumulative_gas_used - gas;
            gas = receipt.cumulative_gas_used;
            receipt.tx_hash = transaction.hash().unwrap();
            if transaction.to.is_none() {
                receipt.contract_address = senders[index].create(transaction.nonce);
            }
            for log in &mut receipt.logs {
                (log.block_number, log.block_hash) = (header.number, *hash);
                (log.transaction_index, log.transaction_hash) = (index as u64, receipt.tx_hash);
                log.log_index = position;
                position += 1;
            }
        }
    })
}

#[test]
fn recorded_receipts_may_state_everything_truly_and_nothing_otherwise() {
    type Lie = fn(&mut Specimen);
    let honest = fully_recorded();
    assert!(honest.block.receipts.iter().any(|receipt| !receipt.contract_address.is_zero()));
    assert_eq!(gate::recorded_receipts(&honest).outcome, Outcome::Passed);
    let lies: [Lie; 8] = [
        |specimen| specimen.block.receipts[1].gas_used += 1,
        |specimen| specimen.block.receipts[1].tx_hash = specimen.block.receipts[0].tx_hash,
        |specimen| log(specimen).block_number -= 1,
        |specimen| log(specimen).transaction_index -= 1,
        |specimen| log(specimen).log_index -= 1,
        |specimen| log(specimen).transaction_hash = B256::repeat_byte(1),
        |specimen| log(specimen).block_hash = B256::repeat_byte(1),
        |specimen| {
            let created = |receipt: &&mut Receipt| !receipt.contract_address.is_zero();
            let receipt = specimen.block.receipts.iter_mut().find(created).unwrap();
            receipt.contract_address = Address::repeat_byte(1);
        },
    ];
    for (position, lie) in lies.into_iter().enumerate() {
        assert!(gate::recorded_receipts(&with(honest.clone(), lie)).failed(), "lie {position}");
    }
}

/// The last log of the last receipt that has one: its position in the block is not 0.
fn log(specimen: &mut Specimen) -> &mut Log {
    specimen.block.receipts.iter_mut().rev().find_map(|receipt| receipt.logs.last_mut()).unwrap()
}

#[test]
fn recorded_receipts_may_leave_out_what_they_repeat() {
    let bare = with(paris(), |specimen| {
        for receipt in &mut specimen.block.receipts {
            (receipt.tx_hash, receipt.contract_address, receipt.gas_used) = (B256::ZERO, Address::ZERO, 0);
            for log in &mut receipt.logs {
                (log.block_number, log.transaction_index, log.log_index) = (0, 0, 0);
                (log.transaction_hash, log.block_hash) = (B256::ZERO, B256::ZERO);
            }
        }
    });
    assert_eq!(gate::recorded_receipts(&bare).outcome, Outcome::Passed);
    let none = with(bare, |specimen| specimen.block.receipts.clear());
    assert!(matches!(gate::recorded_receipts(&none).outcome, Outcome::NotCheckable(_)));
}

#[test]
fn hash_that_a_log_repeats_is_checked_where_its_receipt_has_none() {
    let position =
        |specimen: &Specimen| specimen.block.receipts.iter().rposition(|receipt| !receipt.logs.is_empty()).unwrap();
    let honest = with(fully_recorded(), |specimen| {
        let index = position(specimen);
        specimen.block.receipts[index].tx_hash = B256::ZERO;
    });
    assert_eq!(gate::recorded_receipts(&honest).outcome, Outcome::Passed);
    let computed = log(&mut honest.clone()).transaction_hash;
    let lie = with(honest, |specimen| log(specimen).transaction_hash = B256::repeat_byte(1));
    let (_, stated, expected) = failure(gate::recorded_receipts(&lie));
    assert_eq!((stated, expected), (Quantity::Hash(B256::repeat_byte(1)), Quantity::Hash(computed)));
}

#[test]
fn result_rests_on_recorded_receipts_only_where_they_pass() {
    let policy = ExecutionPolicy { basis: BasisPolicy::Receipts, ..ExecutionPolicy::default() };
    let executor = EmbeddedExecutor::default().with_policy(policy);
    let honest = fully_recorded();
    executor.execute(&honest, ResultFormat::Canonical).unwrap();
    // A bloom that is the header's in its hash, but not that of the logs.
    let lie = with(honest, |specimen| {
        let block = &mut specimen.block;
        block.header.logs_bloom.0[0] ^= 1;
        block.hash = block.header.hash_slow();
        specimen.event_hash = block.hash;
        let hash = block.hash;
        block.receipts.iter_mut().flat_map(|receipt| &mut receipt.logs).for_each(|log| log.block_hash = hash);
    });
    let error = executor.execute(&lie, ResultFormat::Canonical).unwrap_err();
    let ExecuteError::Rejected(Rejected::CheckFailed(check)) = error else { panic!("{error}") };
    assert_eq!(check.name, CheckName::RecordedReceipts);
}
