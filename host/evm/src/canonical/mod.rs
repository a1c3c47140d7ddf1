//! Canonical block results: what the chain did, checked against the block itself.

mod context;
mod document;
mod executed;
mod header;
mod json;
mod recorded;
mod supplied;

use refiner_specimen::{Block, Specimen, check::Check};

pub(crate) use self::context::Canonical;
use self::executed::AdmittedBlock;
use crate::{
    basis::{BasisPolicy, lacks_data},
    chain::ChainSpec,
    code::CodeCache,
    error::{ExecuteError, Rejected},
    execution::{self, ExecutedReceipt, Execution, SenderGate},
    fork_profile::ForkProfile,
    format::ResultFormat,
    gate::{Admission, SenderTerms},
    meter::Budget,
    policy::ExecutionPolicy,
    recording::RecordingTerms,
    transaction::{admit, lacks_authorizations, lacks_blob_hashes},
    what_if::WhatIfBasis,
};

/// The block's result, on a basis that the policy permits.
///
/// Errors when the block contradicts itself, before execution or by it: there is no wrong canonical result.
pub(crate) fn result(
    specimen: &Specimen,
    chain: &ChainSpec,
    codes: &CodeCache,
    policy: ExecutionPolicy,
    budget: &Budget<'_>,
    recording: Option<RecordingTerms>,
) -> Result<Execution, ExecuteError> {
    let block = &specimen.block;
    let admission = match policy.basis {
        BasisPolicy::Auto | BasisPolicy::Execution => Admission::of(specimen, Some(chain)),
        BasisPolicy::Receipts => Admission::without_state(specimen, Some(chain)),
    };
    if let Some(failed) = admission.failed() {
        return Err(Rejected::CheckFailed(failed.clone()).into());
    }
    let rules = ForkProfile::canonical(chain, block)?;
    admit(block, ResultFormat::Canonical.as_str())?;

    let senders = SenderTerms::of(policy.senders, Some(chain), &block.header);
    let admitted = AdmittedBlock { specimen, rules: &rules, admission: &admission, codes, senders, budget };
    let execute = || executed::result(admitted, recording);
    let take_receipts = |instead_of| recorded::result(specimen, &rules, &admission, senders, instead_of);
    match policy.basis {
        BasisPolicy::Execution => execute(),
        BasisPolicy::Receipts => take_receipts(None),
        BasisPolicy::Auto => match execute() {
            Err(error) if lacks_data(&error, drops_fields(block)) => take_receipts(Some(error)),
            result => result,
        },
    }
}

/// The block's own execution, and all that others under changed conditions need of it.
pub(crate) fn what_if_basis(
    specimen: &Specimen,
    chain: &ChainSpec,
    codes: &CodeCache,
    policy: ExecutionPolicy,
    budget: &Budget<'_>,
) -> Result<WhatIfBasis, ExecuteError> {
    let block = &specimen.block;
    let admission = Admission::of(specimen, Some(chain));
    if let Some(failed) = admission.failed() {
        return Err(Rejected::CheckFailed(failed.clone()).into());
    }
    let rules = ForkProfile::canonical(chain, block)?;
    admit(block, ResultFormat::Canonical.as_str())?;
    let senders = SenderTerms::of(policy.senders, Some(chain), &block.header);
    executed::basis(AdmittedBlock { specimen, rules: &rules, admission: &admission, codes, senders, budget })
}

/// The block's receipts as the specimen carries them, where they are proven and no policy asks for more.
///
/// Receipts before Byzantium hold a state root in the place of a status, so that they are not all that a receipt states.
pub(crate) fn proven_receipts(specimen: &Specimen, chain: &ChainSpec, policy: ExecutionPolicy) -> Option<Execution> {
    let block = &specimen.block;
    if policy.basis == BasisPolicy::Execution {
        return None;
    }
    let admission = Admission::without_state(specimen, Some(chain));
    let rules = ForkProfile::canonical(chain, block).ok()?;
    if admission.failed().is_some() || rules.receipts_hold_states {
        return None;
    }
    admit(block, ResultFormat::Canonical.as_str()).ok()?;
    let senders = SenderTerms::of(policy.senders, Some(chain), &block.header);
    recorded::result(specimen, &rules, &admission, senders, None).ok()
}

/// True when a transaction lacks a field that execution needs.
fn drops_fields(block: &Block) -> bool {
    block.transactions.iter().any(|transaction| lacks_authorizations(transaction) || lacks_blob_hashes(transaction))
}

/// The outcome with its canonical document, which is written when it is first asked for.
fn assemble(
    gas_used: u64,
    receipts: Vec<ExecutedReceipt>,
    checks: Vec<Check>,
    canonical: Canonical,
    senders: SenderTerms,
) -> Execution {
    let document = execution::Document::Canonical(Box::new(canonical));
    Execution::new(gas_used, receipts, checks, document, SenderGate::Closed(senders))
}
