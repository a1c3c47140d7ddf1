//! Recorded receipts that differ from the chain's in one place.

use alloy_primitives::{Address, B256, Bytes};
use refiner_evm::BasisPolicy;
use refiner_specimen::{Log, Receipt, Specimen, check::CheckName};

use crate::{failed_check, result, shape, whole, with, without_state};

/// One change of the receipts of a block.
type Forgery = (&'static str, fn(&mut Vec<Receipt>));

/// The first receipt with two logs, of which the last has topics and data.
fn logging(receipts: &mut [Receipt]) -> &mut Receipt {
    receipts.iter_mut().find(|receipt| receipt.logs.len() > 1).unwrap()
}

fn log(receipts: &mut [Receipt]) -> &mut Log {
    logging(receipts).logs.iter_mut().rfind(|log| !log.topics.is_empty() && !log.data.is_empty()).unwrap()
}

/// Changes a bit of the data, at the latest in its last byte.
fn flip(log: &mut Log, at: usize) {
    let mut bytes = log.data.to_vec();
    let at = at.min(bytes.len() - 1);
    bytes[at] ^= 1;
    log.data = bytes.into();
}

/// Changes of what the root proves, and of what repeats other fields.
const FORGERIES: [Forgery; 25] = [
    ("status", |receipts| receipts[0].post_state_or_status = Bytes::new()),
    ("status of a failure", |receipts| {
        let failed = receipts.iter_mut().find(|receipt| receipt.post_state_or_status.is_empty()).unwrap();
        failed.post_state_or_status = Bytes::from_static(&[1]);
    }),
    ("status of two", |receipts| receipts[0].post_state_or_status = Bytes::from_static(&[2])),
    ("state root", |receipts| receipts[0].post_state_or_status = Bytes::from_static(&[7; 32])),
    ("cumulative gas", |receipts| receipts[1].cumulative_gas_used += 1),
    ("cumulative gas of the last", |receipts| receipts.last_mut().unwrap().cumulative_gas_used ^= 1),
    ("address", |receipts| log(receipts).address.0[19] ^= 1),
    ("topic", |receipts| log(receipts).topics[0].0[31] ^= 1),
    ("topic dropped", |receipts| log(receipts).topics.truncate(0)),
    ("topic doubled", |receipts| {
        let topic = log(receipts).topics[0];
        log(receipts).topics.push(topic);
    }),
    ("first byte of data", |receipts| flip(log(receipts), 0)),
    ("last byte of data", |receipts| flip(log(receipts), usize::MAX)),
    ("data cut", |receipts| log(receipts).data.truncate(1)),
    ("log dropped", |receipts| drop(logging(receipts).logs.pop())),
    ("log doubled", |receipts| {
        let log = logging(receipts).logs[0].clone();
        logging(receipts).logs.push(log);
    }),
    ("logs reordered", |receipts| logging(receipts).logs.swap(0, 1)),
    ("receipt dropped", |receipts| drop(receipts.pop())),
    ("receipt doubled", |receipts| receipts.insert(0, receipts[0].clone())),
    ("receipts reordered", |receipts| {
        let one = receipts.iter().position(|receipt| !receipt.logs.is_empty()).unwrap();
        let (cumulative, other) = (receipts[one].cumulative_gas_used, receipts[one - 1].cumulative_gas_used);
        receipts.swap(one - 1, one);
        (receipts[one - 1].cumulative_gas_used, receipts[one].cumulative_gas_used) = (other, cumulative);
    }),
    ("gas used", |receipts| receipts[1].gas_used = 1),
    ("transaction hash", |receipts| receipts[1].tx_hash = B256::repeat_byte(1)),
    ("contract address", |receipts| receipts[1].contract_address = Address::repeat_byte(1)),
    ("log's block number", |receipts| log(receipts).block_number = 1),
    ("log's block hash", |receipts| log(receipts).block_hash = B256::repeat_byte(1)),
    ("log's transaction hash", |receipts| log(receipts).transaction_hash = B256::repeat_byte(1)),
];

/// A block that executes, and the same without what its execution needs.
fn blocks() -> [Specimen; 3] {
    [whole(), without_state(whole()), shape("main-osaka").specimen]
}

#[test]
fn receipts_that_were_changed_in_one_place_are_rejected_with_and_without_state() {
    for (number, block) in blocks().into_iter().enumerate() {
        for (name, forge) in FORGERIES {
            let forged = with(block.clone(), |specimen| forge(&mut specimen.block.receipts));
            assert_ne!(forged, block, "{name}");
            for basis in BasisPolicy::ALL {
                if basis == BasisPolicy::Execution && number > 0 {
                    continue;
                }
                let check = failed_check(basis, &forged);
                assert_eq!(check.name, CheckName::RecordedReceipts, "{name}, {basis}, block {number}: {check}");
            }
        }
    }
}

#[test]
fn receipts_that_agree_with_each_other_and_not_with_the_header_are_rejected() {
    let other = shape("main-bpo1").specimen;
    let exchanged = with(shape("main-osaka").specimen, |specimen| specimen.block.receipts = other.block.receipts);
    assert_eq!(failed_check(BasisPolicy::Auto, &exchanged).name, CheckName::RecordedReceipts);
    // Of a forger who can state any header: each commitment to the receipts is checked for itself.
    type Change = fn(&mut alloy_consensus::Header);
    let changes: [(CheckName, Change); 3] = [
        (CheckName::GasUsed, |header| header.gas_used += 1),
        (CheckName::RecordedReceipts, |header| header.logs_bloom.0[0] ^= 1),
        (CheckName::RecordedReceipts, |header| header.receipts_root.0[0] ^= 1),
    ];
    for (name, change) in changes {
        let forged = with(shape("main-osaka").specimen, |specimen| {
            change(&mut specimen.block.header);
            specimen.block.hash = specimen.block.header.hash_slow();
            specimen.event_hash = specimen.block.hash;
        });
        for basis in [BasisPolicy::Auto, BasisPolicy::Receipts] {
            assert_eq!(failed_check(basis, &forged).name, name, "{basis}");
        }
    }
}

#[test]
fn positions_and_hashes_that_the_producer_repeats_rightly_change_nothing() {
    for block in blocks() {
        let honest = result(BasisPolicy::Receipts, &block);
        let mut index = 0;
        let filled = with(block.clone(), |specimen| {
            let (number, hash) = (specimen.block.header.number, specimen.block.hash);
            for (receipt, executed) in specimen.block.receipts.iter_mut().zip(&honest.receipts) {
                receipt.gas_used = executed.gas_used;
                receipt.contract_address = executed.contract_address.unwrap_or_default();
                for log in &mut receipt.logs {
                    log.block_number = number;
                    log.block_hash = hash;
                    log.transaction_hash = executed.transaction_hash;
                    log.transaction_index = executed.transaction_index.into();
                    log.log_index = index;
                    index += 1;
                }
            }
        });
        // A log may name the transaction where its receipt does not.
        let named = with(filled.clone(), |specimen| {
            for (receipt, executed) in specimen.block.receipts.iter_mut().zip(&honest.receipts) {
                receipt.tx_hash = executed.transaction_hash;
            }
        });
        for specimen in [filled, named] {
            assert_eq!(result(BasisPolicy::Receipts, &specimen).receipts, honest.receipts);
        }
    }
}
