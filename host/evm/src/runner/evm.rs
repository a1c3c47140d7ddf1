//! The EVM of a block: its state, its environment and the meter.

use std::sync::Arc;

use revm::{MainContext as _, bytecode::opcode::BLOBBASEFEE, interpreter::Instruction, primitives::hardfork::SpecId};

use super::{
    Job,
    environment::{block_environment, configuration},
};
use crate::{
    blob_price,
    error::ExecuteError,
    journal::BlockJournal,
    meter::{self, Meter, Paying, UNGUARDED_GAS},
    prestate::{self, Beyond},
    recording::Watch,
    what_if::watch as refuse_missing_code,
};

/// The metered EVM over the state before the block, and the block around it.
pub(super) fn evm<'a, INSP>(job: &Job<'a>, inspector: INSP) -> Result<meter::Evm<'a, INSP>, ExecuteError> {
    let Job { block, rules, codes, budget, expected, .. } = *job;
    let environment = block_environment(block, rules)?;
    let held = meter::of_block(block);
    let mut meter = Meter::new(budget, expected, rules.spec.is_enabled_in(SpecId::LONDON), held);
    meter.begin(0, 0, 0, Paying::Nothing)?;
    let mut codes = codes.analyse(&block.state.codes)?;
    let hypothesis = job.hypothesis;
    codes.extend(hypothesis.into_iter().flat_map(|hypothesis| hypothesis.codes.iter().cloned()));
    let beyond = Beyond::new(block, rules).within(hypothesis.map(|hypothesis| Arc::clone(&hypothesis.known)));
    let mut journal = BlockJournal::of(beyond, prestate::state_before(&block.state, &codes, rules));
    if let Some(terms) = job.recording {
        journal.watch(Watch::new(terms.state));
    }
    let context = revm::Context::mainnet()
        .with_db(Beyond::default())
        .with_new_journal(journal)
        .with_block(environment)
        .with_cfg(configuration(rules))
        .with_chain(meter);
    let guarded = block.transactions.iter().any(|transaction| transaction.gas > UNGUARDED_GAS);
    let mut evm = meter::evm(context, inspector, guarded);
    if hypothesis.is_some() {
        refuse_missing_code(evm.instruction.instruction_table_mut());
    }
    if let Some(blobs) = evm.ctx.block.blob_excess_gas_and_price.filter(|blobs| blobs.blob_gasprice == u128::MAX) {
        let fraction = evm.ctx.cfg.blob_base_fee_update_fraction.unwrap_or(u64::MAX);
        evm.ctx.chain.blob_price = blob_price::price(blobs.excess_blob_gas, fraction);
        evm.instruction.instruction_table_mut()[usize::from(BLOBBASEFEE)] = Instruction::new(blob_price::instruction);
    }
    Ok(evm)
}
