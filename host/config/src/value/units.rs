//! Amounts that are written with a unit: durations, sizes, coins.

use std::{fmt, time::Duration};

use super::{Measure, Scalar};

/// Milliseconds in each unit of a duration, smallest first.
const DURATION_UNITS: [(&str, u64); 5] =
    [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 24 * 3_600_000)];

impl Scalar for Duration {
    const EXPECTED: &'static str = "a duration with its unit such as 500ms, 20s, 5m, 2h or 7d";

    fn scalar(text: &str) -> Option<Self> {
        with_unit(text, &DURATION_UNITS).map(Self::from_millis)
    }

    fn size(&self) -> Measure {
        Measure::Of(u64::try_from(self.as_millis()).unwrap_or(u64::MAX))
    }
}

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub u64);

/// Bytes in each unit of a size.
const SIZE_UNITS: [(&str, u64); 8] = [
    ("B", 1),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

impl fmt::Display for Bytes {
    /// In the largest binary unit that it is a whole number of.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let binary = SIZE_UNITS.iter().rev().filter(|(unit, _)| unit.ends_with("iB"));
        let whole = binary.into_iter().find(|(_, factor)| self.0 >= *factor && self.0.is_multiple_of(*factor));
        let (unit, factor) = whole.unwrap_or(&SIZE_UNITS[0]);
        write!(f, "{}{unit}", self.0 / factor)
    }
}

impl Scalar for Bytes {
    const EXPECTED: &'static str = "a size with its unit such as 64MiB or 10GiB";

    fn scalar(text: &str) -> Option<Self> {
        with_unit(text, &SIZE_UNITS).map(Self)
    }

    fn size(&self) -> Measure {
        Measure::Of(self.0)
    }
}

/// An amount of a chain's coin, in wei.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Coins(pub u128);

/// Digits behind the point that a wei has.
const WEI_DECIMALS: usize = 18;

impl Scalar for Coins {
    const EXPECTED: &'static str = "an amount of coins such as 2.5";

    fn scalar(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !are_digits(whole) || !are_digits(fraction) || fraction.len() > WEI_DECIMALS {
            return None;
        }
        format!("{whole}{fraction:0<WEI_DECIMALS$}").parse().ok().map(Self)
    }
}

/// A whole number and its unit, with or without a space between them.
fn with_unit(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.find(|character: char| !character.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let (_, factor) = units.iter().find(|(known, _)| *known == unit.trim_start())?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duration_and_size_need_a_unit() {
        for (text, expected) in [
            ("500ms", Some(Duration::from_millis(500))),
            ("20s", Some(Duration::from_secs(20))),
            ("20 s", Some(Duration::from_secs(20))),
            ("5m", Some(Duration::from_secs(300))),
            ("2h", Some(Duration::from_secs(7_200))),
            ("7d", Some(Duration::from_secs(604_800))),
            ("20", None),
            ("s", None),
            ("1.5s", None),
            ("-1s", None),
            ("20S", None),
            ("99999999999999999999s", None),
            ("18446744073709551615d", None),
        ] {
            assert_eq!(Duration::scalar(text), expected, "{text}");
        }
        for (text, expected) in
            [("64MiB", Some(64 << 20)), ("1 GB", Some(1_000_000_000)), ("7B", Some(7)), ("64", None), ("64mib", None)]
        {
            assert_eq!(Bytes::scalar(text).map(|bytes| bytes.0), expected, "{text}");
        }
    }

    #[test]
    fn amount_has_at_most_the_decimals_of_a_wei() {
        for (text, wei) in [
            ("5", Some(5_000_000_000_000_000_000)),
            ("2.5", Some(2_500_000_000_000_000_000)),
            ("0.000000000000000001", Some(1)),
            ("0.0000000000000000001", None),
            ("", None),
            (".5", None),
            ("5.", None),
            ("-1", None),
            ("1e3", None),
            ("99999999999999999999999", None),
        ] {
            assert_eq!(Coins::scalar(text).map(|coins| coins.0), wei, "{text}");
        }
    }

    #[test]
    fn size_is_shown_in_the_largest_unit_that_loses_nothing() {
        for (bytes, shown) in
            [(0, "0B"), (1_000, "1000B"), (1 << 10, "1KiB"), (3 << 29, "1536MiB"), (10 << 30, "10GiB")]
        {
            assert_eq!(Bytes(bytes).to_string(), shown);
        }
    }
}
