//! sha256, as it stands in arguments and in the lock.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Bytes of a sha256.
const BYTES: usize = 32;

/// A sha256, written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Sha256([u8; BYTES]);

/// Text that is no sha256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a sha256 is 64 hexadecimal digits")]
pub struct Sha256Error;

impl Sha256 {
    /// The sha256 of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        let mut digest = [0; BYTES];
        digest.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref());
        Self(digest)
    }
}

impl FromStr for Sha256 {
    type Err = Sha256Error;

    fn from_str(text: &str) -> Result<Self, Sha256Error> {
        let digits = text.len() == 2 * BYTES && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let bytes = digits.then(|| const_hex::decode_to_array(text).ok()).flatten();
        bytes.map(Self).ok_or(Sha256Error)
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&const_hex::encode(self.0))
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Sha256> for String {
    fn from(digest: Sha256) -> Self {
        digest.to_string()
    }
}

impl TryFrom<String> for Sha256 {
    type Error = Sha256Error;

    fn try_from(text: String) -> Result<Self, Sha256Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digest_reads_what_it_writes_and_nothing_else() {
        let digits = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Sha256::of(b"abc").to_string(), digits);
        assert_eq!(digits.to_uppercase().parse(), Ok(Sha256::of(b"abc")));
        for text in
            ["", "ba", &digits[1..], &format!("{digits}0"), &format!("0x{}", &digits[2..]), &digits.replace('b', "g")]
        {
            assert_eq!(text.parse::<Sha256>(), Err(Sha256Error), "{text}");
        }
    }
}
