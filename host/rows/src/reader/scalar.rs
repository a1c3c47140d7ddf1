//! JSON as a value of a type, or none where it does not fit.

use refiner_manifest::Scalar;

use crate::{TIME_SECONDS_MAX, Value, wide};

/// `0x` and the digits of 20 bytes.
const ADDRESS_CHARACTERS: usize = 42;
/// `0x` and the digits of 32 bytes.
const HASH_CHARACTERS: usize = 66;

/// A value that fits its type.
#[derive(Debug)]
pub(super) enum Fitting<'a> {
    /// As it stands in the row.
    Same(Value<'a>),
    /// Decimal digits, where the row has the number in another form.
    Digits(String),
}

impl Fitting<'_> {
    pub(super) fn get(&self) -> Value<'_> {
        match self {
            Self::Same(value) => *value,
            Self::Digits(digits) => Value::Text(digits),
        }
    }
}

impl<'a> From<Value<'a>> for Fitting<'a> {
    fn from(value: Value<'a>) -> Self {
        Self::Same(value)
    }
}

pub(super) fn of_u64(scalar: Scalar, value: u64) -> Option<Fitting<'static>> {
    let below = |max: u64| (value <= max).then_some(Value::Unsigned(value).into());
    match scalar {
        Scalar::U8 => below(u64::from(u8::MAX)),
        Scalar::U16 => below(u64::from(u16::MAX)),
        Scalar::U32 => below(u64::from(u32::MAX)),
        Scalar::U64 => below(u64::MAX),
        Scalar::Time => below(TIME_SECONDS_MAX),
        Scalar::I64 => i64::try_from(value).ok().map(|value| Value::Signed(value).into()),
        Scalar::U256 | Scalar::I256 => Some(Fitting::Digits(value.to_string())),
        Scalar::Bool | Scalar::String | Scalar::Bytes | Scalar::Address | Scalar::Hash | Scalar::Json => None,
    }
}

/// A number below nought: serde gives others as [`of_u64`].
pub(super) fn of_i64(scalar: Scalar, value: i64) -> Option<Fitting<'static>> {
    match scalar {
        Scalar::I64 => Some(Value::Signed(value).into()),
        Scalar::I256 => Some(Fitting::Digits(value.to_string())),
        _ => None,
    }
}

pub(super) fn of_text(scalar: Scalar, text: &str) -> Option<Fitting<'_>> {
    let kept = |fits: bool| fits.then_some(Value::Text(text).into());
    match scalar {
        Scalar::String => kept(true),
        Scalar::Bytes => kept(is_bytes(text)),
        Scalar::Address => kept(text.len() == ADDRESS_CHARACTERS && is_bytes(text)),
        Scalar::Hash => kept(text.len() == HASH_CHARACTERS && is_bytes(text)),
        Scalar::U256 if text.starts_with("0x") => wide::decimal(text).map(Fitting::Digits),
        Scalar::U256 => kept(wide::is_unsigned(text)),
        Scalar::I256 => kept(wide::is_signed(text)),
        // What JavaScript has for them: its numbers are exact below 2^53.
        Scalar::U64 => {
            wide::is_unsigned(text).then(|| text.parse().ok().map(|value| Value::Unsigned(value).into())).flatten()
        }
        Scalar::I64 => {
            wide::is_signed(text).then(|| text.parse().ok().map(|value| Value::Signed(value).into())).flatten()
        }
        Scalar::U8 | Scalar::U16 | Scalar::U32 | Scalar::Bool | Scalar::Time | Scalar::Json => None,
    }
}

/// True for `0x` and two lower-case digits a byte.
fn is_bytes(text: &str) -> bool {
    // Every digit, also behind one that does not fit: without a way out of the loop the compiler takes many at once.
    let fits = |digits: &str| {
        digits.bytes().fold(true, |fit, byte| fit & (byte.is_ascii_digit() | matches!(byte, b'a'..=b'f')))
    };
    text.len().is_multiple_of(2) && text.strip_prefix("0x").is_some_and(fits)
}
