//! Identity of a rule, as far as its results depend on it.

use alloy_primitives::B256;
use refiner_evm::ExecutionTerms;
use refiner_manifest::{Capability as Requested, Manifest};
use sha2::{Digest, Sha256};

use crate::{Limits, Params, engine};

/// The identity of a rule: two runs of one identity over one specimen give the same verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RuleIdentity {
    /// sha256 of the component.
    pub component: B256,
    /// Digest of the parameters, [`crate::Params::digest`].
    pub params: B256,
    /// Digest of the limits, [`crate::Limits::digest`].
    pub limits: B256,
    /// Id of the engine profile, [`crate::engine::id_for`].
    pub profile: B256,
    /// [`refiner_evm::ExecutionTerms::digest`] of a rule that executes blocks, and
    /// [`refiner_evm::ExecutionTerms::digest_without_execution`] of one that does not.
    pub execution: B256,
}

impl RuleIdentity {
    /// Everything that verdicts of a component with this manifest depend on beside the specimen.
    pub fn of(component: B256, manifest: &Manifest, params: &Params, limits: &Limits, terms: &ExecutionTerms) -> Self {
        Self {
            component,
            params: params.digest(),
            limits: B256::from(limits.digest(manifest)),
            profile: engine::id_for(manifest),
            execution: execution_digest(manifest, terms),
        }
    }

    /// sha256 over the 160 bytes of the fields, in their order.
    pub fn digest(&self) -> B256 {
        let mut hash = Sha256::new();
        for part in [self.component, self.params, self.limits, self.profile, self.execution] {
            hash.update(part);
        }
        B256::from(<[u8; 32]>::from(hash.finalize()))
    }
}

/// The part of a rule's identity that names the host's own work for it.
fn execution_digest(manifest: &Manifest, terms: &ExecutionTerms) -> B256 {
    let asks = |capability| manifest.capabilities.contains(&capability);
    if asks(Requested::WhatIf) {
        terms.digest_with_other_conditions()
    } else if asks(Requested::Traces) || asks(Requested::StateChanges) || asks(Requested::GasProfile) {
        terms.digest_with_recordings()
    } else if asks(Requested::Evm) {
        terms.digest()
    } else {
        terms.digest_without_execution()
    }
}
