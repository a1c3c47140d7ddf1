//! The chain that signatures name.

use alloy_primitives::U256;
use refiner_specimen::{
    Layout, Transaction,
    check::{self, Outcome},
};

use super::consistent::{CHAIN, consistent};

#[test]
fn signatures_that_name_no_chain_leave_the_chain_id_not_checkable() {
    let mut specimen = consistent();
    specimen.block.transactions.retain(|transaction| transaction.signed_chain_id().is_none());
    assert!(!specimen.block.transactions.is_empty());
    assert!(matches!(check::chain_id(&specimen).outcome, Outcome::NotCheckable(_)));
}

#[test]
fn chain_id_of_a_legacy_transaction_is_that_of_its_signature() {
    for (v, chain_id, fails) in [
        (35 + 2 * CHAIN, CHAIN, false),
        (35 + 2 * 5, CHAIN, true),
        (35 + 2 * CHAIN, 0, true),
        (27, 0, false),
        (27, CHAIN, true),
    ] {
        let mut specimen = consistent();
        let transaction = Transaction { chain_id, v: Some(U256::from(v)), ..Transaction::default() };
        specimen.block.transactions = vec![transaction];
        assert_eq!(check::chain_id(&specimen).failed(), fails, "v {v}, chain {chain_id}");
    }
}

#[test]
fn chain_id_without_signatures_is_the_exported_one() {
    for (tx_type, chain_id, fails) in [(0, 0, false), (0, CHAIN, false), (0, 1, true), (2, CHAIN, false), (2, 0, true)]
    {
        let mut specimen = consistent();
        specimen.layout = Layout::V0_2;
        let transaction = Transaction { tx_type, chain_id, ..Transaction::default() };
        specimen.block.transactions = vec![transaction];
        assert_eq!(check::chain_id(&specimen).failed(), fails, "type {tx_type}, chain {chain_id}");
    }
}
