//! Texts that mean something else: hashes, addresses, numbers and bytes, decoded where they stand.

use std::{fmt, marker::PhantomData, ops::Range};

use alloy_primitives::{Address, B256, Bytes, U256};
use base64_simd::STANDARD;
use serde::{
    Deserialize, Deserializer,
    de::{Error, Expected, SeqAccess, Unexpected, Visitor},
};

/// Hex digits of a number of 256 bits.
const WORD_DIGITS: usize = 64;

/// A value written as text.
pub(super) struct Text<T>(pub(super) T);

/// The spelling of a kind of value.
pub(super) trait Written: Sized {
    /// The expected form of the text, for the author of another.
    const EXPECTED: &'static str;

    /// The value of the text, if it has one.
    fn read(text: &[u8]) -> Option<Self>;

    /// The value of null, if it may stand there.
    fn null() -> Option<Self> {
        None
    }
}

impl Written for B256 {
    const EXPECTED: &'static str = "0x and 64 hex digits";

    fn read(text: &[u8]) -> Option<Self> {
        fixed(text).map(Self::new)
    }
}

impl Written for Address {
    const EXPECTED: &'static str = "0x and 40 hex digits";

    fn read(text: &[u8]) -> Option<Self> {
        fixed(text).map(Self::new)
    }
}

impl Written for U256 {
    const EXPECTED: &'static str = "0x and a number of at most 256 bits in hex";

    fn read(text: &[u8]) -> Option<Self> {
        match text.strip_prefix(b"0x")? {
            digits if (1..=WORD_DIGITS).contains(&digits.len()) => {
                let mut padded = [b'0'; WORD_DIGITS];
                padded[WORD_DIGITS - digits.len()..].copy_from_slice(digits);
                // Behind a second `0x`, which const-hex skips, there are too few digits.
                const_hex::decode_to_array(padded).ok().map(Self::from_be_bytes::<32>)
            }
            _ => Self::from_str_radix(digits(text)?, 16).ok(),
        }
    }
}

impl Written for u128 {
    const EXPECTED: &'static str = "0x and a number of at most 128 bits in hex";

    fn read(text: &[u8]) -> Option<Self> {
        Self::from_str_radix(digits(text)?, 16).ok()
    }
}

impl Written for u64 {
    const EXPECTED: &'static str = "0x and a number of at most 64 bits in hex";

    fn read(text: &[u8]) -> Option<Self> {
        Self::from_str_radix(digits(text)?, 16).ok()
    }
}

/// Bytes in standard base64, as Go writes a slice of them; null is an empty one.
pub(super) struct Base64(pub(super) Bytes);

impl Written for Base64 {
    const EXPECTED: &'static str = "base64 with padding";

    fn read(text: &[u8]) -> Option<Self> {
        STANDARD.decode_to_vec(text).ok().map(|bytes| Self(bytes.into()))
    }

    fn null() -> Option<Self> {
        Some(Self(Bytes::new()))
    }
}

/// Bytes written in hex.
pub(super) struct Hex(pub(super) Bytes);

impl Written for Hex {
    const EXPECTED: &'static str = "0x and two hex digits for each byte";

    fn read(text: &[u8]) -> Option<Self> {
        const_hex::decode(digits(text)?).ok().map(|bytes| Self(bytes.into()))
    }
}

fn fixed<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    // With a second `0x`, which const-hex skips, there are too few digits.
    let digits = text.strip_prefix(b"0x").filter(|digits| digits.len() == 2 * N)?;
    const_hex::decode_to_array(digits).ok()
}

/// The digits after `0x`. Rust's number parsers take signs and underscores, and const-hex a second `0x`: none is a digit.
fn digits(text: &[u8]) -> Option<&str> {
    match text.strip_prefix(b"0x")? {
        [_, b'x', ..] | [b'+' | b'-', ..] => None,
        digits if digits.contains(&b'_') => None,
        digits => str::from_utf8(digits).ok(),
    }
}

impl<'de, T: Written> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor(PhantomData)).map(Self)
    }
}

struct TextVisitor<T>(PhantomData<T>);

impl<T: Written> Visitor<'_> for TextVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        T::read(text.as_bytes()).ok_or_else(|| refusal(text, &self))
    }

    fn visit_bytes<E: Error>(self, text: &[u8]) -> Result<T, E> {
        T::read(text).ok_or_else(|| refusal(&String::from_utf8_lossy(text), &self))
    }

    fn visit_unit<E: Error>(self) -> Result<T, E> {
        T::null().ok_or_else(|| E::invalid_type(Unexpected::Unit, &self))
    }
}

fn refusal<E: Error>(text: &str, expected: &dyn Expected) -> E {
    // Bytecode is not repeated in an error.
    let shown: String = text.chars().take(SHOWN_CHARACTERS).collect();
    E::invalid_value(Unexpected::Str(&shown), expected)
}

/// Bytecode in base64, borrowed from the JSON where possible; checked here and decoded on first use.
pub(super) enum CodeText<'a> {
    /// Its text.
    Text(&'a [u8]),
    /// Its bytes, where the text does not stand in the JSON as it is.
    Bytes(Bytes),
}

impl CodeText<'_> {
    /// The place of the text, if it stands in `source`.
    pub(super) fn place_in(&self, source: &[u8]) -> Option<Range<usize>> {
        let Self::Text(text) = self else { return None };
        let begin = text.as_ptr().addr().checked_sub(source.as_ptr().addr())?;
        let place = begin..begin.checked_add(text.len())?;
        (place.end <= source.len()).then_some(place)
    }

    /// The bytecode itself.
    pub(super) fn into_bytes(self) -> Bytes {
        match self {
            Self::Bytes(bytes) => bytes,
            // It has been checked.
            Self::Text(text) => Base64::read(text).map(|code| code.0).unwrap_or_default(),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for CodeText<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CodeVisitor)
    }
}

struct CodeVisitor;

impl<'de> Visitor<'de> for CodeVisitor {
    type Value = CodeText<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Base64::EXPECTED)
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<CodeText<'de>, E> {
        self.visit_borrowed_bytes(text.as_bytes())
    }

    fn visit_borrowed_bytes<E: Error>(self, text: &'de [u8]) -> Result<CodeText<'de>, E> {
        STANDARD.check(text).map_err(|_| refusal(&String::from_utf8_lossy(text), &self))?;
        Ok(CodeText::Text(text))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<CodeText<'de>, E> {
        let code = Base64::read(text.as_bytes()).ok_or_else(|| refusal(text, &self))?;
        Ok(CodeText::Bytes(code.0))
    }

    fn visit_unit<E: Error>(self) -> Result<CodeText<'de>, E> {
        Ok(CodeText::Bytes(Bytes::new()))
    }
}

/// Characters of a wrong text that an error repeats: a hash, and a little more to see that it is too long.
const SHOWN_CHARACTERS: usize = 80;

/// A known number of bytes, written as a list of numbers.
pub(super) struct Octets<const N: usize>(pub(super) [u8; N]);

impl<'de, const N: usize> Deserialize<'de> for Octets<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(OctetsVisitor)
    }
}

struct OctetsVisitor<const N: usize>;

impl<'de, const N: usize> Visitor<'de> for OctetsVisitor<N> {
    type Value = Octets<N>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of {N} numbers below 256")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Octets<N>, A::Error> {
        let mut bytes = [0; N];
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = items.next_element()?.ok_or_else(|| A::Error::invalid_length(index, &self))?;
        }
        match items.next_element::<u8>()? {
            None => Ok(Octets(bytes)),
            Some(_) => Err(A::Error::invalid_length(N + 1, &self)),
        }
    }
}

/// A field whose being there tells the layout: `None` when it is not there, `Some(None)` when it is null.
pub(super) type Since<T> = Option<Option<T>>;

/// For `#[serde(default, deserialize_with = "since")]`.
pub(super) fn since<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Since<T>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// A list; null is an empty one, as Go writes a slice that was never made.
pub(super) fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// A list of at most `LIMIT` items: for those that take much more memory than text. Null is an empty one.
pub(super) struct UpTo<T, const LIMIT: usize>(pub(super) Vec<T>);

impl<T, const LIMIT: usize> Default for UpTo<T, LIMIT> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>, const LIMIT: usize> Deserialize<'de> for UpTo<T, LIMIT> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListVisitor::<T, LIMIT>(PhantomData)).map(Self)
    }
}

struct ListVisitor<T, const LIMIT: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const LIMIT: usize> Visitor<'de> for ListVisitor<T, LIMIT> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of at most {LIMIT} items")
    }

    fn visit_unit<E: Error>(self) -> Result<Vec<T>, E> {
        Ok(Vec::new())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<T>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            if list.len() == LIMIT {
                return Err(A::Error::invalid_length(LIMIT + 1, &self));
            }
            list.push(item);
        }
        Ok(list)
    }
}

/// The value that the text meant.
pub(super) fn value<T>(text: Text<T>) -> T {
    text.0
}

/// The values of a list.
pub(super) fn values<T>(texts: Vec<Text<T>>) -> Vec<T> {
    texts.into_iter().map(value).collect()
}
