//! Parts of an answer that are read with a bound, so that what is read takes no more memory than a small multiple of its text.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, SeqAccess, Visitor},
};
use serde_json::{Value, value::RawValue};

/// A result whose type is not known yet: its text. As a tree of values it could take twenty times the memory.
pub(crate) type RawAnswer = Box<RawValue>;

/// Most bytes of an error's message or data that are parsed. A reason is a few words, revert data some thousand digits.
const ERROR_BYTES_MAX: usize = 64 << 10;

/// A list of at most `N` elements.
#[derive(Clone, Debug)]
pub(crate) struct AtMost<const N: usize, T>(pub Vec<T>);

impl<'de, const N: usize, T: Deserialize<'de>> Deserialize<'de> for AtMost<N, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let list = deserializer.deserialize_seq(List { limit: N, element: PhantomData })?;
        if list.has_more {
            Err(D::Error::custom(format_args!("more than {N} elements")))
        } else {
            Ok(Self(list.elements))
        }
    }
}

/// Some elements of a list, and whether it had more.
#[derive(Debug)]
pub(super) struct Elements<T> {
    pub elements: Vec<T>,
    pub has_more: bool,
}

impl<T> Elements<T> {
    /// Reads a list in JSON and keeps its first `limit` elements. An element after them may be any value.
    pub fn read<'de>(json: &'de [u8], limit: usize) -> serde_json::Result<Self>
    where
        T: Deserialize<'de>,
    {
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        let list = (&mut deserializer).deserialize_seq(List { limit, element: PhantomData })?;
        deserializer.end().map(|()| list)
    }
}

struct List<T> {
    limit: usize,
    element: PhantomData<T>,
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for List<T> {
    type Value = Elements<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Elements<T>, A::Error> {
        let mut elements = Vec::new();
        while elements.len() < self.limit {
            match list.next_element()? {
                Some(element) => elements.push(element),
                None => return Ok(Elements { elements, has_more: false }),
            }
        }
        let mut has_more = false;
        while list.next_element::<serde::de::IgnoredAny>()?.is_some() {
            has_more = true;
        }
        Ok(Elements { elements, has_more })
    }
}

/// A part of an error object: any value of at most 64 KiB, or the beginning of its text.
pub(super) fn part_of_error<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
    let text = <&RawValue>::deserialize(deserializer)?.get();
    if text.len() <= ERROR_BYTES_MAX {
        return serde_json::from_str(text).map_err(D::Error::custom);
    }
    let beginning = text.trim_start_matches('"');
    Ok(Value::String(beginning.chars().take(ERROR_BYTES_MAX / 4).collect()))
}
