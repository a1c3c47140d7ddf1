//! The block and the rules of its fork as the EVM reads them.

use alloy_primitives::U256;
use refiner_specimen::Block;
use revm::{
    context::{BlockEnv, CfgEnv},
    context_interface::block::BlobExcessGasAndPrice,
    primitives::hardfork::SpecId,
};

use crate::{
    error::Rejected,
    fork_profile::{ForkProfile, InvalidTransaction},
};

pub(super) fn block_environment(block: &Block, rules: &ForkProfile) -> Result<BlockEnv, Rejected> {
    let header = &block.header;
    let left_out = rules.invalid_transaction == InvalidTransaction::IsLeftOut;
    let blobs = match rules.blobs {
        Some(_) if left_out && header.excess_blob_gas.is_none() => None,
        Some(params) => {
            let excess_blob_gas = header.excess_blob_gas.ok_or(Rejected::HeaderField { field: "excessBlobGas" })?;
            // The EVM's own computation of the price overflows, and then may never end.
            let blob_gasprice = params.calc_blob_fee(excess_blob_gas);
            if blob_gasprice == u128::MAX && !left_out {
                return Err(Rejected::ExcessBlobGas { excess_blob_gas });
            }
            Some(BlobExcessGasAndPrice { excess_blob_gas, blob_gasprice })
        }
        // A hypothetical block of a later fork than its own: no blob is priced in it.
        None if rules.spec.is_enabled_in(SpecId::CANCUN) => {
            Some(BlobExcessGasAndPrice { excess_blob_gas: 0, blob_gasprice: 1 })
        }
        None => None,
    };
    Ok(BlockEnv {
        number: U256::from(header.number),
        beneficiary: rules.beneficiary,
        timestamp: U256::from(header.timestamp),
        gas_limit: header.gas_limit,
        basefee: if rules.spec.is_enabled_in(SpecId::LONDON) {
            header.base_fee_per_gas.ok_or(Rejected::HeaderField { field: "baseFeePerGas" })?
        } else {
            0
        },
        difficulty: rules.difficulty,
        prevrandao: Some(rules.prevrandao),
        blob_excess_gas_and_price: blobs,
        slot_num: 0,
    })
}

pub(super) fn configuration(rules: &ForkProfile) -> CfgEnv {
    let mut configuration = CfgEnv::new_with_spec(rules.spec).with_chain_id(rules.chain_id);
    // Nonces pass through a double on their way into a specimen, so a large one can be off by its last digits; the
    // chain accepted these transactions, and receipts are checked. A hypothetical block has none to be checked by.
    configuration.disable_nonce_check = rules.invalid_transaction != InvalidTransaction::IsExcluded;
    configuration.max_blobs_per_tx = rules.blobs.map(|params| params.max_blobs_per_tx);
    configuration.blob_base_fee_update_fraction =
        rules.blobs.map(|params| u64::try_from(params.update_fraction).unwrap_or(u64::MAX));
    configuration
}
