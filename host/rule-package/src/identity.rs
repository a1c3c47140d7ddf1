//! The identity of a rule under its terms.

use alloy_primitives::B256;
use refiner_evm::ExecutionTerms;
use refiner_manifest::Manifest;
use refiner_sandbox::{Allocation, EngineProfile, Limits, Params, RuleIdentity, execution_digest};

/// What a rule's verdicts depend on beside the specimen, without running it.
pub fn identity(
    component: B256,
    manifest: &Manifest,
    params: &Params,
    limits: &Limits,
    terms: &ExecutionTerms,
) -> RuleIdentity {
    let profile = EngineProfile::with_allocation(Allocation::OnDemand);
    RuleIdentity {
        component,
        params: params.digest(),
        limits: B256::from(limits.digest(manifest)),
        profile: if manifest.wasi.is_some() { profile.id_with_wasi() } else { profile.id() },
        execution: execution_digest(manifest, terms),
    }
}
