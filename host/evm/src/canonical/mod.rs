//! Canonical block results: what the chain really did, checked against the block's own header.

mod document;
mod header;
mod json;

use alloy_primitives::B256;
use refiner_specimen::{Block, Specimen, transaction_hashes};

use self::document::Document;
use crate::{
    chain::ChainSpec,
    code::CodeCache,
    diagnosis,
    error::{ExecuteError, Rejected, Unsupported},
    execution::{ExecutedReceipt, Execution},
    format::ResultFormat,
    header_checks::{header_checks, producer_check},
    outcome::TransactionOutcome,
    policy::ExecutionPolicy,
    receipts::commit,
    repair::{self, Repaired},
    rules::BlockRules,
    runner::Job,
    transaction::{Supplement, admit, lacks_blob_hashes},
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

    let none = Supplement::default();
    let job = Job { block, rules: &rules, hashes: &hashes, supplement: &none, codes, policy };
    let Repaired { outcome, supplement, supplied } = repair::execute(&job, specimen.layout)?;
    let job = Job { supplement: &supplement, ..job };
    let receipts: Vec<ExecutedReceipt> = outcome.transactions.into_iter().filter_map(executed).collect();
    let commitments = commit(&receipts);
    let mut checks = header_checks(block, outcome.gas_used, &commitments, outcome.requests.as_deref());
    if let Some(failed) = checks.iter().find(|check| check.failed()) {
        return Err(diagnosis::explain(&job, Rejected::HeaderMismatch(failed.clone())));
    }
    checks.push(producer_check(&block.receipts, &receipts));

    let document =
        Document { specimen, rules: &rules, receipts: &receipts, blooms: &commitments.blooms, checks: &checks };
    let block_result = document.write().into();
    Ok(Execution { gas_used: outcome.gas_used, receipts, checks, supplied, block_result })
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
