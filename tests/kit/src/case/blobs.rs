//! Blob counts and blob gas.

use alloy_consensus::Header;
use alloy_primitives::B256;

use super::{Case, block, newest, versioned_hash};
use crate::{
    Contract, Fork, KitError, Plan,
    scenario::{self, Cast},
    transaction::Form,
};

/// Gas of one blob, EIP-4844.
const GAS_PER_BLOB: u64 = 131_072;

pub(super) fn cases() -> Result<Vec<Case>, KitError> {
    let blobs = |count| newest_of(vec![with_blobs(count)], |_| {});
    vec![
        Case::new("6-blobs-in-cancun", blobs(6)?),
        Case::new("12-blobs-in-cancun", newest_of(vec![with_blobs(6), with_blobs(6)], |_| {})?),
        Case::new(
            "header-without-its-2-blobs",
            newest_of(vec![with_blobs(2)], |header| header.blob_gas_used = Some(0))?,
        ),
        Case::new(
            "header-with-a-third-blob",
            newest_of(vec![with_blobs(2)], |header| header.blob_gas_used = Some(3 * GAS_PER_BLOB))?,
        ),
        // The largest that the wire form holds: the price of a blob is a power of e that no loop reaches.
        Case::new(
            "excess-blob-gas-2e63",
            newest_of(Vec::new(), |header| header.excess_blob_gas = Some(i64::MAX.unsigned_abs()))?,
        ),
    ]
    .into_iter()
    .collect()
}

fn newest_of(plans: Vec<Plan>, change: fn(&mut Header)) -> Result<refiner_specimen::Specimen, KitError> {
    Ok(newest(&block(Fork::Cancun, plans)?.with_header(change)))
}

fn with_blobs(count: u8) -> Plan {
    scenario::call(
        Cast::assembled().alice,
        Contract::Ledger,
        &[B256::with_last_byte(8), B256::with_last_byte(88)],
        Form::Blobs((1..=count).map(versioned_hash).collect()),
    )
}
