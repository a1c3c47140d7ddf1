//! Hashes of transactions and their root.

use alloy_consensus::EMPTY_ROOT_HASH;
use alloy_primitives::{Address, B256, Bytes};
use refiner_specimen::{
    Layout, Receipt, Specimen, Transaction, UnknownTransactionType,
    check::{self, Outcome},
    transaction_hash, transaction_hashes,
};

use super::{consistent::consistent, in_alloy::in_alloy};

#[test]
fn transaction_hashes_are_those_of_alloy_for_every_type() {
    let specimen = consistent();
    let hashes = transaction_hashes(&specimen.block).unwrap();
    for (index, (transaction, hash)) in std::iter::zip(&specimen.block.transactions, hashes).enumerate() {
        assert_eq!(hash, *in_alloy(transaction).tx_hash(), "transaction {index} of type {}", transaction.tx_type);
        assert_eq!(transaction_hash(&specimen, index), Ok(hash));
    }
}

#[test]
fn transaction_of_an_unknown_type_has_no_hash() {
    let known = Transaction { tx_type: 4, ..Transaction::default() };
    let unknown = Transaction { tx_type: 5, ..Transaction::default() };
    assert!(known.hash().is_ok());
    assert_eq!(unknown.hash(), Err(UnknownTransactionType(5)));
}

#[test]
fn signing_hashes_are_those_of_alloy_for_every_type() {
    for transaction in consistent().block.transactions {
        assert_eq!(transaction.signing_hash(), Ok(in_alloy(&transaction).signature_hash()));
    }
}

#[test]
fn root_of_transactions_with_a_dropped_part_is_not_checkable() {
    type Drops = fn(&mut Specimen);
    let drops: [Drops; 2] = [
        |specimen| specimen.layout = Layout::V0_36,
        |specimen| specimen.block.transactions[4].authorization_list = None,
    ];
    for drop in drops {
        let mut specimen = consistent();
        drop(&mut specimen);
        assert!(matches!(check::transactions_root(&specimen).outcome, Outcome::NotCheckable(_)));
    }
}

#[test]
fn hash_of_a_transaction_with_a_dropped_part_is_the_producers_or_not_known() {
    let whole = consistent();
    let computed = |specimen: &Specimen| transaction_hashes(&specimen.block).unwrap();
    assert_eq!(whole.known_hashes(computed(&whole)), computed(&whole));

    let mut specimen = consistent();
    specimen.block.transactions[4].authorization_list = None;
    let mut expected = computed(&specimen);
    let receipt = |tx_hash| Receipt {
        post_state_or_status: Bytes::new(),
        cumulative_gas_used: 0,
        tx_hash,
        contract_address: Address::ZERO,
        logs: Vec::new(),
        gas_used: 0,
    };
    for stated in [None, Some(B256::ZERO), Some(B256::repeat_byte(7))] {
        specimen.block.receipts = vec![receipt(stated.unwrap_or_default()); if stated.is_some() { 5 } else { 0 }];
        expected[4] = stated.unwrap_or_default();
        assert!(specimen.known_hashes(computed(&specimen)) == expected, "{stated:?}");
    }
}

#[test]
fn block_of_no_transactions_has_the_root_of_nothing() {
    let mut specimen = consistent();
    specimen.block.transactions.clear();
    specimen.block.header.transactions_root = EMPTY_ROOT_HASH;
    assert_eq!(check::transactions_root(&specimen).outcome, Outcome::Passed);
}
