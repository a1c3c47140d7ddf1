//! From a password to the bytes that encrypt a key.

use std::num::NonZeroU32;

use ring::pbkdf2;
use zeroize::Zeroizing;

use super::{
    error::KeystoreError,
    limits::{DERIVED_BYTES, PBKDF2_ROUNDS_MAX, SCRYPT_MEMORY_BYTES_MAX, SCRYPT_WORK_MAX},
};
use crate::key::Secret;

/// Log of the cost of our own keystores, which is that of ethers: 128 MiB and half a second.
const OWN_LOG_N: u8 = 17;
/// Block size of our own keystores.
const OWN_R: u32 = 8;

/// A function that makes guessing passwords slow, with its parameters, which are within the limits.
#[derive(Debug)]
pub(super) enum Derivation {
    Scrypt { log_n: u8, r: u32, p: u32, salt: Vec<u8> },
    Pbkdf2 { rounds: NonZeroU32, salt: Vec<u8> },
}

impl Derivation {
    /// The one of a new keystore.
    pub(super) fn fresh(salt: [u8; 32]) -> Self {
        Self::Scrypt { log_n: OWN_LOG_N, r: OWN_R, p: 1, salt: salt.into() }
    }

    /// Scrypt with parameters that a file states.
    pub(super) fn scrypt(n: u64, r: u64, p: u64, salt: Vec<u8>) -> Result<Self, KeystoreError> {
        let invalid = || KeystoreError::ScryptInvalid { n, r, p };
        let costly = || KeystoreError::ScryptCost { n, r, p };
        if !n.is_power_of_two() || n < 2 || r == 0 || p == 0 {
            return Err(invalid());
        }
        // A table of n blocks of 128 r bytes, and p blocks that are mixed with it.
        let bytes = n.checked_add(p).and_then(|blocks| blocks.checked_mul(r)?.checked_mul(128)).ok_or_else(costly)?;
        let work = n.checked_mul(r).and_then(|blocks| blocks.checked_mul(p)).ok_or_else(costly)?;
        if bytes > SCRYPT_MEMORY_BYTES_MAX || work > SCRYPT_WORK_MAX {
            return Err(costly());
        }
        // Below the limits every one of them fits.
        let (Ok(log_n), Ok(r), Ok(p)) = (u8::try_from(n.ilog2()), u32::try_from(r), u32::try_from(p)) else {
            return Err(costly());
        };
        scrypt::Params::new(log_n, r, p).map_err(|_| invalid())?;
        Ok(Self::Scrypt { log_n, r, p, salt })
    }

    /// PBKDF2 with rounds that a file states.
    pub(super) fn pbkdf2(rounds: u64, salt: Vec<u8>) -> Result<Self, KeystoreError> {
        let within = u32::try_from(rounds).ok().filter(|rounds| *rounds <= PBKDF2_ROUNDS_MAX);
        let rounds = within.and_then(NonZeroU32::new).ok_or(KeystoreError::Rounds { rounds })?;
        Ok(Self::Pbkdf2 { rounds, salt })
    }

    /// The first bytes of what is derived; those behind them depend on no other of these and are not used.
    pub(super) fn derive(&self, password: &Secret) -> Result<Zeroizing<[u8; DERIVED_BYTES]>, KeystoreError> {
        let password = password.expose().as_bytes();
        let mut derived = Zeroizing::new([0; DERIVED_BYTES]);
        match self {
            Self::Scrypt { log_n, r, p, salt } => {
                let invalid = || KeystoreError::ScryptInvalid { n: 1 << log_n, r: (*r).into(), p: (*p).into() };
                let parameters = scrypt::Params::new(*log_n, *r, *p).map_err(|_| invalid())?;
                scrypt::scrypt(password, salt, &parameters, derived.as_mut_slice()).map_err(|_| invalid())?;
            }
            Self::Pbkdf2 { rounds, salt } => {
                pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, *rounds, salt, password, derived.as_mut_slice());
            }
        }
        Ok(derived)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scrypt_that_takes_more_memory_than_the_limit_is_refused_whichever_parameter_takes_it() {
        // Four times geth's own, by n and by p.
        for (n, r, p) in [(1 << 20, 8, 4), (2, 1, 8_388_638)] {
            Derivation::scrypt(n, r, p, Vec::new()).unwrap();
            let error = Derivation::scrypt(n, r, p + 1, Vec::new()).unwrap_err();
            assert!(matches!(error, KeystoreError::ScryptCost { .. }), "{error}");
        }
        let error = Derivation::scrypt(2, u64::MAX, u64::MAX - 1, Vec::new()).unwrap_err();
        assert!(error.to_string().contains("(128 r (n + p))"), "{error}");
    }
}
