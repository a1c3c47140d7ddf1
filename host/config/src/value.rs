//! The types of values, and their spellings.

mod choices;
mod units;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use alloy_primitives::Address;
use refiner_evm::{BasisPolicy, OnDifference, ResultFormat, SenderPolicy};
use refiner_http_client::ProxyUrl;
use refiner_proofchain::StartBlock;
use url::Url;

pub use self::{
    choices::{ConfinementLevel, Executor, FinalizePolicy, LogFormat},
    units::{Bytes, Coins},
};

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

#[cfg(test)]
mod tests {
    use super::*;

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
