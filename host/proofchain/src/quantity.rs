//! Numbers as Ethereum's JSON-RPC writes them: `"0x1b4"`.

use alloy_primitives::U256;
use serde::{Deserialize, Deserializer, de::Error as _};

/// A `"0x…"` quantity of at most 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quantity(pub u64);

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = U256::deserialize(deserializer)?;
        u64::try_from(number).map(Self).map_err(|_| D::Error::custom("a quantity above 64 bits"))
    }
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
