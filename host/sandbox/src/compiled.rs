//! Compiled code as bytes: made in one process, run in another.

use std::hash::{Hash, Hasher};

use alloy_primitives::B256;
use sha2::{Digest, Sha256};
use wasmtime::{Engine, component::Component};

/// Loads what [`crate::Sandbox::compile`] made: the only `unsafe` of the workspace.
///
/// The engine checks its own version and settings and believes the rest. A flipped byte becomes machine code, so callers
/// hold the bytes to a hash taken when they were made, and load them only in a process that has nothing to lose.
#[allow(unsafe_code, reason = "wasmtime has no safe way to load compiled code; the invariant is in ARCHITECTURE.md")]
pub(crate) fn load(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: the bytes are the whole output of `Engine::precompile_component` of this release under these settings. The
    // worker pool and the cache of compiled code check sha256 over them, and the engine checks release and settings.
    unsafe { Component::deserialize(engine, code) }
}

/// A component of one module of one function that does nothing.
const SMALLEST: &[u8] =
    b"\0asm\x0d\0\x01\0\x01\x18\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x0a\x04\x01\x02\0\x0b";

/// Compiles [`SMALLEST`], which starts the compiler's threads.
pub(crate) fn start_compiler(engine: &Engine) -> wasmtime::Result<()> {
    engine.precompile_component(SMALLEST).map(drop)
}

/// sha256 of everything the engine's code depends on: release of wasmtime, target, settings, features of the processor.
pub(crate) fn compatibility(engine: &Engine) -> B256 {
    let mut hasher = Sha256Hasher(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut hasher);
    B256::from(<[u8; 32]>::from(hasher.0.finalize()))
}

/// The standard hashers may change between releases; a name on disk must not.
struct Sha256Hasher(Sha256);

impl Hasher for Sha256Hasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The first eight bytes of the hash so far. It is unused: [`compatibility`] takes all of it.
    fn finish(&self) -> u64 {
        let digest: [u8; 32] = self.0.clone().finalize().into();
        digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
    }
}
