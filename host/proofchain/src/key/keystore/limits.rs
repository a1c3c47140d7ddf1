//! Sizes and limits of keystores.

/// Half of the derived bytes encrypts, the other half authenticates.
pub(super) const DERIVED_BYTES: usize = 32;
/// Most memory that scrypt may take: four times that of geth's own keystores, which have n = 2^18, r = 8, p = 1.
pub(super) const SCRYPT_MEMORY_BYTES_MAX: u64 = 4 * 128 * 8 * ((1 << 18) + 1);
/// Most block mixes of scrypt: sixteen times those of geth's own keystores, some ten seconds.
pub(super) const SCRYPT_WORK_MAX: u64 = 1 << 25;
/// Most rounds of PBKDF2, some ten seconds.
pub(super) const PBKDF2_ROUNDS_MAX: u32 = 10_000_000;
