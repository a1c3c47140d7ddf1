//! The block under other conditions: a hypothetical execution, which no header confirms.
//!
//! **Inputs**: a specimen, the knowledge that its own execution leaves ([`WhatIfBasis`]), [`Overrides`]. **Outputs**: a
//! [`WhatIf`], or the place at which the block left what is known. **Invariants**: nothing is taken for zero that neither the
//! specimen nor the block's own execution nor an override shows; a result has no document.

mod apply;
mod departure;
mod known;
mod missing_code;
mod overrides;

use std::sync::Arc;

use alloy_primitives::{B256, Bytes};
use refiner_specimen::{
    Specimen,
    check::{Check, Outcome as CheckOutcome},
};

use self::apply::Conditions;
pub use self::{
    departure::{Departure, StateItem},
    overrides::{AccountOverride, InvalidOverrides, Overrides},
};
pub(crate) use self::{
    known::{Hypothesis, Known},
    missing_code::watch,
};
use crate::{
    code::CodeCache,
    error::{ExecuteError, Rejected},
    execution::{ExecutedReceipt, Execution},
    fork_profile::ForkProfile,
    meter::Budget,
    outcome::{Outcome, TransactionOutcome},
    recording::RecordingTerms,
    runner::{self, Job},
    transaction::Supplement,
};

/// Goes up when the same overrides can give another outcome than before.
pub const WHAT_IF_REVISION: u32 = 1;

/// Everything that hypothetical executions of a block rest on: its own execution, and what that showed of the state.
#[derive(Clone, Debug)]
pub struct WhatIfBasis {
    /// The block's own execution, with the checks that it passed.
    pub execution: Execution,
    pub(crate) rules: ForkProfile,
    pub(crate) supplement: Supplement,
    pub(crate) known: Known,
    pub(crate) hashes: Vec<B256>,
}

/// A hypothetical execution.
#[derive(Clone, Debug)]
pub struct WhatIf {
    /// Its outcome: no check applies to it, and its document is empty.
    pub execution: Execution,
    /// Transactions that cannot be included, in the order of execution.
    pub excluded: Vec<Exclusion>,
}

/// A transaction that cannot be included under the conditions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exclusion {
    /// Its position in the block.
    pub transaction_index: u32,
    /// The EVM's own reason.
    pub reason: String,
}

/// Obstacles to a hypothetical execution.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WhatIfError {
    /// The block needs what is not known.
    #[error("left the specimen: {0}")]
    LeftSpecimen(Departure),
    /// The overrides cannot be applied to this block.
    #[error(transparent)]
    Invalid(#[from] InvalidOverrides),
    /// The block has no execution under these conditions.
    #[error("under these conditions there is no block: {0}")]
    NoBlock(Rejected),
    /// The block itself cannot be executed.
    #[error(transparent)]
    Unexecuted(#[from] ExecuteError),
    /// Only the embedded executor executes under other conditions.
    #[error("the executor of these terms executes the block as it is, and under no other conditions")]
    Executor,
}

/// Executes the block under these conditions.
pub(crate) fn execute(
    specimen: &Specimen,
    basis: &WhatIfBasis,
    overrides: &Overrides,
    codes: &CodeCache,
    budget: &Budget<'_>,
    recording: Option<RecordingTerms>,
) -> Result<WhatIf, WhatIfError> {
    let Conditions { block, rules, hashes, supplement, indices, known, codes: overridden } =
        Conditions::of(&specimen.block, basis, overrides)?;
    let hypothesis = Hypothesis { known: Arc::new(known), codes: overridden };
    let job = Job {
        block: &block,
        rules: &rules,
        hashes: &hashes,
        supplement: &supplement,
        codes,
        budget,
        expected: None,
        recording,
        hypothesis: Some(&hypothesis),
    };
    let outcome = runner::run(&job).map_err(|error| of_execution(error, &indices))?;
    Ok(hypothetical(outcome, &basis.execution, &indices))
}

/// The error of a run, in the positions of the block.
fn of_execution(error: ExecuteError, indices: &[u32]) -> WhatIfError {
    match error {
        ExecuteError::Rejected(Rejected::LeftSpecimen(Departure { transaction, place })) => {
            let original = |position: u32| indices.get(position as usize).copied();
            WhatIfError::LeftSpecimen(Departure { transaction: transaction.and_then(original), place })
        }
        ExecuteError::Rejected(rejected) => WhatIfError::NoBlock(rejected),
        ExecuteError::Unsupported(unsupported) => WhatIfError::Unexecuted(unsupported.into()),
    }
}

fn hypothetical(outcome: Outcome, canonical: &Execution, indices: &[u32]) -> WhatIf {
    let (mut receipts, mut excluded) = (Vec::<ExecutedReceipt>::new(), Vec::new());
    for (outcome, index) in outcome.transactions.into_iter().zip(indices) {
        match outcome {
            TransactionOutcome::Executed(receipt) => {
                receipts.push(ExecutedReceipt { transaction_index: *index, ..receipt });
            }
            TransactionOutcome::Invalid(reason) => {
                excluded.push(Exclusion { transaction_index: *index, reason: reason.to_string() });
            }
        }
    }
    let unconfirmed = |check: &Check| Check {
        name: check.name,
        outcome: CheckOutcome::NotApplicable("the execution is hypothetical: no header confirms it"),
    };
    let checks = canonical.checks.iter().map(unconfirmed).collect();
    let execution = Execution::with_document(outcome.gas_used, receipts, checks, Bytes::new());
    WhatIf { execution: execution.with_recordings(outcome.recordings), excluded }
}
