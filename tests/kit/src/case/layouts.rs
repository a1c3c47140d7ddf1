//! The codecs of 2022, of which one rounds numbers and drops signatures.

use alloy_primitives::{B256, U256};
use refiner_specimen::Layout;

use super::{Case, block, chain, dynamic, plan, without_receipts};
use crate::{
    BlockPlan, Contract, Fork, KitError, Manner, Plan, export,
    scenario::{self, Cast},
    transaction::Form,
};

pub(super) fn cases() -> Result<Vec<Case>, KitError> {
    let later = export(&block(Fork::Paris, vec![reading()])?, Layout::V0_3, Manner::default());
    let mut chain = chain(Fork::London);
    let ommers = vec![chain.sibling()];
    let mined = chain.seal(BlockPlan { ommers, ..plan(vec![reading(), paying()]) })?;
    let earlier = export(&mined, Layout::V0_2, Manner::default());
    let mut another_receipt = earlier.clone();
    another_receipt.block.receipts[0].cumulative_gas_used += 1;
    let rounding_decides = rounding_decides()?;
    let unproven = without_receipts("codec-0.2-whose-rounding-decides-without-receipts", &rounding_decides);
    vec![
        Case::new("codec-0.3", later),
        Case::new("codec-0.2", earlier),
        Case::new("codec-0.2-with-another-receipt", another_receipt),
        Ok(rounding_decides),
        unproven,
    ]
    .into_iter()
    .collect()
}

/// Reads the hashes of two blocks, whose heights the codecs write in three ways.
fn reading() -> Plan {
    scenario::call(Cast::assembled().alice, Contract::Historian, &[], Form::Legacy)
}

/// Pays more than a double holds to the last wei, which changes nothing but balances.
fn paying() -> Plan {
    let Cast { bob, carol, .. } = Cast::assembled();
    scenario::transfer(bob, carol.address(), scenario::ETHER + 1, dynamic())
}

/// Logs a balance of which the codec lost the last wei.
fn rounding_decides() -> Result<Case, KitError> {
    let Cast { alice, carol, .. } = Cast::assembled();
    let mut chain = chain(Fork::London);
    chain.world.fund(carol.address(), U256::from(1));
    let asking = scenario::call(alice, Contract::Surveyor, &[B256::from(carol.address().into_word())], dynamic());
    let block = chain.seal(plan(vec![asking]))?;
    Case::new("codec-0.2-whose-rounding-decides", export(&block, Layout::V0_2, Manner::default()))
}
