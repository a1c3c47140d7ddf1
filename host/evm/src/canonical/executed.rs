//! Canonical results that rest on the block's execution.

use alloy_primitives::B256;
use refiner_specimen::{
    Block, Specimen,
    check::{Check, CheckName, Outcome},
};
use revm::primitives::hardfork::SpecId;

use super::{Canonical, assemble};
use crate::{
    code::CodeCache,
    code_use::CodeUse,
    diagnosis,
    error::{ExecuteError, Rejected, Unsupported},
    execution::{ExecutedReceipt, Execution},
    fork_profile::{ForkProfile, MissingCode},
    gate::{self, Admission, SenderTerms},
    header_checks::{header_checks, producer_check, without_recorded_states},
    meter::{Budget, ExpectedGas},
    outcome::{PostState, TransactionOutcome},
    receipts::{Commitments, commit},
    recording::{RecordingTerms, Recordings},
    repair::{self, Repaired, Supplied},
    runner::Job,
    transaction::Supplement,
    what_if::{Known, WhatIfBasis},
};

/// Gas beyond the header's that is still executed, so that the error states the exact gas of an ordinary block.
const EXACT_GAS: u64 = 1 << 24;

/// A block that was admitted, and the terms of its execution.
#[derive(Clone, Copy)]
pub(super) struct AdmittedBlock<'a> {
    pub(super) specimen: &'a Specimen,
    pub(super) rules: &'a ForkProfile,
    pub(super) admission: &'a Admission,
    pub(super) codes: &'a CodeCache,
    pub(super) senders: SenderTerms,
    pub(super) budget: &'a Budget<'a>,
}

/// Executes the block as its chain did.
pub(super) fn result(
    admitted: AdmittedBlock<'_>,
    recording: Option<RecordingTerms>,
) -> Result<Execution, ExecuteError> {
    executed_block(admitted, recording).map(|(execution, _)| execution)
}

/// Executes the block as its chain did, to be executed under other conditions afterwards.
pub(super) fn basis(admitted: AdmittedBlock<'_>) -> Result<WhatIfBasis, ExecuteError> {
    let (execution, Shown { supplement, post_state, missing_code }) = executed_block(admitted, None)?;
    let rules = ForkProfile { missing_code, ..admitted.rules.clone() };
    let hashes = admitted.specimen.known_hashes(admitted.admission.transaction_hashes.clone());
    Ok(WhatIfBasis { execution, rules, supplement, known: Known::after(&post_state), hashes })
}

/// Findings of an execution beside its outcome.
struct Shown {
    supplement: Supplement,
    post_state: PostState,
    /// Stand-ins for code that the specimen lacks.
    missing_code: MissingCode,
}

fn executed_block(
    admitted: AdmittedBlock<'_>,
    recording: Option<RecordingTerms>,
) -> Result<(Execution, Shown), ExecuteError> {
    let AdmittedBlock { specimen, rules, admission, codes, senders, budget } = admitted;
    let block = &specimen.block;
    let hashes = specimen.known_hashes(admission.transaction_hashes.clone());
    let none = Supplement::default();
    let expected = Some(ExpectedGas { stated: block.header.gas_used, slack: EXACT_GAS });
    let job =
        Job { block, rules, hashes: &hashes, supplement: &none, codes, budget, expected, recording, hypothesis: None };
    let agreed = match agree(&job, specimen) {
        Err(error) if size_decides(&error) && rules.spec.is_enabled_in(SpecId::PRAGUE) => {
            let delegated = ForkProfile { missing_code: MissingCode::DelegationStub, ..rules.clone() };
            agree(&Job { rules: &delegated, ..job }, specimen).or(Err(error))
        }
        agreed => agreed,
    };
    let Agreed { gas_used, receipts, commitments, executed, supplied, recordings, shown } =
        agreed.map_err(|error| excused_by_rounding(specimen, error))?;

    let producer = producer_check(&block.receipts, &receipts);
    let recorded = recorded_receipts(specimen, &hashes, &producer);
    if recorded.failed() {
        return Err(Rejected::CheckFailed(recorded).into());
    }
    let mut checks = admission.checks.clone();
    checks.extend([recorded, code_hashes(block), Check::passed(CheckName::Execution)]);
    checks.extend(executed);
    checks.push(producer);
    let canonical = Canonical::new(rules, commitments.blooms);
    let execution = assemble(gas_used, receipts, checks, canonical, senders);
    Ok((execution.with_supplied(supplied).with_recordings(recordings), shown))
}

/// An execution that agrees with the header.
struct Agreed {
    gas_used: u64,
    receipts: Vec<ExecutedReceipt>,
    commitments: Commitments,
    /// The checks against the header.
    executed: Vec<Check>,
    supplied: Vec<Supplied>,
    recordings: Option<Recordings>,
    shown: Shown,
}

fn agree(job: &Job<'_>, specimen: &Specimen) -> Result<Agreed, ExecuteError> {
    let Job { block, rules, .. } = *job;
    let Repaired { outcome, supplement, supplied, commitments } =
        repair::execute(job, specimen.layout).map_err(|error| told_by_recorded_receipts(specimen, error))?;
    let (recordings, post_state) = (outcome.recordings, outcome.post_state);
    let receipts: Vec<ExecutedReceipt> = outcome.transactions.into_iter().filter_map(executed).collect();
    let commitments = commitments.unwrap_or_else(|| commit(&receipts));
    let mut executed = header_checks(block, outcome.gas_used, &commitments, outcome.requests.as_deref());
    if rules.receipts_hold_states && receipts.iter().any(|receipt| receipt.post_state.is_none()) {
        without_recorded_states(&mut executed);
    }
    if let Some(failed) = executed.iter().find(|check| check.failed()) {
        let job = Job { supplement: &supplement, ..*job };
        return Err(diagnosis::explain(&job, Rejected::HeaderMismatch(failed.clone())));
    }
    let shown = Shown { supplement, post_state, missing_code: rules.missing_code };
    Ok(Agreed { gas_used: outcome.gas_used, receipts, commitments, executed, supplied, recordings, shown })
}

/// True when the block asks for no more of missing code than its size, and disagrees with the header by that of the stub.
fn size_decides(error: &ExecuteError) -> bool {
    matches!(error, ExecuteError::Rejected(Rejected::CodeMissing(missing)) if missing.asked == CodeUse::Size)
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
