//! A key in our own memory.

use std::{fmt, path::Path};

use super::{
    KeyError, Secret, SecretFile,
    hygiene::{self, KeyBytes, with_clean_stack},
    keystore,
};
use alloy_primitives::{Address, B256, Signature, U256, keccak256};
use ring::rand::{SecureRandom as _, SystemRandom};
use secp256k1::{
    Message, PublicKey, Secp256k1, SecretKey,
    ecdsa::{RecoverableSignature, RecoveryId},
};

/// Digits of a key in hex.
const KEY_DIGITS: usize = 64;

/// A secp256k1 key in memory. `Debug` shows the address alone.
pub struct LocalKey {
    bytes: KeyBytes,
    address: Address,
}

impl LocalKey {
    /// Reads 64 hex digits, upper or lower case, with or without `0x`, spaces around them ignored.
    ///
    /// # Errors
    ///
    /// [`KeyError`]
    pub fn parse(text: &Secret) -> Result<Self, KeyError> {
        let digits = bare(text.expose());
        if digits.chars().count() != KEY_DIGITS {
            return Err(KeyError::Length { digits: digits.chars().count() });
        }
        let mut bytes = hygiene::empty();
        // The error would name the digit, and that is one too many of a secret.
        let decoded = with_clean_stack(|| alloy_primitives::hex::decode_to_slice(digits, bytes.as_mut_slice()));
        decoded.map_err(|_| KeyError::NotHex)?;
        Self::from_bytes(bytes)
    }

    /// True for a text in the form of a key, whatever it was meant to be: 64 hex digits, with or without `0x`.
    pub fn has_form(text: &str) -> bool {
        let digits = bare(text);
        digits.len() == KEY_DIGITS && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
    }

    /// A new key.
    ///
    /// # Errors
    ///
    /// [`KeyError::Randomness`]
    pub fn generate() -> Result<Self, KeyError> {
        loop {
            let mut bytes = hygiene::empty();
            fill(bytes.as_mut_slice())?;
            // One number in 2^128 is no key.
            match Self::from_bytes(bytes) {
                Err(KeyError::OutOfRange) => {}
                made => return made,
            }
        }
    }

    /// Reads a file of 64 hex digits.
    ///
    /// # Errors
    ///
    /// [`KeyError`]
    pub fn from_file(file: &SecretFile) -> Result<Self, KeyError> {
        Self::parse(&file.read()?)
    }

    /// Decrypts a keystore. Takes about a second, by its design.
    ///
    /// # Errors
    ///
    /// [`KeyError`]
    pub fn from_keystore(file: &SecretFile, password: &Secret) -> Result<Self, KeyError> {
        with_clean_stack(|| keystore::open(file, password))
    }

    /// Makes sure that [`write_keystore`](Self::write_keystore) would replace no file.
    ///
    /// # Errors
    ///
    /// [`KeyError::Exists`]
    pub fn check_free(path: &Path) -> Result<(), KeyError> {
        keystore::check_free(path)
    }

    /// Writes the key into a new keystore of mode 0600, which gets its name when it was opened again. No file is replaced.
    ///
    /// # Errors
    ///
    /// [`KeyError::Exists`], and [`KeyError::File`] for what the system refuses.
    pub fn write_keystore(&self, path: &Path, password: &Secret) -> Result<(), KeyError> {
        with_clean_stack(|| keystore::create(path, self, password))
    }

    /// Takes the 32 bytes of a key.
    pub(super) fn from_bytes(bytes: KeyBytes) -> Result<Self, KeyError> {
        let public = with_secret(&bytes, |secret| PublicKey::from_secret_key(&Secp256k1::signing_only(), secret))?;
        Ok(Self { bytes, address: address_of(&public) })
    }

    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// The address of the key.
    pub fn address(&self) -> Address {
        self.address
    }

    /// Signs a hash. Nonces follow RFC 6979 and s is in the lower half, as Ethereum demands.
    pub(super) fn sign(&self, hash: B256) -> Result<Signature, KeyError> {
        let message = Message::from_digest(hash.0);
        let signature =
            with_secret(&self.bytes, |secret| Secp256k1::signing_only().sign_ecdsa_recoverable(message, secret))?;
        let (id, bytes) = signature.serialize_compact();
        let (r, s) = bytes.split_at(32);
        Ok(Signature::new(U256::from_be_slice(r), U256::from_be_slice(s), i32::from(id) & 1 == 1))
    }
}

impl fmt::Debug for LocalKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalKey").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Computes with the key in the form that the library takes, of which no copy is left.
fn with_secret<T>(bytes: &KeyBytes, work: impl FnOnce(&SecretKey) -> T) -> Result<T, KeyError> {
    with_clean_stack(|| {
        let mut secret = SecretKey::from_byte_array(***bytes).map_err(|_| KeyError::OutOfRange)?;
        let done = work(&secret);
        secret.non_secure_erase();
        Ok(done)
    })
}

/// Random bytes of the system.
pub(super) fn random<const N: usize>() -> Result<[u8; N], KeyError> {
    let mut bytes = [0; N];
    fill(&mut bytes)?;
    Ok(bytes)
}

/// The digits of a key, without spaces around them and `0x`.
fn bare(text: &str) -> &str {
    let digits = text.trim();
    digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")).unwrap_or(digits)
}

fn fill(bytes: &mut [u8]) -> Result<(), KeyError> {
    SystemRandom::new().fill(bytes).map_err(|_| KeyError::Randomness)
}

/// Whose signature of `hash` this is.
pub fn recover(hash: B256, signature: &Signature) -> Option<Address> {
    let id = RecoveryId::try_from(i32::from(signature.v())).ok()?;
    let mut bytes = [0; 64];
    bytes[..32].copy_from_slice(&signature.r().to_be_bytes::<32>());
    bytes[32..].copy_from_slice(&signature.s().to_be_bytes::<32>());
    let signature = RecoverableSignature::from_compact(&bytes, id).ok()?;
    let public = Secp256k1::verification_only().recover_ecdsa(Message::from_digest(hash.0), &signature).ok()?;
    Some(address_of(&public))
}

fn address_of(public: &PublicKey) -> Address {
    Address::from_slice(&keccak256(&public.serialize_uncompressed()[1..])[12..])
}
