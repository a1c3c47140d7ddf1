//! Landlock: no file, no TCP, no signals to others, whatever the system calls.

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetError, RulesetStatus, Scope,
};
use refiner_worker::Outcome;

/// The newest version whose every right was looked at. An older kernel enforces what it knows.
const NEWEST: ABI = ABI::V7;

/// Denies every right and makes no exception. For the calling thread and those it starts.
pub(super) fn deny_everything() -> Outcome {
    match restrict() {
        Ok(RulesetStatus::FullyEnforced) => Outcome::applied("no file, no TCP, no signal"),
        Ok(RulesetStatus::PartiallyEnforced) => Outcome::applied("as far as this kernel knows it"),
        Ok(_) => Outcome::unavailable(&"this kernel has none"),
        Err(error) => Outcome::unavailable(&error),
    }
}

fn restrict() -> Result<RulesetStatus, RulesetError> {
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(AccessNet::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?
        .create()?
        .restrict_self()?;
    Ok(status.ruleset)
}
