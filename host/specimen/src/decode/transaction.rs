//! The transaction record.

use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_primitives::Address;

use super::{
    error::{Fault, FieldError, Locate, Read},
    text::{ADDRESS_BYTES, HASH_BYTES, HEX_MIN_BYTES},
    wire::Wire,
};
use crate::{Authorization, Layout, Transaction};

/// Five numbers as hex text and ten fields of a byte: what no transaction is shorter than.
const TRANSACTION_MIN_BYTES: usize = 5 * HEX_MIN_BYTES + 10;

/// Transactions that a block can have. Each costs 21,000 gas or more, so these use 344,000,000, five times what a block of mainnet may;
/// to recover the sender of each takes most of a second.
pub(super) const TRANSACTIONS_LIMIT: usize = 12_288;

pub(super) fn read_all(wire: &mut Wire<'_>) -> Read<Vec<Transaction>> {
    wire.limited_array(TRANSACTION_MIN_BYTES, TRANSACTIONS_LIMIT, read)
}

fn read(wire: &mut Wire<'_>) -> Read<Transaction> {
    let mut transaction = Transaction {
        tx_type: tx_type(wire).at("type")?,
        access_list: access_list(wire).at("accessList")?,
        chain_id: wire.u64_or_long().at("chainId")?,
        nonce: wire.long().at("nonce")?,
        gas_price: wire.u128_or_long().at("gasPrice")?,
        gas_tip_cap: wire.u128_or_long().at("gasTipCap")?,
        gas_fee_cap: wire.u128_or_long().at("gasFeeCap")?,
        gas: wire.long().at("gas")?,
        from: from(wire).at("from")?,
        to: wire.optional(Wire::address).at("to")?,
        ..Transaction::default()
    };
    if wire.layout.has_signatures() {
        transaction.v = wire.optional(Wire::u256).at("v")?;
        transaction.r = wire.optional(Wire::u256).at("r")?;
        transaction.s = wire.optional(Wire::u256).at("s")?;
    }
    transaction.value = wire.u256_or_double().at("value")?;
    transaction.input = wire.base64().at("input")?;
    if wire.layout >= Layout::V0_37 {
        transaction.blob_fee_cap = wire.optional(Wire::u128).at("blobFeeCap")?;
        transaction.blob_hashes = wire.optional(|wire| wire.array(HASH_BYTES, Wire::hash)).at("blobHashes")?;
        transaction.blob_gas = wire.optional(Wire::long).at("blobGas")?;
    }
    if wire.layout >= Layout::V0_38 {
        transaction.data = wire.optional(Wire::string).at("Data")?;
        transaction.authorization_list = wire.optional(authorizations).at("AuthList")?;
    }
    Ok(transaction)
}

/// Layout 0.2 has no null here, and writes zeros.
fn from(wire: &mut Wire<'_>) -> Read<Option<Address>> {
    if wire.layout == Layout::V0_2 {
        return Ok(Some(wire.address()?).filter(|address| !address.is_zero()));
    }
    wire.optional(Wire::address)
}

/// EIP-2718 allows types up to 0x7f; which of them are understood is the executor's business.
fn tx_type(wire: &mut Wire<'_>) -> Read<u8> {
    let start = wire.offset();
    match u8::try_from(wire.long()?) {
        Ok(tx_type) if tx_type < 0x80 => Ok(tx_type),
        _ => Err(Fault::new(start, FieldError::OutOfRange { limit_bits: 7 })),
    }
}

fn access_list(wire: &mut Wire<'_>) -> Read<AccessList> {
    let item = |wire: &mut Wire<'_>| {
        Ok(AccessListItem {
            address: wire.address().at("address")?,
            storage_keys: wire.array(HASH_BYTES, Wire::hash).at("storageKeys")?,
        })
    };
    wire.array(ADDRESS_BYTES + 1, item).map(AccessList)
}

fn authorizations(wire: &mut Wire<'_>) -> Read<Vec<Authorization>> {
    let item = |wire: &mut Wire<'_>| {
        Ok(Authorization {
            chain_id: wire.u256().at("chainId")?,
            address: wire.address().at("address")?,
            nonce: wire.long().at("nonce")?,
            y_parity: wire.u256().at("yParity")?,
            r: wire.u256().at("r")?,
            s: wire.u256().at("s")?,
        })
    };
    wire.array(ADDRESS_BYTES + 4 * HEX_MIN_BYTES + 1, item)
}
