//! Numbers as Ethereum's JSON-RPC writes them: `"0x1b4"`.

use alloy_primitives::U256;
use serde::{Deserialize, Deserializer, de::Error as _};

/// The largest number that is taken from outside. A column of the journal holds 63 bits; with one less, what is added to such a number
/// on the way there, such as the depth of a block or the nonces after one, fits as well.
pub const LARGEST: u64 = u64::MAX >> 2;

/// A `"0x…"` quantity of at most [`LARGEST`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quantity(pub u64);

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = U256::deserialize(deserializer)?;
        bounded(number).map(Self).ok_or_else(|| D::Error::custom("a quantity above 62 bits"))
    }
}

/// A number, unless it is above [`LARGEST`].
pub fn bounded(number: impl TryInto<u64>) -> Option<u64> {
    number.try_into().ok().filter(|number| *number <= LARGEST)
}

/// Reads a quantity that is there.
pub fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    Quantity::deserialize(deserializer).map(|quantity| quantity.0)
}

/// Reads a quantity that may be `null`.
pub fn read_optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Ok(Option::<Quantity>::deserialize(deserializer)?.map(|quantity| quantity.0))
}

/// A number written as `0x1b4`.
pub fn hex(number: u64) -> String {
    format!("{number:#x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<u64, String> {
        serde_json::from_str::<Quantity>(text).map(|quantity| quantity.0).map_err(|error| error.to_string())
    }

    #[test]
    fn quantity_that_the_journal_could_not_hold_is_none() {
        assert_eq!(read("\"0x1b4\""), Ok(436));
        assert_eq!(read("\"0x3fffffffffffffff\""), Ok(LARGEST));
        for text in ["\"0x4000000000000000\"", "\"0x8000000000000005\"", "\"0x10000000000000000\""] {
            assert!(read(text).unwrap_err().contains("a quantity above 62 bits"), "{text}");
        }
    }
}
