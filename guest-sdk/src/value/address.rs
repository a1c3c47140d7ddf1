//! The type of account addresses.

use std::{fmt, str::FromStr};

use super::hex;

/// A 20-byte account address. Displays as `0x` and 40 lower-case digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    pub(crate) w0: u64,
    pub(crate) w1: u64,
    pub(crate) w2: u32,
}

impl Address {
    /// The address whose bytes are all zero.
    pub const ZERO: Self = Self { w0: 0, w1: 0, w2: 0 };

    /// From 40 hexadecimal digits, with or without `0x`; for constants such as a contract.
    ///
    /// # Panics
    /// When `text` is anything else, which in a constant is a compile error.
    pub const fn from_hex(text: &str) -> Self {
        Self::from_bytes(hex::decode(text))
    }

    /// From big-endian bytes.
    pub const fn from_bytes(bytes: [u8; 20]) -> Self {
        let [.., b16, b17, b18, b19] = bytes;
        Self { w0: hex::word(&bytes, 0), w1: hex::word(&bytes, 8), w2: u32::from_be_bytes([b16, b17, b18, b19]) }
    }

    /// The address as big-endian bytes.
    pub fn to_bytes(self) -> [u8; 20] {
        let mut bytes = [0; 20];
        bytes[..8].copy_from_slice(&self.w0.to_be_bytes());
        bytes[8..16].copy_from_slice(&self.w1.to_be_bytes());
        bytes[16..].copy_from_slice(&self.w2.to_be_bytes());
        bytes
    }

    /// True when every byte is zero.
    pub const fn is_zero(self) -> bool {
        self.w0 | self.w1 | self.w2 as u64 == 0
    }
}

/// The text is no address: `0x` and 40 hexadecimal digits, of either case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoAddress;

impl fmt::Display for NoAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected 0x and 40 hexadecimal digits")
    }
}

impl std::error::Error for NoAddress {}

impl FromStr for Address {
    type Err = NoAddress;

    fn from_str(text: &str) -> Result<Self, NoAddress> {
        let digits = text.strip_prefix("0x").filter(|digits| digits.len() == 40).ok_or(NoAddress)?;
        let mut bytes = [0; 20];
        for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
            let digit = |place: usize| char::from(pair[place]).to_digit(16).ok_or(NoAddress);
            *byte = u8::try_from(digit(0)? << 4 | digit(1)?).map_err(|_| NoAddress)?;
        }
        Ok(Self::from_bytes(bytes))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:016x}{:016x}{:08x}", self.w0, self.w1, self.w2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_is_read_as_it_is_written_and_nothing_near_it_is_one() {
        let text = "0xdac17f958d2ee523a2206206994597c13d831ec7";
        assert_eq!(text.parse::<Address>().map(|address| address.to_string()), Ok(text.to_owned()));
        assert_eq!("0xDAC17F958D2EE523A2206206994597C13D831EC7".parse(), text.parse::<Address>());
        for wrong in ["", "0x", &text[2..], &text[..41], "0xgac17f958d2ee523a2206206994597c13d831ec7"] {
            assert_eq!(wrong.parse::<Address>(), Err(NoAddress), "{wrong:?}");
        }
        // A sign is no digit, and neither is a letter of more than one byte.
        for wrong in ["0x+ac17f958d2ee523a2206206994597c13d831ec7", "0xéac17f958d2ee523a2206206994597c13d831ec"] {
            assert_eq!(wrong.parse::<Address>(), Err(NoAddress), "{wrong:?}");
        }
    }

    #[test]
    fn address_keeps_its_bytes_through_text_and_bytes() {
        let address = Address::from_hex("dAC17F958D2ee523a2206206994597C13D831ec7");
        assert_eq!(address.to_string(), "0xdac17f958d2ee523a2206206994597c13d831ec7");
        assert_eq!(address.to_bytes()[..3], [0xda, 0xc1, 0x7f]);
        assert_eq!(address.to_bytes()[17..], [0x83, 0x1e, 0xc7]);
        assert_eq!(Address::from_bytes(address.to_bytes()), address);
    }

    #[test]
    fn only_the_zero_address_is_zero() {
        assert!(Address::ZERO.is_zero());
        assert!(!Address::from_hex("0000000000000000000000000000000000000001").is_zero());
        assert!(!Address::from_hex("8000000000000000000000000000000000000000").is_zero());
    }
}
