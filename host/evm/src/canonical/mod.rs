//! Canonical block results: what the chain really did, checked against the block's own header.

mod document;
mod header;
mod json;

use alloy_primitives::B256;
use refiner_specimen::{Block, Specimen, check::Check, transaction_hashes};

use self::document::Document;
use crate::{
    chain::ChainSpec,
    code::CodeCache,
    diagnosis,
    error::{ExecuteError, Rejected, Unsupported},
    execution::{ExecutedReceipt, Execution},
    format::ResultFormat,
    header_checks::{header_checks, producer_check, without_recorded_states},
    outcome::TransactionOutcome,
    policy::ExecutionPolicy,
    receipts::commit,
    rules::BlockRules,
    runner::{self, Job},
    transaction::{Supplement, admit, lacks_blob_hashes, without_blob_hashes},
};

/// Executes the block as its chain did and writes the canonical document.
///
/// Errors when execution disagrees with the header in any way: there is no wrong canonical result.
pub(crate) fn execute(
    specimen: &Specimen,
    chain: &ChainSpec,
    codes: &CodeCache,
    policy: ExecutionPolicy,
) -> Result<Execution, ExecuteError> {
    let block = &specimen.block;
    let rules = BlockRules::canonical(chain, block)?;
    admit(block, ResultFormat::Canonical.as_str())?;
    let hashes = hashes(block)?;

    let supplement = Supplement::dummy_blobs(block, &rules);
    let job = Job { block, rules: &rules, hashes: &hashes, supplement: &supplement, codes, policy };
    let outcome = runner::run(&job)?;
    let receipts: Vec<ExecutedReceipt> = outcome.transactions.into_iter().filter_map(executed).collect();
    let commitments = commit(&receipts);
    let mut checks = header_checks(block, outcome.gas_used, &commitments, outcome.requests.as_deref());
    if rules.receipts_hold_states && receipts.iter().any(|receipt| receipt.post_state.is_none()) {
        without_recorded_states(&mut checks);
    }
    if let Some(failed) = checks.iter().find(|check| check.failed()) {
        return Err(disagreement(specimen, &job, failed));
    }
    checks.push(producer_check(&block.receipts, &receipts));

    let document =
        Document { specimen, rules: &rules, receipts: &receipts, blooms: &commitments.blooms, checks: &checks };
    let block_result = document.write().into();
    Ok(Execution { gas_used: outcome.gas_used, receipts, checks, block_result })
}

/// The hash of each transaction. One whose blob hashes the layout dropped has the producer's, where there is one.
fn hashes(block: &Block) -> Result<Vec<B256>, ExecuteError> {
    let mut hashes = transaction_hashes(block).map_err(|unknown| {
        let transaction = block.transactions.iter().position(|transaction| transaction.tx_type == unknown.0);
        Unsupported::TransactionType {
            transaction: transaction.unwrap_or_default(),
            tx_type: unknown.0,
            format: ResultFormat::Canonical.as_str(),
        }
    })?;
    for ((hash, transaction), producer) in hashes.iter_mut().zip(&block.transactions).zip(&block.receipts) {
        if lacks_blob_hashes(transaction) && !producer.tx_hash.is_zero() {
            *hash = producer.tx_hash;
        }
    }
    Ok(hashes)
}

fn executed(outcome: TransactionOutcome) -> Option<ExecutedReceipt> {
    match outcome {
        TransactionOutcome::Executed(receipt) => Some(receipt),
        TransactionOutcome::Invalid(_) => None,
    }
}

/// Why execution disagrees with the header: what the layout dropped, what the specimen lacks, or else the header.
fn disagreement(specimen: &Specimen, job: &Job<'_>, failed: &Check) -> ExecuteError {
    if let Some(unsupported) = without_blob_hashes(&specimen.block, specimen.layout) {
        return unsupported.into();
    }
    match diagnosis::missing_code(job) {
        Some(hash) => Rejected::CodeMissing { hash }.into(),
        None => Rejected::HeaderMismatch(failed.clone()).into(),
    }
}
