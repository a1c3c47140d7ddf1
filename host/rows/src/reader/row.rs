//! One row: its keys, and for each the value of its column.

use std::fmt;

use refiner_manifest::{ColumnType, Scalar};
use serde::{
    Deserializer,
    de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{Expected, RowReader, RowSink, Seen, json, scalar};
use crate::{Found, RowFault, Value, error::quoted};

/// An object whose values go to a sink. The fault stays in `fault`, since errors of serde hold text alone.
pub(super) struct Row<'a, S> {
    pub(super) reader: &'a RowReader,
    pub(super) sink: &'a mut S,
    pub(super) fault: &'a mut Option<RowFault>,
}

impl<'de, S: RowSink> DeserializeSeed<'de> for Row<'_, S> {
    type Value = Seen;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Seen, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, S: RowSink> Visitor<'de> for Row<'_, S> {
    type Value = Seen;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Seen, A::Error> {
        let Self { reader, sink, fault } = self;
        let (mut seen, mut next) = (Seen::default(), 0);
        while let Some(place) = map.next_key_seed(Key { reader, next, fault: &mut *fault })? {
            let column = &reader.columns[place];
            if !seen.add(place) {
                *fault = Some(RowFault::Twice { key: quoted(&column.field) });
                return Err(A::Error::custom("twice"));
            }
            next = place + 1;
            if column.kind == ColumnType::One(Scalar::Json) {
                let value = json_value(map.next_value()?, column, fault).map_err(A::Error::custom)?;
                sink.value(place, value);
            } else {
                let cell = Cell { place, column, in_list: false, sink: &mut *sink, fault: &mut *fault };
                map.next_value_seed(cell).inspect_err(|error| {
                    if fault.is_none() && is_out_of_range(error) {
                        *fault = Some(column.misfit(Found::OutOfRange));
                    }
                })?;
            }
        }
        Ok(seen)
    }
}

/// True for a number that is JSON and beyond a double, as `1e400`: serde knows it by its words alone.
fn is_out_of_range(error: &impl fmt::Display) -> bool {
    error.to_string().starts_with("number out of range")
}

/// A fault that stands elsewhere already.
#[derive(Debug, thiserror::Error)]
#[error("misfit")]
struct Noted;

fn json_value<'a>(raw: &'a RawValue, column: &Expected, fault: &mut Option<RowFault>) -> Result<Value<'a>, Noted> {
    match raw.get() {
        "null" if column.nullable => Ok(Value::Null),
        "null" => {
            *fault = Some(column.misfit(Found::Null));
            Err(Noted)
        }
        text => json_text(text, column, fault),
    }
}

/// A value of JSON, or an item of a list of JSON, as it was written.
fn json_text<'a>(text: &'a str, column: &Expected, fault: &mut Option<RowFault>) -> Result<Value<'a>, Noted> {
    match json::unreadable(text) {
        None => Ok(Value::Text(text)),
        Some(found) => {
            *fault = Some(column.misfit(found));
            Err(Noted)
        }
    }
}

/// A key, as the place of its column.
struct Key<'a> {
    reader: &'a RowReader,
    next: usize,
    fault: &'a mut Option<RowFault>,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = usize;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<usize, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<usize, E> {
        self.reader.place(key, self.next).ok_or_else(|| {
            *self.fault = Some(RowFault::Unknown { key: quoted(key) });
            E::custom("unknown")
        })
    }
}

/// A value, or an item of a list.
struct Cell<'a, S> {
    place: usize,
    column: &'a Expected,
    in_list: bool,
    sink: &'a mut S,
    fault: &'a mut Option<RowFault>,
}

impl<S: RowSink> Cell<'_, S> {
    fn give(self, value: Value<'_>) {
        if self.in_list {
            self.sink.item(self.place, value);
        } else {
            self.sink.value(self.place, value);
        }
    }

    fn misfit<E: serde::de::Error>(self, found: Found) -> E {
        *self.fault = Some(self.column.misfit(found));
        E::custom("misfit")
    }

    /// False where a list is due.
    fn takes_one(&self) -> bool {
        self.in_list || matches!(self.column.kind, ColumnType::One(_))
    }
}

impl<'de, S: RowSink> DeserializeSeed<'de> for Cell<'_, S> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, S: RowSink> Visitor<'de> for Cell<'_, S> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.column.kind)
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<(), E> {
        if self.takes_one() && self.column.scalar() == Scalar::Bool {
            self.give(Value::Bool(value));
            return Ok(());
        }
        Err(self.misfit(Found::Bool(value)))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<(), E> {
        match scalar::of_u64(self.column.scalar(), value).filter(|_| self.takes_one()) {
            Some(found) => self.give(found.get()),
            None => return Err(self.misfit(Found::number(value))),
        }
        Ok(())
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<(), E> {
        match scalar::of_i64(self.column.scalar(), value).filter(|_| self.takes_one()) {
            Some(found) => self.give(found.get()),
            None => return Err(self.misfit(Found::number(value))),
        }
        Ok(())
    }

    /// A fraction, an exponent, or more than 64 bits: digits are lost, so that it fits nowhere.
    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<(), E> {
        Err(self.misfit(Found::double(value)))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<(), E> {
        match scalar::of_text(self.column.scalar(), value).filter(|_| self.takes_one()) {
            Some(found) => self.give(found.get()),
            None => return Err(self.misfit(Found::text(value))),
        }
        Ok(())
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        if self.column.nullable && !self.in_list {
            self.give(Value::Null);
            return Ok(());
        }
        Err(self.misfit(Found::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let ColumnType::List(scalar) = self.column.kind else {
            return Err(self.misfit(Found::Array));
        };
        if self.in_list {
            return Err(self.misfit(Found::Array));
        }
        let Self { place, column, sink, fault, .. } = self;
        if scalar == Scalar::Json {
            while let Some(raw) = items.next_element::<&RawValue>()? {
                sink.item(place, json_text(raw.get(), column, fault).map_err(A::Error::custom)?);
            }
        } else {
            while items
                .next_element_seed(Cell { place, column, in_list: true, sink: &mut *sink, fault: &mut *fault })?
                .is_some()
            {}
        }
        sink.end_list(place);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, _map: A) -> Result<(), A::Error> {
        Err(self.misfit(Found::Object))
    }
}
