//! The types of values, and their spellings.

use std::{fmt, net::SocketAddr, path::PathBuf, time::Duration};

use alloy_primitives::Address;
use refiner_evm::{BasisPolicy, OnDifference, ResultFormat, SenderPolicy};
use refiner_http_client::ProxyUrl;
use refiner_proofchain::StartBlock;
use url::Url;

use crate::rule_terms::ConfinementLevel;

/// The size of a value that has bounds, in the smallest unit of its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measure {
    /// The type has no bounds.
    None,
    /// Units, milliseconds or bytes.
    Of(u64),
}

/// One value as a user writes it.
pub trait Scalar: Sized + 'static {
    /// The form that is expected, for errors.
    const EXPECTED: &'static str;
    /// The TOML type in a file.
    const FORM: Form = Form::Text;

    /// Reads a value; `None` where the text has another form.
    fn scalar(text: &str) -> Option<Self>;

    /// The value's size, where its type can have bounds.
    fn size(&self) -> Measure {
        Measure::None
    }
}

/// The TOML type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A string.
    Text,
    /// An integer.
    Number,
    /// A boolean.
    Switch,
}

/// The reading of a setting's texts: a value, one that may be absent, or a list.
pub trait Read: Sized + 'static {
    /// The form of each text.
    const EXPECTED: &'static str;
    /// Several texts are read.
    const LIST: bool = false;
    /// The form of each text in a file. A flag of [`Form::Switch`] alone means `true`.
    const FORM: Form;

    /// The value of texts that were checked; `None` where a value must be there and is not.
    fn read(texts: &[String]) -> Option<Self>;

    /// The size of one text's value; `None` where it has another form.
    fn measure(text: &str) -> Option<Measure>;
}

fn measure<T: Scalar>(text: &str) -> Option<Measure> {
    T::scalar(text).map(|value| value.size())
}

impl<T: Scalar> Read for Option<T> {
    const EXPECTED: &'static str = T::EXPECTED;
    const FORM: Form = T::FORM;

    fn read(texts: &[String]) -> Option<Self> {
        Some(texts.first().and_then(|text| T::scalar(text)))
    }

    fn measure(text: &str) -> Option<Measure> {
        measure::<T>(text)
    }
}

impl<T: Scalar> Read for Vec<T> {
    const EXPECTED: &'static str = T::EXPECTED;
    const LIST: bool = true;
    const FORM: Form = T::FORM;

    fn read(texts: &[String]) -> Option<Self> {
        texts.iter().map(|text| T::scalar(text)).collect()
    }

    fn measure(text: &str) -> Option<Measure> {
        measure::<T>(text)
    }
}

/// Scalars that a setting can hold as they are, with a default.
macro_rules! read_alone {
    ($($type:ty),* $(,)?) => {$(
        impl Read for $type {
            const EXPECTED: &'static str = <$type as Scalar>::EXPECTED;
            const FORM: Form = <$type as Scalar>::FORM;

            fn read(texts: &[String]) -> Option<Self> {
                <$type as Scalar>::scalar(texts.first()?)
            }

            fn measure(text: &str) -> Option<Measure> {
                measure::<$type>(text)
            }
        }
    )*};
}

/// Scalars that are read as [`FromStr`] does.
macro_rules! from_str {
    ($($type:ty => $expected:literal),* $(,)?) => {$(
        impl Scalar for $type {
            const EXPECTED: &'static str = $expected;

            fn scalar(text: &str) -> Option<Self> {
                text.parse().ok()
            }
        }
    )*};
}

read_alone!(
    String,
    PathBuf,
    bool,
    u64,
    Bytes,
    Duration,
    SocketAddr,
    StartBlock,
    Executor,
    LogFormat,
    FinalizePolicy,
    OnDifference,
    SenderPolicy,
    BasisPolicy,
    ResultFormat,
    ConfinementLevel,
);

from_str! {
    String => "text",
    PathBuf => "a path",
    Address => "an address of 20 bytes in hexadecimal",
    SocketAddr => "an address and port such as 127.0.0.1:9568",
    StartBlock => "`latest`, a block number, or days such as 7d",
    OnDifference => "prefer-embedded, prefer-remote or hold",
    SenderPolicy => "recovered or stated",
    BasisPolicy => "auto, execution or receipts",
    ResultFormat => "canonical, or evm-server@a to evm-server@e",
}

impl Scalar for u64 {
    const EXPECTED: &'static str = "a number";
    const FORM: Form = Form::Number;

    fn scalar(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn size(&self) -> Measure {
        Measure::Of(*self)
    }
}

impl Scalar for bool {
    const EXPECTED: &'static str = "true or false";
    const FORM: Form = Form::Switch;

    fn scalar(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Scalar for Url {
    const EXPECTED: &'static str = "a URL that begins with http:// or https://";

    fn scalar(text: &str) -> Option<Self> {
        text.parse().ok().filter(|url: &Self| matches!(url.scheme(), "http" | "https"))
    }
}

impl Scalar for ProxyUrl {
    const EXPECTED: &'static str = "a URL that begins with http://, such as http://127.0.0.1:3128";

    fn scalar(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

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

/// A parameter of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name, never empty.
    pub name: String,
    /// Its value.
    pub value: String,
}

impl Scalar for Parameter {
    const EXPECTED: &'static str = "NAME=VALUE";

    fn scalar(text: &str) -> Option<Self> {
        let (name, value) = text.split_once('=').filter(|(name, _)| !name.is_empty())?;
        Some(Self { name: name.to_owned(), value: value.to_owned() })
    }
}

/// The sessions that an operator finalizes once they are past their deadline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FinalizePolicy {
    /// None: others do.
    #[default]
    None,
    /// Those with a proof of this operator.
    Own,
    /// Those of every operator.
    All,
}

impl Scalar for FinalizePolicy {
    const EXPECTED: &'static str = "none, own or all";

    fn scalar(text: &str) -> Option<Self> {
        match text {
            "none" => Some(Self::None),
            "own" => Some(Self::Own),
            "all" => Some(Self::All),
            _ => None,
        }
    }
}

/// The executor of blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Executor {
    /// This program.
    #[default]
    Embedded,
    /// An evm-server.
    Remote,
    /// The two, compared.
    Both,
}

impl Executor {
    /// Every executor.
    pub const ALL: [Self; 3] = [Self::Embedded, Self::Remote, Self::Both];

    /// The name that a user writes.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Remote => "remote",
            Self::Both => "both",
        }
    }
}

impl fmt::Display for Executor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Scalar for Executor {
    const EXPECTED: &'static str = "embedded, remote or both";

    fn scalar(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|executor| executor.as_str() == text)
    }
}

/// The form of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// A line for people.
    #[default]
    Text,
    /// An object of JSON a line.
    Json,
}

impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Json => "json",
        })
    }
}

impl Scalar for LogFormat {
    const EXPECTED: &'static str = "text or json";

    fn scalar(text: &str) -> Option<Self> {
        [Self::Text, Self::Json].into_iter().find(|format| format.to_string() == text)
    }
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

    #[test]
    fn url_is_of_http() {
        for (text, valid) in [("http://a", true), ("https://a/b?c", true), ("ftp://a", false), ("a:80", false)] {
            assert_eq!(Url::scalar(text).is_some(), valid, "{text}");
        }
    }

    #[test]
    fn parameter_is_split_at_the_first_equals_sign() {
        let expected = Parameter { name: "a".to_owned(), value: "b=c".to_owned() };
        assert_eq!(Parameter::scalar("a=b=c"), Some(expected));
        assert_eq!((Parameter::scalar("=b"), Parameter::scalar("a")), (None, None));
    }
}
