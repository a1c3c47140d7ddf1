//! Canonical block results: what the chain really did, checked against the block itself.

mod document;
mod header;
mod json;
mod supplied;

use alloy_eips::eip7840::BlobParams;
use alloy_primitives::{B256, Bloom};
use refiner_specimen::{
    Block, Specimen,
    check::{Check, CheckName, Outcome},
};

use self::document::Document;
use crate::{
    chain::ChainSpec,
    code::CodeCache,
    diagnosis,
    error::{ExecuteError, Rejected, Unsupported},
    execution::{self, ExecutedReceipt, Execution, SenderGate},
    format::ResultFormat,
    gate::{self, Admission, SenderTerms},
    header_checks::{header_checks, producer_check, without_recorded_states},
    meter::{Budget, ExpectedGas},
    outcome::TransactionOutcome,
    policy::{ExecutionPolicy, SenderPolicy},
    receipts::commit,
    repair::{self, Repaired, Supplied},
    rules::BlockRules,
    runner::Job,
    transaction::{Supplement, admit},
};

/// Gas beyond the header's that is still executed, so that the error states the exact gas of an ordinary block.
const EXACT_GAS: u64 = 1 << 24;

/// Executes the block as its chain did.
///
/// Errors when the block contradicts itself, before execution or by it: there is no wrong canonical result.
pub(crate) fn execute(
    specimen: &Specimen,
    chain: &ChainSpec,
    codes: &CodeCache,
    policy: ExecutionPolicy,
    budget: &Budget<'_>,
) -> Result<Execution, ExecuteError> {
    execute_as_stated(specimen, chain, codes, policy, budget).map_err(|error| excused_by_rounding(specimen, error))
}

fn execute_as_stated(
    specimen: &Specimen,
    chain: &ChainSpec,
    codes: &CodeCache,
    policy: ExecutionPolicy,
    budget: &Budget<'_>,
) -> Result<Execution, ExecuteError> {
    let block = &specimen.block;
    let admission = Admission::of(specimen, Some(chain));
    if let Some(failed) = admission.failed() {
        return Err(Rejected::CheckFailed(failed.clone()).into());
    }
    let rules = BlockRules::canonical(chain, block)?;
    admit(block, ResultFormat::Canonical.as_str())?;
    let hashes = hashes(specimen, admission.transaction_hashes);

    let none = Supplement::default();
    let expected = Some(ExpectedGas { stated: block.header.gas_used, slack: EXACT_GAS });
    let job = Job { block, rules: &rules, hashes: &hashes, supplement: &none, codes, budget, expected };
    let Repaired { outcome, supplement, supplied, commitments } =
        repair::execute(&job, specimen.layout).map_err(|error| told_by_recorded_receipts(specimen, error))?;
    let job = Job { supplement: &supplement, ..job };
    let receipts: Vec<ExecutedReceipt> = outcome.transactions.into_iter().filter_map(executed).collect();
    let commitments = commitments.unwrap_or_else(|| commit(&receipts));
    let mut executed = header_checks(block, outcome.gas_used, &commitments, outcome.requests.as_deref());
    if rules.receipts_hold_states && receipts.iter().any(|receipt| receipt.post_state.is_none()) {
        without_recorded_states(&mut executed);
    }
    if let Some(failed) = executed.iter().find(|check| check.failed()) {
        return Err(diagnosis::explain(&job, Rejected::HeaderMismatch(failed.clone())));
    }
    let producer = producer_check(&block.receipts, &receipts);
    let recorded = recorded_receipts(specimen, &hashes, &producer);
    if recorded.failed() {
        return Err(Rejected::CheckFailed(recorded).into());
    }
    let mut checks = admission.checks;
    checks.push(recorded);
    checks.push(code_hashes(block));
    checks.extend(executed);
    checks.push(producer);

    let canonical = Canonical {
        chain_id: rules.chain_id,
        withdrawals: rules.withdrawals,
        receipts_hold_states: rules.receipts_hold_states,
        blobs: rules.blobs,
        blooms: commitments.blooms,
    };
    let document = execution::Document::Canonical(Box::new(canonical));
    let senders = SenderGate::Closed(SenderTerms::of(policy.senders, Some(chain), &block.header));
    Ok(Execution::new(outcome.gas_used, receipts, checks, document, senders).with_supplied(supplied))
}

/// All that the canonical document needs beside the specimen, its receipts and checks.
#[derive(Clone, Debug)]
pub(crate) struct Canonical {
    chain_id: u64,
    /// True when the block's fork has withdrawals.
    withdrawals: bool,
    /// True when the fork's receipts hold state roots, and no status.
    receipts_hold_states: bool,
    blobs: Option<BlobParams>,
    /// One a receipt.
    blooms: Vec<Bloom>,
}

impl Canonical {
    /// The document's bytes, and the pointers of the values in it that no check covers.
    pub(crate) fn write(
        &self,
        specimen: &Specimen,
        receipts: &[ExecutedReceipt],
        checks: &[&Check],
        supplied: &[Supplied],
        senders: SenderPolicy,
    ) -> (Vec<u8>, Vec<String>) {
        Document { specimen, canonical: self, receipts, checks, supplied, senders }.write()
    }
}

/// The hash of each transaction. One that cannot be computed is the producer's, where there is one.
fn hashes(specimen: &Specimen, mut hashes: Vec<B256>) -> Vec<B256> {
    let Block { transactions, receipts, .. } = &specimen.block;
    for ((hash, transaction), recorded) in hashes.iter_mut().zip(transactions).zip(receipts) {
        if transaction.dropped(specimen.layout).is_some() && !recorded.tx_hash.is_zero() {
            *hash = recorded.tx_hash;
        }
    }
    hashes
}

/// The check of the recorded receipts, with the work that execution has done already: receipts that equal the executed ones,
/// which gave the root, give it too.
fn recorded_receipts(specimen: &Specimen, hashes: &[B256], producer: &Check) -> Check {
    if producer.outcome != Outcome::Passed {
        return gate::recorded_receipts(specimen);
    }
    gate::repeated_fields(specimen, hashes).unwrap_or(Check::passed(CheckName::RecordedReceipts))
}

/// Recorded receipts that contradict the header tell more of a block than that a dropped field was not found by them.
fn told_by_recorded_receipts(specimen: &Specimen, error: ExecuteError) -> ExecuteError {
    let searched = match &error {
        ExecuteError::Unsupported(unsupported) => matches!(
            unsupported,
            Unsupported::AuthorizationListMissing { .. }
                | Unsupported::BlobHashesMissing { .. }
                | Unsupported::Ambiguous { .. }
        ),
        ExecuteError::Rejected(_) => false,
    };
    if searched {
        let recorded = gate::recorded_receipts(specimen);
        if recorded.failed() {
            return Rejected::CheckFailed(recorded).into();
        }
    }
    error
}

/// A disagreement that a rounded number can be the reason for is none of the block's own, unless its receipts contradict it.
fn excused_by_rounding(specimen: &Specimen, error: ExecuteError) -> ExecuteError {
    let disagrees =
        matches!(error, ExecuteError::Rejected(Rejected::HeaderMismatch(_) | Rejected::InvalidTransaction { .. }));
    let Block { transactions, state, .. } = &specimen.block;
    let values = transactions.iter().map(|transaction| transaction.value);
    let mut numbers = values.chain(state.accounts.iter().map(|account| account.balance));
    if !disagrees || !numbers.any(|number| specimen.is_rounded(number)) {
        return error;
    }
    let recorded = gate::recorded_receipts(specimen);
    if recorded.failed() {
        return Rejected::CheckFailed(recorded).into();
    }
    Unsupported::RoundedNumbers { layout: specimen.layout }.into()
}

/// Execution has verified every piece of code.
fn code_hashes(block: &Block) -> Check {
    let name = CheckName::CodeHashes;
    if block.state.codes.is_empty() {
        return Check { name, outcome: Outcome::NotApplicable("the block read no code") };
    }
    Check::passed(name)
}

fn executed(outcome: TransactionOutcome) -> Option<ExecutedReceipt> {
    match outcome {
        TransactionOutcome::Executed(receipt) => Some(receipt),
        TransactionOutcome::Invalid(_) => None,
    }
}
