//! What a rule is, as far as its results depend on it.

use alloy_primitives::B256;
use sha2::{Digest, Sha256};

/// What a rule is: two runs of one identity over one specimen give the same verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RuleIdentity {
    /// sha256 of the component.
    pub component: B256,
    /// [`crate::Params::digest`].
    pub params: B256,
    /// [`crate::Limits::digest`].
    pub limits: B256,
    /// [`crate::EngineProfile::id`].
    pub profile: B256,
}

impl RuleIdentity {
    /// sha256 over the four, in the order of the fields, 128 bytes.
    pub fn digest(&self) -> B256 {
        let mut hash = Sha256::new();
        for part in [self.component, self.params, self.limits, self.profile] {
            hash.update(part);
        }
        B256::from(<[u8; 32]>::from(hash.finalize()))
    }
}
