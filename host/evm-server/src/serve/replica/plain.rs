//! JSON as producers write it, read where it stands.
//!
//! A deserializer that knows no more than a block replica needs: texts without escapes, whole numbers without a sign, no value to
//! skip. At anything else it gives up, and the caller reads the text again by a reader of all JSON. Texts reach their visitors as
//! bytes, for hex and base64 are no letters: a visitor that takes other texts asks for a string.

use std::fmt;

use memchr::memchr;
use serde::{
    Deserializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
    forward_to_deserialize_any,
};

use super::go_json::is_space;

/// A text that holds more than this reader knows, or is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotPlain;

impl fmt::Display for NotPlain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not as producers write it")
    }
}

impl std::error::Error for NotPlain {}

impl Error for NotPlain {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

/// The text, and how far it has been read.
pub(super) struct Plain<'de> {
    text: &'de [u8],
    at: usize,
}

type Read<T> = Result<T, NotPlain>;

impl<'de> Plain<'de> {
    pub(super) const fn new(text: &'de [u8]) -> Self {
        Self { text, at: 0 }
    }

    /// The first byte of the next token.
    #[inline]
    fn peek(&mut self) -> Read<u8> {
        loop {
            match self.text.get(self.at) {
                Some(byte) if is_space(*byte) => self.at += 1,
                Some(byte) => return Ok(*byte),
                None => return Err(NotPlain),
            }
        }
    }

    /// Takes the next token, which is one byte.
    #[inline]
    fn take(&mut self, byte: u8) -> Read<()> {
        if self.peek()? != byte {
            return Err(NotPlain);
        }
        self.at += 1;
        Ok(())
    }

    /// The text between this quotation mark and the next. An escaped one leaves a backslash in it, which no visitor takes.
    #[inline]
    fn quoted(&mut self) -> Read<&'de [u8]> {
        self.take(b'"')?;
        let rest = self.text.get(self.at..).unwrap_or_default();
        let end = memchr(b'"', rest).ok_or(NotPlain)?;
        self.at += end + 1;
        Ok(&rest[..end])
    }

    /// The same where any letters may stand.
    fn letters(&mut self) -> Read<&'de str> {
        let text = self.quoted()?;
        if text.iter().any(|byte| *byte == b'\\' || *byte < 0x20) {
            return Err(NotPlain);
        }
        std::str::from_utf8(text).map_err(|_| NotPlain)
    }

    fn word(&mut self, word: &[u8]) -> Read<()> {
        let there = self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word));
        self.at += word.len();
        if there { Ok(()) } else { Err(NotPlain) }
    }

    /// A whole number of at most 64 bits.
    fn number(&mut self) -> Read<u64> {
        let begin = self.at;
        let mut number = 0_u64;
        while let Some(byte @ b'0'..=b'9') = self.text.get(self.at) {
            number =
                number.checked_mul(10).and_then(|tens| tens.checked_add(u64::from(byte - b'0'))).ok_or(NotPlain)?;
            self.at += 1;
        }
        let leading_zero = self.text[begin] == b'0' && self.at > begin + 1;
        let goes_on = matches!(self.text.get(self.at), Some(b'.' | b'e' | b'E'));
        if leading_zero || goes_on { Err(NotPlain) } else { Ok(number) }
    }

    /// Takes what stands before an item: nothing before the first, a comma before each further one. False at the end.
    #[inline]
    fn has_next(&mut self, is_first: &mut bool, end: u8) -> Read<bool> {
        let is_first = std::mem::take(is_first);
        let byte = self.peek()?;
        if byte == end {
            self.at += 1;
            return Ok(false);
        }
        if !is_first {
            self.take(b',')?;
        }
        Ok(true)
    }
}

impl<'de> Deserializer<'de> for &mut Plain<'de> {
    type Error = NotPlain;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        match self.peek()? {
            b'"' => visitor.visit_borrowed_bytes(self.quoted()?),
            b'0'..=b'9' => visitor.visit_u64(self.number()?),
            b'[' => {
                self.at += 1;
                visitor.visit_seq(Items { text: self, is_first: true })
            }
            b'{' => {
                self.at += 1;
                visitor.visit_map(Items { text: self, is_first: true })
            }
            b'n' => {
                self.word(b"null")?;
                visitor.visit_unit()
            }
            b't' => {
                self.word(b"true")?;
                visitor.visit_bool(true)
            }
            b'f' => {
                self.word(b"false")?;
                visitor.visit_bool(false)
            }
            _ => Err(NotPlain),
        }
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        if self.peek()? != b'n' {
            return visitor.visit_some(self);
        }
        self.word(b"null")?;
        visitor.visit_none()
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        visitor.visit_borrowed_str(self.letters()?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        visitor.visit_borrowed_str(self.letters()?)
    }

    #[inline]
    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        visitor.visit_borrowed_bytes(self.quoted()?)
    }

    /// A value of an unknown key.
    fn deserialize_ignored_any<V: Visitor<'de>>(self, _: V) -> Read<V::Value> {
        Err(NotPlain)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct newtype_struct seq tuple
        tuple_struct map struct enum
    }
}

/// The items of a list, or the entries of an object.
struct Items<'a, 'de> {
    text: &'a mut Plain<'de>,
    is_first: bool,
}

impl<'de> SeqAccess<'de> for Items<'_, 'de> {
    type Error = NotPlain;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Read<Option<T::Value>> {
        if !self.text.has_next(&mut self.is_first, b']')? {
            return Ok(None);
        }
        seed.deserialize(&mut *self.text).map(Some)
    }
}

impl<'de> MapAccess<'de> for Items<'_, 'de> {
    type Error = NotPlain;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Read<Option<K::Value>> {
        if !self.text.has_next(&mut self.is_first, b'}')? {
            return Ok(None);
        }
        seed.deserialize(&mut *self.text).map(Some)
    }

    #[inline]
    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Read<T::Value> {
        self.text.take(b':')?;
        seed.deserialize(&mut *self.text)
    }
}
