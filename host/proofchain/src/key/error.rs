//! Errors of keys and signatures.

use std::{io, path::PathBuf};

use alloy_primitives::Address;
use refiner_diagnostics::{Diagnostic, ExitCode, Hint};

use super::KeystoreError;
use crate::rpc::RpcError;

/// Reasons for which there is no key. No variant holds a part of it.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A file cannot be read.
    #[error("{path}: {source}")]
    File {
        /// Path of the file.
        path: PathBuf,
        /// Error of the operating system.
        source: io::Error,
    },
    /// Another number of digits.
    #[error("a key of {digits} digits instead of 64")]
    Length {
        /// The number of digits.
        digits: usize,
    },
    /// Something else than hex digits.
    #[error("a key with something else than hex digits")]
    NotHex,
    /// Zero, or above the order of the curve.
    #[error("a number that is no secp256k1 key")]
    OutOfRange,
    /// A file that others may read or write.
    #[error("{path}: open to others (mode {mode:o}), expected mode 600")]
    Permissions {
        /// Path of the file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A keystore without a key that can be used.
    #[error("{path}: {source}")]
    Keystore {
        /// Path of the file.
        path: PathBuf,
        /// The reason.
        source: KeystoreError,
    },
    /// A file where a new one was to be written.
    #[error("{path}: exists already, and no key is overwritten")]
    Exists {
        /// Path of the file.
        path: PathBuf,
    },
    /// The system has no random bytes.
    #[error("the system gives no random bytes")]
    Randomness,
    /// The Web3Signer could not be asked.
    #[error(transparent)]
    Signer(#[from] RpcError),
    /// The Web3Signer has not the key.
    #[error("the Web3Signer has not the key of {wanted}; it has {held} keys")]
    NotHeld {
        /// The address that was wanted.
        wanted: Address,
        /// The number of keys that it has.
        held: usize,
    },
    /// The Web3Signer has several keys, or none, and none was named.
    #[error("the Web3Signer has {held} keys; name the operator's address")]
    Ambiguous {
        /// The number of keys that it has.
        held: usize,
    },
}

impl Diagnostic for KeyError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }

    fn hint(&self) -> Option<Hint> {
        match self {
            Self::Permissions { path, .. } => {
                Some(format!("chmod 600 {}, or permit it with --insecure-key-permissions", path.display()).into())
            }
            Self::Keystore { source: KeystoreError::Version { .. }, .. } => {
                Some("write it anew with the program that made it, such as `geth account update`".into())
            }
            Self::Keystore {
                source: KeystoreError::ScryptInvalid { .. } | KeystoreError::ScryptCost { .. }, ..
            } => Some("export the key with the program that made the keystore, then `refiner key import`".into()),
            Self::Exists { .. } => Some("name another file".into()),
            Self::File { .. }
            | Self::Length { .. }
            | Self::NotHex
            | Self::OutOfRange
            | Self::Keystore { .. }
            | Self::Randomness => None,
            Self::Signer(_) => Some("start the Web3Signer, or compare --signer with its address".into()),
            Self::NotHeld { .. } => {
                Some("load the operator's key into the Web3Signer, or name another by --operator".into())
            }
            Self::Ambiguous { held: 0 } => Some("load the operator's key into the Web3Signer".into()),
            Self::Ambiguous { .. } => Some("name the operator's address by --operator".into()),
        }
    }
}

/// Reasons for which there is no signature.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The Web3Signer could not be asked, or refused.
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// The key is none.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The Web3Signer answered something else.
    #[error("the Web3Signer answered something that is no transaction")]
    NotTransaction,
    /// The Web3Signer signed another transaction.
    #[error("the Web3Signer signed another transaction than it was asked to")]
    Altered,
    /// The Web3Signer signed with another key.
    #[error("signed by {found:?} instead of {expected}")]
    AnotherKey {
        /// Whose signature was wanted.
        expected: Address,
        /// Whose it is, if it is one.
        found: Option<Address>,
    },
}
