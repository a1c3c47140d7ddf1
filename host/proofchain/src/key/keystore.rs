//! An encrypted keystore file (Web3 Secret Storage, version 3) and its password file.

use std::path::Path;

use eth_keystore::{EthKeystore, KdfparamsType, KeystoreError};
use zeroize::Zeroizing;

use super::{KeyError, Secret, local::LocalKey};

/// The most memory that scrypt may take: what geth's own keystores take, four times over.
const SCRYPT_LIMIT_BYTES: u64 = 1 << 30;
/// The most rounds of PBKDF2, some ten seconds.
const PBKDF2_LIMIT_ROUNDS: u32 = 10_000_000;
/// Half of a derived key encrypts, the other half authenticates.
const DERIVED_BYTES: u8 = 32;
/// Length of an initial vector.
const IV_BYTES: usize = 16;
/// Length of a key.
const KEY_BYTES: usize = 32;

/// Decrypts a keystore. Takes about a second, by its design.
pub fn open(path: &Path, password_file: &Path) -> Result<LocalKey, KeyError> {
    let file = |path: &Path| {
        let named = path.to_owned();
        Secret::from_file(path).map_err(|source| KeyError::File { path: named, source })
    };
    let (keystore, password) = (file(path)?, file(password_file)?);
    // The library trusts these figures and would panic on them.
    let stated: EthKeystore = serde_json::from_str(keystore.expose())
        .map_err(|source| KeyError::NotKeystore { path: path.to_owned(), line: source.line() })?;
    if !is_sane(&stated) {
        return Err(KeyError::KeystoreParameters { path: path.to_owned() });
    }
    let decrypted = eth_keystore::decrypt_key(path, password.expose()).map(Zeroizing::new);
    let bytes = decrypted.map_err(|error| match error {
        KeystoreError::MacMismatch => KeyError::WrongPassword { path: path.to_owned() },
        _ => KeyError::KeystoreParameters { path: path.to_owned() },
    })?;
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    if bytes.len() != KEY_BYTES {
        return Err(KeyError::KeystoreParameters { path: path.to_owned() });
    }
    key.copy_from_slice(&bytes);
    LocalKey::from_bytes(key)
}

fn is_sane(keystore: &EthKeystore) -> bool {
    let crypto = &keystore.crypto;
    let derivation = match &crypto.kdfparams {
        KdfparamsType::Pbkdf2 { c, dklen, prf, .. } => {
            *dklen >= DERIVED_BYTES && (1..=PBKDF2_LIMIT_ROUNDS).contains(c) && prf == "hmac-sha256"
        }
        KdfparamsType::Scrypt { dklen, n, p, r, .. } => {
            let bytes = u64::from(*n) * u64::from(*r) * 128;
            *dklen >= DERIVED_BYTES && n.is_power_of_two() && (1..=16).contains(p) && bytes <= SCRYPT_LIMIT_BYTES
        }
    };
    derivation
        && crypto.cipher == "aes-128-ctr"
        && crypto.cipherparams.iv.len() == IV_BYTES
        && crypto.ciphertext.len() == KEY_BYTES
}
