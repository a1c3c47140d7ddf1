//! The hash by which the network announces a specimen, worked out only for who asks.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use alloy_primitives::{B256, Bytes};

/// sha256 of the quoted base64 of a specimen's bytes. Clones share what was worked out.
///
/// On a processor without SHA instructions this hash costs as much as the rest of a run, and few rules ask for it.
#[derive(Clone)]
pub struct SpecimenHash {
    /// Empty when the hash was known from the start.
    raw: Bytes,
    /// A lock because the rules that share a specimen may run on several threads.
    hash: Arc<OnceLock<B256>>,
}

impl SpecimenHash {
    /// The hash of these bytes, computed when it is first needed.
    pub fn of(raw: Bytes) -> Self {
        Self { raw, hash: Arc::default() }
    }

    /// The hash, worked out now if it was not before.
    pub fn get(&self) -> B256 {
        *self.hash.get_or_init(|| refiner_specimen::specimen_hash(&self.raw))
    }

    /// The hash, if it is known without work.
    pub fn if_known(&self) -> Option<B256> {
        self.hash.get().copied()
    }
}

impl From<B256> for SpecimenHash {
    fn from(hash: B256) -> Self {
        Self { raw: Bytes::new(), hash: Arc::new(OnceLock::from(hash)) }
    }
}

impl fmt::Debug for SpecimenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SpecimenHash").field(&self.if_known()).finish()
    }
}
