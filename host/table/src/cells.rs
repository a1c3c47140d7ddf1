//! Values of one column on their way into an array.

use std::sync::Arc;

use arrow_array::{
    ArrayRef,
    builder::{
        BooleanBuilder, Decimal128Builder, FixedSizeBinaryBuilder, Float64Builder, Int64Builder, StringBuilder,
        TimestampMicrosecondBuilder, UInt8Builder, UInt16Builder, UInt32Builder, UInt64Builder,
    },
};
use refiner_manifest::Scalar;
use refiner_rows::Value;

use crate::{
    WideNumbers,
    layout::{DECIMAL, WIDE_BYTES, ZONE},
    number,
};

/// `0x` and the digits of 20 bytes.
const ADDRESS_BYTES: usize = 42;
/// `0x` and the digits of 32 bytes.
const HASH_BYTES: usize = 66;
/// Bytes for which there is room in a cell of other text.
const TEXT_BYTES: usize = 16;
/// Microseconds of a second.
const MICROSECONDS: u64 = 1_000_000;

/// Room that is made for the values of a column, so that few grow while they are added.
#[derive(Clone, Copy)]
pub(crate) struct Room {
    /// Values, at most.
    pub(crate) rows: usize,
    /// The column's share of the bytes that are read: all columns together have room for twice as much text as there is, at most.
    pub(crate) source_bytes: usize,
}

/// Values of one type.
pub(crate) enum Cells {
    U8(UInt8Builder),
    U16(UInt16Builder),
    U32(UInt32Builder),
    U64(UInt64Builder),
    I64(Int64Builder),
    Bool(BooleanBuilder),
    Text(StringBuilder),
    Time(TimestampMicrosecondBuilder),
    Double(Float64Builder),
    Decimal(Decimal128Builder),
    Bytes(FixedSizeBinaryBuilder),
}

/// A number with more digits than a decimal has.
pub(crate) struct MoreDigits;

impl Cells {
    pub(crate) fn new(scalar: Scalar, wide: WideNumbers, room: Room) -> Self {
        let Room { rows, .. } = room;
        match scalar {
            Scalar::U8 => Self::U8(UInt8Builder::with_capacity(rows)),
            Scalar::U16 => Self::U16(UInt16Builder::with_capacity(rows)),
            Scalar::U32 => Self::U32(UInt32Builder::with_capacity(rows)),
            Scalar::U64 => Self::U64(UInt64Builder::with_capacity(rows)),
            Scalar::I64 => Self::I64(Int64Builder::with_capacity(rows)),
            Scalar::Bool => Self::Bool(BooleanBuilder::with_capacity(rows)),
            Scalar::String | Scalar::Bytes | Scalar::Json => Self::text(room, TEXT_BYTES),
            Scalar::Address => Self::text(room, ADDRESS_BYTES),
            Scalar::Hash => Self::text(room, HASH_BYTES),
            Scalar::Time => Self::Time(TimestampMicrosecondBuilder::with_capacity(rows).with_timezone(ZONE)),
            Scalar::U256 | Scalar::I256 => match wide {
                WideNumbers::Both | WideNumbers::Text => Self::text(room, TEXT_BYTES),
                WideNumbers::Double => Self::doubles(room),
                WideNumbers::Decimal38 => Self::Decimal(Decimal128Builder::with_capacity(rows).with_data_type(DECIMAL)),
                WideNumbers::Bytes => Self::Bytes(FixedSizeBinaryBuilder::with_capacity(rows, WIDE_BYTES)),
            },
        }
    }

    pub(crate) fn doubles(room: Room) -> Self {
        Self::Double(Float64Builder::with_capacity(room.rows))
    }

    /// Text of so many bytes a row, as far as the source can hold them.
    fn text(Room { rows, source_bytes }: Room, each: usize) -> Self {
        Self::Text(StringBuilder::with_capacity(rows, rows.saturating_mul(each).min(source_bytes)))
    }

    /// Adds a value of the column's type, which the reader of rows has checked.
    pub(crate) fn push(&mut self, value: Value<'_>) -> Result<(), MoreDigits> {
        let (mut number, mut signed, mut flag, mut text) = (None, None, None, None);
        match value {
            Value::Null => {}
            Value::Unsigned(value) => number = Some(value),
            Value::Signed(value) => signed = Some(value),
            Value::Bool(value) => flag = Some(value),
            Value::Text(value) => text = Some(value),
        }
        match self {
            Self::U8(cells) => cells.append_option(number.and_then(|value| value.try_into().ok())),
            Self::U16(cells) => cells.append_option(number.and_then(|value| value.try_into().ok())),
            Self::U32(cells) => cells.append_option(number.and_then(|value| value.try_into().ok())),
            Self::U64(cells) => cells.append_option(number),
            Self::I64(cells) => cells.append_option(signed),
            Self::Bool(cells) => cells.append_option(flag),
            Self::Text(cells) => cells.append_option(text),
            Self::Time(cells) => {
                let micros = number.map(|seconds| seconds.saturating_mul(MICROSECONDS));
                cells.append_option(micros.and_then(|micros| micros.try_into().ok()));
            }
            Self::Double(cells) => cells.append_option(text.map(number::double)),
            Self::Decimal(cells) => {
                let decimal = text.map(|digits| number::decimal38(digits).ok_or(MoreDigits)).transpose()?;
                cells.append_option(decimal);
            }
            Self::Bytes(cells) => match text {
                // 32 bytes are what it was made for.
                Some(digits) => drop(cells.append_value(number::bytes(digits))),
                None => cells.append_null(),
            },
        }
        Ok(())
    }

    pub(crate) fn finish(&mut self) -> ArrayRef {
        match self {
            Self::U8(cells) => Arc::new(cells.finish()),
            Self::U16(cells) => Arc::new(cells.finish()),
            Self::U32(cells) => Arc::new(cells.finish()),
            Self::U64(cells) => Arc::new(cells.finish()),
            Self::I64(cells) => Arc::new(cells.finish()),
            Self::Bool(cells) => Arc::new(cells.finish()),
            Self::Text(cells) => Arc::new(cells.finish()),
            Self::Time(cells) => Arc::new(cells.finish()),
            Self::Double(cells) => Arc::new(cells.finish()),
            Self::Decimal(cells) => Arc::new(cells.finish()),
            Self::Bytes(cells) => Arc::new(cells.finish()),
        }
    }
}
