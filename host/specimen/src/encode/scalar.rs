//! Single values in the spelling of the wire: lower-case hex without padding, padded base64.

use alloy_primitives::U256;
use apache_avro::types::Value;

use super::error::{Refusal, Say, Unsaid};
use crate::double;

/// Text of a hash or an address.
pub(super) fn hex(bytes: impl AsRef<[u8]>) -> Value {
    Value::String(const_hex::encode_prefixed(bytes))
}

/// Hex text of whole bytes, in an Avro `bytes`.
pub(super) fn hex_bytes(bytes: impl AsRef<[u8]>) -> Value {
    Value::Bytes(const_hex::encode_prefixed(bytes).into_bytes())
}

/// Text of a byte slice.
pub(super) fn base64(bytes: impl AsRef<[u8]>) -> Value {
    Value::String(base64_simd::STANDARD.encode_to_string(bytes))
}

/// Hex text of a number, in an Avro `bytes`; zero is `0x0`.
pub(super) fn number(number: U256) -> Value {
    Value::Bytes(format!("{number:#x}").into_bytes())
}

/// An Avro `long`.
pub(super) fn long(number: u64) -> Say<Value> {
    i64::try_from(number).map(Value::Long).map_err(|_| Unsaid::new(Refusal::OutOfRange { limit_bits: 63 }))
}

/// An Avro `double`. Decoding refuses what is not finite, so encoding does.
pub(super) fn double(number: f64) -> Say<Value> {
    if number.is_finite() { Ok(Value::Double(number)) } else { Err(Unsaid::new(Refusal::NotFinite)) }
}

/// A whole number as an Avro `double`, which not every one can be.
pub(super) fn whole_double(number: U256) -> Say<Value> {
    let nearest = double::nearest(number);
    if double::whole(nearest) == Some(number) { double(nearest) } else { Err(Unsaid::new(Refusal::Inexact)) }
}

/// The second branch of a union with null, or null.
pub(super) fn optional(value: Option<Value>) -> Value {
    match value {
        Some(value) => Value::Union(1, Box::new(value)),
        None => Value::Union(0, Box::new(Value::Null)),
    }
}
