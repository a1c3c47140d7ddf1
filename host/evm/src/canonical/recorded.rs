//! Canonical results that rest on the receipts which the specimen carries. Nothing is executed, and no state is looked at.

use alloy_primitives::U256;
use refiner_specimen::{
    Block, Specimen, Transaction,
    check::{Check, CheckName, Outcome},
};

use super::{Canonical, assemble};
use crate::{
    basis::Basis,
    error::{ExecuteError, Rejected, Unsupported},
    execution::{ExecutedReceipt, Execution},
    fork_profile::ForkProfile,
    gate::{Admission, RecordedReceipts, SenderTerms},
    header_checks::header_checks,
    requests::{DEPOSIT_TYPE, collect_deposits, requests_hash},
    transaction::effective_gas_price,
};

const NOT_EXECUTED: &str = "the result rests on the recorded receipts; nothing was executed";

/// The result that recorded receipts prove, by the header's receiptsRoot, logsBloom and gasUsed.
///
/// `instead_of` is the reason that the block could not be executed, where that was tried.
pub(super) fn result(
    specimen: &Specimen,
    rules: &ForkProfile,
    admission: &Admission,
    senders: SenderTerms,
    instead_of: Option<ExecuteError>,
) -> Result<Execution, ExecuteError> {
    let block = &specimen.block;
    let RecordedReceipts { check, proven } = RecordedReceipts::of(specimen, &admission.transaction_hashes);
    let Some((receipts, commitments)) = proven else {
        return Err(unproven(check, block.transactions.len(), instead_of));
    };
    let receipts = complete(receipts, specimen, admission);
    let gas_used = receipts.last().map_or(0, |receipt| receipt.cumulative_gas_used);
    let mut proven = header_checks(block, gas_used, &commitments, None);
    for check in proven.iter_mut().filter(|check| check.name == CheckName::RequestsHash) {
        *check = requests_check(rules, block, &receipts)?;
    }
    if let Some(failed) = proven.iter().find(|check| check.failed()) {
        return Err(Rejected::CheckFailed(failed.clone()).into());
    }

    let not_executed = |name| Check { name, outcome: Outcome::NotApplicable(NOT_EXECUTED) };
    let mut checks = admission.checks.clone();
    checks.extend([check, not_executed(CheckName::CodeHashes), not_executed(CheckName::Execution)]);
    checks.extend(proven);
    checks.push(not_executed(CheckName::ProducerReceipts));
    let canonical = Canonical::new(rules, commitments.blooms);
    let basis = Basis::Receipts { instead_of: instead_of.map(Box::new) };
    Ok(assemble(gas_used, receipts, checks, canonical, senders).with_basis(basis))
}

/// The error of recorded receipts that prove nothing.
fn unproven(check: Check, transactions: usize, instead_of: Option<ExecuteError>) -> ExecuteError {
    if check.failed() {
        return Rejected::CheckFailed(check).into();
    }
    match instead_of {
        None => Unsupported::NoReceipts { transactions }.into(),
        Some(ExecuteError::Unsupported(execution)) => Unsupported::NoBasis { execution: Box::new(execution) }.into(),
        Some(rejected) => rejected,
    }
}

/// Fills in what the chain's receipts do not hold: it follows from the transactions, and is proven as far as they are.
fn complete(receipts: Vec<ExecutedReceipt>, specimen: &Specimen, admission: &Admission) -> Vec<ExecutedReceipt> {
    let block = &specimen.block;
    let hashes = specimen.known_hashes(admission.transaction_hashes.clone());
    let mut before = 0;
    let transactions = block.transactions.iter().zip(&block.senders).zip(hashes);
    let completed = receipts.into_iter().zip(transactions).map(|(receipt, ((transaction, sender), hash))| {
        let gas_used = receipt.cumulative_gas_used.saturating_sub(before);
        before = receipt.cumulative_gas_used;
        // Before Byzantium no receipt states its status, and a failure burns all gas.
        let unburnt = gas_used < transaction.gas || !receipt.logs.is_empty();
        ExecutedReceipt {
            success: if receipt.post_state.is_some() { unburnt } else { receipt.success },
            transaction_hash: hash,
            gas_used,
            effective_gas_price: U256::from(gas_price(transaction, block)),
            contract_address: transaction.to.is_none().then(|| sender.create(transaction.nonce)),
            ..receipt
        }
    });
    completed.collect()
}

fn gas_price(transaction: &Transaction, block: &Block) -> u128 {
    effective_gas_price(transaction, transaction.tx_type, block.header.base_fee_per_gas.unwrap_or_default())
}

/// Deposits are logs. A hash that they alone give proves that the block has no other requests, which are the output of system calls.
fn requests_check(rules: &ForkProfile, block: &Block, receipts: &[ExecutedReceipt]) -> Result<Check, Rejected> {
    let name = CheckName::RequestsHash;
    let Some(deposit_contract) = rules.requests else {
        return Ok(Check { name, outcome: Outcome::NotApplicable("the block's fork has no requests") });
    };
    let mut deposits = vec![DEPOSIT_TYPE];
    for receipt in receipts {
        collect_deposits(&receipt.logs, deposit_contract, &mut deposits)?;
    }
    let requests = if deposits.len() > 1 { vec![deposits] } else { Vec::new() };
    if block.header.requests_hash == Some(requests_hash(&requests)) {
        return Ok(Check::passed(name));
    }
    let reason = "requests other than deposits are the output of system calls, and nothing was executed";
    Ok(Check { name, outcome: Outcome::NotCheckable(reason) })
}
