//! A specimen's transactions in the form the EVM wants.

use std::collections::BTreeMap;

use alloy_eips::{
    eip4844::DATA_GAS_PER_BLOB,
    eip7702::{Authorization as UnsignedAuthorization, RecoveredAuthorization, SignedAuthorization},
};
use alloy_primitives::{Address, B256, TxKind};
use refiner_specimen::{Authorization, Block, Transaction};
use revm::{context::TxEnv, context_interface::either::Either};

use crate::{
    error::{ExecuteError, Rejected, Unsupported},
    fork_profile::{BlobTransactions, ForkProfile},
};

/// EIP-2718 types.
pub(crate) const LEGACY: u8 = 0;
pub(crate) const ACCESS_LIST: u8 = 1;
pub(crate) const DYNAMIC_FEE: u8 = 2;
pub(crate) const BLOB: u8 = 3;
pub(crate) const SET_CODE: u8 = 4;

/// Blob fee cap of a transaction whose own was dropped: what block builders' minimum made usual in the spring of
/// 2024, the only months whose layout drops it. It is raised to the block's blob price where that is higher.
const DUMMY_BLOB_FEE_CAP: u128 = 10;

/// Stands in for a blob hash that was dropped; version byte of KZG commitments in front, as EIP-4844 requires.
pub(crate) const DUMMY_BLOB_HASH: B256 = {
    let mut hash = [0; 32];
    hash[0] = 0x01;
    B256::new(hash)
};

/// Checks what stands in the way of executing these transactions, before any is run.
pub(crate) fn admit(block: &Block, format: &'static str) -> Result<(), ExecuteError> {
    let (transactions, senders) = (block.transactions.len(), block.senders.len());
    if transactions != senders {
        return Err(Rejected::SenderCount { transactions, senders }.into());
    }
    match block.transactions.iter().position(|transaction| transaction.tx_type > SET_CODE) {
        None => Ok(()),
        Some(transaction) => {
            let tx_type = block.transactions[transaction].tx_type;
            Err(Unsupported::TransactionType { transaction, tx_type, format }.into())
        }
    }
}

/// Whether this is a type-4 transaction whose authorizations the producer dropped.
pub(crate) fn lacks_authorizations(transaction: &Transaction) -> bool {
    transaction.tx_type == SET_CODE && transaction.authorization_list.is_none()
}

/// Whether this is a blob transaction whose blob hashes the layout dropped.
pub(crate) fn lacks_blob_hashes(transaction: &Transaction) -> bool {
    transaction.tx_type == BLOB && transaction.blob_hashes.is_none()
}

/// Values that stand in for fields that the specimen's layout dropped, by position of the transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Supplement(BTreeMap<usize, SuppliedFields>);

/// The supplied fields of one transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SuppliedFields {
    /// Of a type-3 transaction.
    pub(crate) blob_hashes: Vec<B256>,
    /// Of a type-3 transaction, in wei for each unit of blob gas.
    pub(crate) blob_fee_cap: u128,
    /// Of a type-4 transaction, with the authorities that are supposed.
    pub(crate) authorizations: Vec<RecoveredAuthorization>,
}

impl Supplement {
    /// The supplied fields of the transaction at a position, if any.
    pub(crate) fn of(&self, transaction: usize) -> Option<&SuppliedFields> {
        self.0.get(&transaction)
    }

    /// Sets the fields of the transaction at a position.
    pub(crate) fn set(&mut self, transaction: usize, fields: SuppliedFields) {
        self.0.insert(transaction, fields);
    }

    /// Dummy hashes for every blob transaction whose own were dropped: each gets its share of the block's blobs.
    ///
    /// With one such transaction, which is the rule, the share is exact. With several it is a guess that moves nothing
    /// but the senders' balances.
    pub(crate) fn dummy_blobs(block: &Block, rules: &ForkProfile) -> Self {
        let excess = block.header.excess_blob_gas.unwrap_or_default();
        let blob_price = rules.blobs.map_or(0, |params| params.calc_blob_fee(excess));
        let lacking: Vec<usize> =
            (0..block.transactions.len()).filter(|index| lacks_blob_hashes(&block.transactions[*index])).collect();
        let blobs = usize::try_from(block.header.blob_gas_used.unwrap_or_default() / DATA_GAS_PER_BLOB);
        let blobs = blobs.unwrap_or(usize::MAX);
        let mut supplement = Self::default();
        for (position, index) in lacking.iter().enumerate() {
            let share = blobs / lacking.len() + usize::from(position < blobs % lacking.len());
            let blob_hashes = vec![DUMMY_BLOB_HASH; share.clamp(1, MOST_DUMMY_BLOBS)];
            let blob_fee_cap = blob_price.max(DUMMY_BLOB_FEE_CAP);
            supplement.set(*index, SuppliedFields { blob_hashes, blob_fee_cap, authorizations: Vec::new() });
        }
        supplement
    }
}

/// A header can state any blob gas; this is far above what the layout's fork allows a block (6) and costs nothing.
const MOST_DUMMY_BLOBS: usize = 64;

/// The EVM's view of one transaction.
pub(crate) fn environment(
    transaction: &Transaction,
    sender: Address,
    rules: &ForkProfile,
    supplied: Option<&SuppliedFields>,
) -> TxEnv {
    let tx_type = executed_type(transaction, rules);
    let dynamic = tx_type >= DYNAMIC_FEE;
    let (blob_hashes, max_fee_per_blob_gas) = match (tx_type, &transaction.blob_hashes) {
        (BLOB, Some(hashes)) => (hashes.clone(), transaction.blob_fee_cap.unwrap_or_default()),
        (BLOB, None) => {
            supplied.map_or_else(Default::default, |fields| (fields.blob_hashes.clone(), fields.blob_fee_cap))
        }
        _ => (Vec::new(), 0),
    };
    TxEnv {
        tx_type,
        caller: sender,
        gas_limit: transaction.gas,
        gas_price: if dynamic { transaction.gas_fee_cap } else { transaction.gas_price },
        kind: transaction.to.map_or(TxKind::Create, TxKind::Call),
        value: transaction.value,
        data: transaction.input.clone(),
        nonce: transaction.nonce,
        chain_id: (tx_type != LEGACY).then_some(transaction.chain_id),
        access_list: transaction.access_list.clone(),
        gas_priority_fee: dynamic.then_some(transaction.gas_tip_cap),
        blob_hashes,
        max_fee_per_blob_gas,
        authorization_list: match (&transaction.authorization_list, supplied) {
            (Some(list), _) => list.iter().map(signed).map(Either::Left).collect(),
            (None, Some(fields)) => fields.authorizations.iter().cloned().map(Either::Right).collect(),
            (None, None) => Vec::new(),
        },
    }
}

/// The type a transaction is executed as, which its receipt carries.
pub(crate) const fn executed_type(transaction: &Transaction, rules: &ForkProfile) -> u8 {
    match (transaction.tx_type, rules.blob_transactions) {
        (BLOB, BlobTransactions::DynamicFee) => DYNAMIC_FEE,
        (tx_type, _) => tx_type,
    }
}

/// The price paid for each unit of gas, in wei.
pub(crate) fn effective_gas_price(transaction: &Transaction, tx_type: u8, base_fee: u64) -> u128 {
    if tx_type < DYNAMIC_FEE {
        return transaction.gas_price;
    }
    transaction.gas_fee_cap.min(u128::from(base_fee).saturating_add(transaction.gas_tip_cap))
}

fn signed(authorization: &Authorization) -> SignedAuthorization {
    let Authorization { chain_id, address, nonce, y_parity, r, s } = authorization;
    let unsigned = UnsignedAuthorization { chain_id: *chain_id, address: *address, nonce: *nonce };
    // A parity beyond one byte recovers no authority, like any other that is neither 0 nor 1.
    SignedAuthorization::new_unchecked(unsigned, y_parity.try_into().unwrap_or(u8::MAX), *r, *s)
}
