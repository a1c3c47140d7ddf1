//! Encrypted keystores: Web3 Secret Storage, version 3.
//!
//! The forms of geth and Clef (`crypto`, an address), ethers (`Crypto`, an address, more of its own), MEW (either) and Foundry (no
//! address) differ in the case of names, in `0x`, and in what stands beside the encrypted key. Source:
//! <https://ethereum.org/developers/docs/data-structures-and-encoding/web3-secret-storage/>.

mod derivation;
mod document;
mod error;
mod limits;

pub use self::error::KeystoreError;

use std::{io, path::Path};

use alloy_primitives::{B256, Keccak256};
use ctr::cipher::{KeyIvInit as _, StreamCipher as _};
use refiner_atomic_file::{Durability, Existing, Terms};
use zeroize::Zeroizing;

use self::{derivation::Derivation, document::Document, limits::DERIVED_BYTES};
use super::{
    KeyError, Secret, SecretFile, hygiene,
    local::{LocalKey, random},
};

/// Bytes of the half that encrypts.
const CIPHER_KEY_BYTES: usize = 16;

type Aes128Ctr = ctr::Ctr128BE<aes::Aes128>;

/// Decrypts a keystore. Takes about a second, by its design.
pub(super) fn open(file: &SecretFile, password: &Secret) -> Result<LocalKey, KeyError> {
    let text = file.read()?;
    decrypt(text.expose(), password).map_err(|source| KeyError::Keystore { path: file.path().to_owned(), source })
}

/// Makes sure that a new keystore would replace no file.
pub(super) fn check_free(path: &Path) -> Result<(), KeyError> {
    if path.symlink_metadata().is_ok() { Err(KeyError::Exists { path: path.to_owned() }) } else { Ok(()) }
}

/// Writes a keystore of mode 0600 in geth's form. It gets its name when it was opened with the password again, and replaces no file.
pub(super) fn create(path: &Path, key: &LocalKey, password: &Secret) -> Result<(), KeyError> {
    check_free(path)?;
    let (salt, [iv, id]) = (random()?, [random()?, random()?]);
    let encrypted = encrypt(key, password, salt, iv, id);
    // A keystore that states the address is compared with the key in it.
    let text = encrypted
        .and_then(|text| decrypt(&text, password).map(|_| text))
        .map_err(|source| KeyError::Keystore { path: path.to_owned(), source })?;
    let terms = Terms { existing: Existing::Keep, durability: Durability::Name, ..Terms::PRIVATE };
    refiner_atomic_file::write(path, text.as_bytes(), &terms).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => KeyError::Exists { path: path.to_owned() },
        _ => KeyError::File { path: path.to_owned(), source: error },
    })
}

/// Reads the text of a keystore up to its decryption, for fuzzing.
pub fn read_keystore(text: &str) {
    if let Err(error) = Document::parse(text) {
        assert!(!error.to_string().is_empty());
    }
}

fn decrypt(text: &str, password: &Secret) -> Result<LocalKey, KeystoreError> {
    let Document { address, derivation, iv, ciphertext, mac } = Document::parse(text)?;
    let derived = derivation.derive(password)?;
    if authenticate(&derived, &ciphertext) != mac {
        return Err(KeystoreError::WrongPassword);
    }
    let mut key = hygiene::empty();
    key.copy_from_slice(&ciphertext);
    cipher(&derived, &iv).apply_keystream(key.as_mut_slice());
    let key = LocalKey::from_bytes(key).map_err(|_| KeystoreError::NoKey)?;
    match address {
        Some(stated) if stated != key.address() => Err(KeystoreError::Address { stated, found: key.address() }),
        _ => Ok(key),
    }
}

fn encrypt(
    key: &LocalKey,
    password: &Secret,
    salt: [u8; 32],
    iv: [u8; 16],
    id: [u8; 16],
) -> Result<String, KeystoreError> {
    let derivation = Derivation::fresh(salt);
    let derived = derivation.derive(password)?;
    let mut bytes = hygiene::empty();
    bytes.copy_from_slice(key.bytes());
    cipher(&derived, &iv).apply_keystream(bytes.as_mut_slice());
    let ciphertext = **bytes;
    let mac = authenticate(&derived, &ciphertext);
    Ok(Document { address: Some(key.address()), derivation, iv, ciphertext, mac }.text(id))
}

fn cipher(derived: &[u8; DERIVED_BYTES], iv: &[u8; 16]) -> Aes128Ctr {
    let mut key = Zeroizing::new([0; CIPHER_KEY_BYTES]);
    key.copy_from_slice(&derived[..CIPHER_KEY_BYTES]);
    Aes128Ctr::new((&*key).into(), iv.into())
}

fn authenticate(derived: &[u8; DERIVED_BYTES], ciphertext: &[u8]) -> B256 {
    let mut hasher = Keccak256::new();
    hasher.update(&derived[CIPHER_KEY_BYTES..]);
    hasher.update(ciphertext);
    hasher.finalize()
}
