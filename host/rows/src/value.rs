//! Values of a row, as their columns' types have them.

/// A value that fits its column. Numbers of 256 bits are decimal digits, whatever the rule wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// No value.
    Null,
    /// Of `u8`, `u16`, `u32` and `u64`; of `time`, seconds since 1970.
    Unsigned(u64),
    /// Of `i64`.
    Signed(i64),
    /// Of `bool`.
    Bool(bool),
    /// Of `string`; of `bytes`, `address` and `hash`, `0x` and digits; of `u256` and `i256`, decimal digits; of `json`, JSON.
    Text(&'a str),
}
