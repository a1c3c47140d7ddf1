//! What a rule is, as far as its results depend on it.

use alloy_primitives::B256;
use refiner_evm::ExecutedBy;
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
    /// [`ExecutedBy::digest`], of a rule that executes blocks.
    pub executor: Option<B256>,
}

impl RuleIdentity {
    /// The same, but that blocks are executed by this; a rule that executes none does not care.
    #[must_use]
    pub fn executed_by(self, executor: ExecutedBy) -> Self {
        Self { executor: self.executor.map(|_| executor.digest()), ..self }
    }

    /// sha256 over them, in the order of the fields: 128 bytes, or 160 with an executor.
    pub fn digest(&self) -> B256 {
        let mut hash = Sha256::new();
        for part in [self.component, self.params, self.limits, self.profile].into_iter().chain(self.executor) {
            hash.update(part);
        }
        B256::from(<[u8; 32]>::from(hash.finalize()))
    }
}
