//! Errors of keystores.

use alloy_primitives::Address;

use super::limits::{PBKDF2_ROUNDS_MAX, SCRYPT_MEMORY_BYTES_MAX, SCRYPT_WORK_MAX};

/// Reasons for which a keystore gives no key. No variant holds a part of one.
#[derive(Debug, thiserror::Error)]
pub enum KeystoreError {
    /// Not JSON.
    #[error("not a keystore: no JSON object, line {line}")]
    NotJson {
        /// The line at which the parser stopped.
        line: usize,
    },
    /// A member that is missing or of another form.
    #[error("not a keystore of version 3: {name} is missing or malformed")]
    Field {
        /// Its name.
        name: &'static str,
    },
    /// A keystore of another version.
    #[error("a keystore of version {found}, expected version 3")]
    Version {
        /// The version that it states.
        found: u64,
    },
    /// A cipher that version 3 does not have.
    #[error("encrypted with another cipher than aes-128-ctr")]
    Cipher,
    /// A key derivation that version 3 does not have.
    #[error("the password is stretched by another function than scrypt or pbkdf2 with hmac-sha256")]
    Derivation,
    /// Scrypt parameters without a meaning.
    #[error("scrypt with n={n}, r={r}, p={p}, which RFC 7914 excludes: n is a power of two below 2^(16 r)")]
    ScryptInvalid {
        /// The cost.
        n: u64,
        /// The block size.
        r: u64,
        /// The parallelization.
        p: u64,
    },
    /// Scrypt parameters that take too much memory or time.
    #[error(
        "scrypt with n={n}, r={r}, p={p}, beyond the limits of {SCRYPT_MEMORY_BYTES_MAX} bytes (128 r (n + p)) and {SCRYPT_WORK_MAX} block mixes (n r p)"
    )]
    ScryptCost {
        /// The cost.
        n: u64,
        /// The block size.
        r: u64,
        /// The parallelization.
        p: u64,
    },
    /// PBKDF2 with no rounds, or with so many that they take too long.
    #[error("pbkdf2 with {rounds} rounds, expected 1 to {PBKDF2_ROUNDS_MAX}")]
    Rounds {
        /// The rounds that it states.
        rounds: u64,
    },
    /// Fewer derived bytes than are needed.
    #[error("{bytes} derived bytes, expected at least 32")]
    DerivedLength {
        /// The bytes that it states.
        bytes: u64,
    },
    /// Another password.
    #[error("the password is not this keystore's")]
    WrongPassword,
    /// The decrypted bytes are no key.
    #[error("the decrypted number is no secp256k1 key")]
    NoKey,
    /// The key of another address than the keystore states.
    #[error("states address {stated}, and its key is of address {found}")]
    Address {
        /// The address in the file.
        stated: Address,
        /// The address of the key.
        found: Address,
    },
}
