//! A specimen that passes every check, with roots and hashes by alloy.

use std::sync::LazyLock;

use alloy_consensus::{
    Header,
    proofs::{calculate_ommers_root, calculate_transaction_root, calculate_withdrawals_root},
};
use alloy_eips::eip2930::AccessList;
use alloy_primitives::{Address, U256, keccak256};
use refiner_specimen::{Block, Layout, Specimen, Transaction};

use super::in_alloy::in_alloy;
use crate::random;

fn transactions() -> Vec<Transaction> {
    let random = (0..60).flat_map(|seed| random::specimen(Layout::V0_38, seed).block.transactions);
    random.enumerate().map(|(position, transaction)| signable(transaction, position)).collect()
}

/// Gives a random transaction what its type must have.
fn signable(mut transaction: Transaction, position: usize) -> Transaction {
    let parity = u64::try_from(position % 2).unwrap();
    transaction.tx_type = u8::try_from(position % 5).unwrap();
    transaction.chain_id %= 1 << 40;
    transaction.v = match (transaction.tx_type, position % 3) {
        // Before and after EIP-155.
        (0, 0) => Some(U256::from(27 + parity)),
        (0, _) => Some(U256::from(35 + 2 * transaction.chain_id + parity)),
        // The producer writes zero as null.
        _ => (parity == 1).then_some(U256::ONE),
    };
    if transaction.tx_type >= 3 {
        transaction.to = Some(transaction.to.unwrap_or_default());
    }
    for authorization in transaction.authorization_list.iter_mut().flatten() {
        authorization.y_parity = U256::from(parity);
    }
    transaction
}

/// The chain of [`consistent`].
pub const CHAIN: u64 = 77;

/// A specimen that agrees with itself in everything that shows without execution.
pub fn consistent() -> Specimen {
    static CONSISTENT: LazyLock<Specimen> = LazyLock::new(made_consistent);
    CONSISTENT.clone()
}

fn made_consistent() -> Specimen {
    let mut specimen = (0..)
        .map(|seed| random::specimen(Layout::V0_38, seed))
        .find(|specimen| {
            let Block { withdrawals, uncles, state, .. } = &specimen.block;
            let ommers = uncles.as_ref().is_some_and(|ommers| !ommers.is_empty());
            let rows = state.accounts.len() > 1 && state.storage.len() > 1 && state.block_hashes.len() > 1;
            withdrawals.is_some() && ommers && rows && state.codes.len() > 1
        })
        .unwrap();
    let block = &mut specimen.block;
    block.kind = "block-replica".into();
    block.network_id = CHAIN;
    block.transactions = transactions().into_iter().map(|transaction| of_chain(transaction, &block.header)).collect();
    block.senders = vec![Address::repeat_byte(1); block.transactions.len()];
    block.state.codes.iter_mut().for_each(|read| read.hash = keccak256(&read.code));
    let envelopes: Vec<_> = block.transactions.iter().map(in_alloy).collect();
    block.header.transactions_root = calculate_transaction_root(&envelopes);
    block.header.withdrawals_root = block.withdrawals.as_deref().map(calculate_withdrawals_root);
    block.header.ommers_hash = calculate_ommers_root(block.uncles.as_deref().unwrap());
    block.hash = block.header.hash_slow();
    let (hash, height) = (block.hash, block.header.number);
    Specimen { event_hash: hash, start_block: height, end_block: height, elements: 1, ..specimen }
}

/// Gives a transaction its chain, and the fields that a producer repeats or leaves empty.
fn of_chain(mut transaction: Transaction, header: &Header) -> Transaction {
    let parity = transaction.v.unwrap_or_default().is_zero();
    (transaction.from, transaction.data, transaction.blob_gas) = (None, None, None);
    if transaction.tx_type == 0 {
        transaction.access_list = AccessList::default();
        let any_chain = transaction.signed_chain_id().is_none();
        transaction.chain_id = if any_chain { 0 } else { CHAIN };
        let base = if any_chain { 27 } else { 35 + 2 * CHAIN };
        transaction.v = Some(U256::from(base + u64::from(parity)));
    } else {
        transaction.chain_id = CHAIN;
    }
    if transaction.tx_type < 2 {
        (transaction.gas_tip_cap, transaction.gas_fee_cap) = (transaction.gas_price, transaction.gas_price);
    } else {
        let base_fee = u128::from(header.base_fee_per_gas.unwrap_or_default());
        let effective = transaction.gas_fee_cap.min(base_fee.saturating_add(transaction.gas_tip_cap));
        transaction.gas_price = if parity { effective } else { transaction.gas_fee_cap };
    }
    if transaction.tx_type == 3 {
        let hashes = transaction.blob_hashes.get_or_insert_default().len() as u64;
        transaction.blob_gas = Some(hashes << 17);
    } else {
        (transaction.blob_hashes, transaction.blob_fee_cap) = (None, None);
    }
    if transaction.tx_type == 4 {
        transaction.authorization_list.get_or_insert_default();
    } else {
        transaction.authorization_list = None;
    }
    transaction
}
