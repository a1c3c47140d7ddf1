//! JSON as a value of a type, or none where it does not fit.

use std::fmt::Write as _;

use refiner_manifest::Scalar;

use crate::{TIME_SECONDS_MAX, Value, wide};

/// `0x` and the digits of 20 bytes.
const ADDRESS_CHARACTERS: usize = 42;
/// `0x` and the digits of 32 bytes.
const HASH_CHARACTERS: usize = 66;

pub(super) fn of_u64(scalar: Scalar, value: u64, digits: &mut String) -> Option<Value<'_>> {
    let below = |max: u64| (value <= max).then_some(Value::Unsigned(value));
    match scalar {
        Scalar::U8 => below(u64::from(u8::MAX)),
        Scalar::U16 => below(u64::from(u16::MAX)),
        Scalar::U32 => below(u64::from(u32::MAX)),
        Scalar::U64 => below(u64::MAX),
        Scalar::Time => below(TIME_SECONDS_MAX),
        Scalar::I64 => i64::try_from(value).ok().map(Value::Signed),
        Scalar::U256 | Scalar::I256 => Some(printed(value, digits)),
        Scalar::Bool | Scalar::String | Scalar::Bytes | Scalar::Address | Scalar::Hash | Scalar::Json => None,
    }
}

/// A number below nought: serde gives others as [`of_u64`].
pub(super) fn of_i64(scalar: Scalar, value: i64, digits: &mut String) -> Option<Value<'_>> {
    match scalar {
        Scalar::I64 => Some(Value::Signed(value)),
        Scalar::I256 => Some(printed(value, digits)),
        _ => None,
    }
}

fn printed<T: std::fmt::Display>(value: T, digits: &mut String) -> Value<'_> {
    // Writing to a string does not fail.
    let _ = write!(digits, "{value}");
    Value::Text(digits)
}

pub(super) fn of_text<'a>(scalar: Scalar, text: &'a str, digits: &'a mut String) -> Option<Value<'a>> {
    let kept = |fits: bool| fits.then_some(Value::Text(text));
    match scalar {
        Scalar::String => kept(true),
        Scalar::Bytes => kept(is_bytes(text)),
        Scalar::Address => kept(text.len() == ADDRESS_CHARACTERS && is_bytes(text)),
        Scalar::Hash => kept(text.len() == HASH_CHARACTERS && is_bytes(text)),
        Scalar::U256 if text.starts_with("0x") => {
            *digits = wide::decimal(text)?;
            Some(Value::Text(digits))
        }
        Scalar::U256 => kept(wide::is_unsigned(text)),
        Scalar::I256 => kept(wide::is_signed(text)),
        // What JavaScript has for them: its numbers are exact below 2^53.
        Scalar::U64 => wide::is_unsigned(text).then(|| text.parse().ok().map(Value::Unsigned)).flatten(),
        Scalar::I64 => wide::is_signed(text).then(|| text.parse().ok().map(Value::Signed)).flatten(),
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
