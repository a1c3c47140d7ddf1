//! Finds out why a block came out differently from its header.
//!
//! Runs only after the fact: following every call costs what the fast path must not pay.

use std::collections::HashSet;

use alloy_primitives::B256;
use refiner_specimen::StateReads;
use revm::{
    InspectEvm, Inspector,
    context::result::ExecutionResult,
    interpreter::{CallInputs, CallOutcome},
};

use crate::{
    meter,
    requests::{BEACON_ROOTS, system_transaction},
    runner::{self, Job},
    transaction,
};

/// The first code that the block's transactions run and the specimen does not carry.
pub(crate) fn missing_code(job: &Job<'_>) -> Option<B256> {
    let Job { block, rules, supplement, .. } = *job;
    let missing = not_carried(&block.state);
    if missing.is_empty() {
        return None;
    }
    let mut evm = runner::evm(job, Watch { missing, run: None }).ok()?;
    if let Some(root) = block.header.parent_beacon_block_root.filter(|_| rules.beacon_root_call) {
        meter::system_call(&mut evm, system_transaction(BEACON_ROOTS, root.0.into())).ok()?.ok()?;
    }
    for (index, (transaction, sender)) in block.transactions.iter().zip(&block.senders).enumerate() {
        let environment = transaction::environment(transaction, *sender, rules, supplement.of(index));
        let result = meter::metered(
            &mut evm,
            environment,
            |evm, environment| evm.inspect_one_tx(environment),
            ExecutionResult::tx_gas_used,
        );
        if evm.inspector.run.is_some() || !matches!(result, Ok(Ok(_))) {
            break;
        }
    }
    evm.inspector.run
}

fn not_carried(reads: &StateReads) -> HashSet<B256> {
    let carried: HashSet<B256> = reads.codes.iter().map(|code| code.hash).collect();
    let stated = reads.accounts.iter().map(|account| account.code_hash);
    stated
        .filter(|hash| !hash.is_zero() && *hash != alloy_primitives::KECCAK256_EMPTY && !carried.contains(hash))
        .collect()
}

/// Follows calls until one runs code that is missing.
struct Watch {
    missing: HashSet<B256>,
    run: Option<B256>,
}

impl<CTX> Inspector<CTX> for Watch {
    fn call(&mut self, _context: &mut CTX, inputs: &mut CallInputs) -> Option<CallOutcome> {
        let (hash, _) = inputs.known_bytecode;
        if self.run.is_none() && self.missing.contains(&hash) {
            self.run = Some(hash);
        }
        None
    }
}
