//! The gate before execution: every check of a block against itself that needs no execution.
//!
//! **Inputs** a decoded specimen and, where it is known, the fork schedule of its chain. **Outputs** one named check for each
//! claim of the specimen. **Invariants** a check whose inputs the layout dropped is not checkable and fails no run.

mod header_rules;
mod recorded;
mod recovery;
mod senders;

pub(crate) use self::recorded::{RecordedReceipts, as_executed, repeated_fields};
pub use self::{
    recorded::recorded_receipts,
    senders::{SenderTerms, senders, senders_within},
};

use alloy_primitives::B256;
use refiner_specimen::{
    Envelopes, Specimen, UnknownTransactionType,
    check::{self, Check, CheckName, Outcome},
};

use self::header_rules::header_rules;
use crate::chain::ChainSpec;

/// Every check that needs no execution, but for [`senders`] and code hashes, in the order in which they are printed.
///
/// Recorded receipts are among them: a rule that executes its block need not make this check, for execution does.
///
/// `chain` is `None` where the schedule of the specimen's chain is not known; what rests on it is then not checkable.
pub fn checks(specimen: &Specimen, chain: Option<&ChainSpec>) -> Vec<Check> {
    let Admission { mut checks, transaction_hashes } = Admission::of(specimen, chain);
    checks.push(RecordedReceipts::of(specimen, &transaction_hashes).check);
    checks
}

/// The checks of [`checks`] but for recorded receipts, and what was computed on the way.
pub(crate) struct Admission {
    pub(crate) checks: Vec<Check>,
    /// One a transaction; empty when a transaction's type is not known.
    pub(crate) transaction_hashes: Vec<B256>,
}

impl Admission {
    pub(crate) fn of(specimen: &Specimen, chain: Option<&ChainSpec>) -> Self {
        Self::with_rows(specimen, chain, check::state_rows(specimen))
    }

    /// The same for a result that no row of state can change.
    pub(crate) fn without_state(specimen: &Specimen, chain: Option<&ChainSpec>) -> Self {
        let outcome = Outcome::NotApplicable("the result rests on the recorded receipts; no state is used");
        Self::with_rows(specimen, chain, Check { name: CheckName::StateRows, outcome })
    }

    fn with_rows(specimen: &Specimen, chain: Option<&ChainSpec>, state_rows: Check) -> Self {
        let envelopes = Envelopes::of(&specimen.block.transactions);
        let transactions_root = match &envelopes {
            Ok(envelopes) => check::transactions_root_of(specimen, envelopes),
            Err(UnknownTransactionType(_)) => check::transactions_root(specimen),
        };
        let envelopes = envelopes.unwrap_or_default();
        let checks = vec![
            check::segment(specimen),
            check::block_hash(specimen),
            header_rules(specimen, chain, &envelopes),
            check::ommers_hash(specimen),
            transactions_root,
            check::transaction_fields(specimen),
            check::chain_id(specimen),
            check::withdrawals_root(specimen),
            state_rows,
        ];
        Self { checks, transaction_hashes: envelopes.hashes() }
    }

    /// The first check that failed.
    pub(crate) fn failed(&self) -> Option<&Check> {
        self.checks.iter().find(|check| check.failed())
    }
}
