//! A record in the making.

use alloy_primitives::U256;
use apache_avro::types::Value;

use super::{
    error::{Locate, Refusal, Say, Unsaid},
    scalar,
};
use crate::{Layout, PathSegment};

/// The fields of one record, in wire order, for one layout.
pub(super) struct Fields {
    layout: Layout,
    fields: Vec<(String, Value)>,
}

impl Fields {
    pub(super) const fn new(layout: Layout) -> Self {
        Self { layout, fields: Vec::new() }
    }

    pub(super) fn record(self) -> Value {
        Value::Record(self.fields)
    }

    pub(super) fn put(&mut self, name: &'static str, value: Value) {
        self.fields.push((name.to_owned(), value));
    }

    /// A hash or an address.
    pub(super) fn hash(&mut self, name: &'static str, hash: impl AsRef<[u8]>) {
        self.put(name, scalar::hex(hash));
    }

    pub(super) fn number(&mut self, name: &'static str, number: U256) {
        self.put(name, scalar::number(number));
    }

    pub(super) fn base64(&mut self, name: &'static str, bytes: impl AsRef<[u8]>) {
        self.put(name, scalar::base64(bytes));
    }

    pub(super) fn long(&mut self, name: &'static str, number: u64) -> Say<()> {
        self.put(name, scalar::long(number).at(name)?);
        Ok(())
    }

    /// Hex text, in 0.2 a double.
    pub(super) fn number_or_double(&mut self, name: &'static str, number: U256) -> Say<()> {
        let value =
            if self.layout == Layout::V0_2 { scalar::whole_double(number).at(name)? } else { scalar::number(number) };
        self.put(name, value);
        Ok(())
    }

    /// Hex text, in 0.2 a `long`.
    pub(super) fn number_or_long(&mut self, name: &'static str, number: impl Into<u128>) -> Say<()> {
        let number = number.into();
        if self.layout != Layout::V0_2 {
            self.number(name, U256::from(number));
            return Ok(());
        }
        // What does not fit in 64 bits fits in 63 even less.
        self.long(name, u64::try_from(number).unwrap_or(u64::MAX))
    }

    pub(super) fn optional<T>(&mut self, name: &'static str, value: Option<T>, say: impl FnOnce(T) -> Value) {
        self.put(name, scalar::optional(value.map(say)));
    }

    /// An array of what `say` gives for each item.
    pub(super) fn array<T>(&mut self, name: &'static str, items: &[T], say: impl Fn(&T) -> Say<Value>) -> Say<()> {
        self.put(name, array(items, say).at(name)?);
        Ok(())
    }

    /// A field of newer layouts that may be null. An older layout refuses a value, unless it says nothing
    /// (`says_nothing`): the producer fills some fields of some transactions with zeros that no reader misses.
    pub(super) fn since<T>(
        &mut self,
        since: Layout,
        name: &'static str,
        value: Option<T>,
        says_nothing: impl FnOnce(&T) -> bool,
        say: impl FnOnce(T) -> Say<Value>,
    ) -> Say<()> {
        if self.layout >= since {
            self.put(name, scalar::optional(value.map(say).transpose().at(name)?));
            return Ok(());
        }
        match value {
            Some(value) if !says_nothing(&value) => Err(Unsaid::new(Refusal::NoSuchField)).at(name),
            _ => Ok(()),
        }
    }
}

/// An array of what `say` gives for each item.
pub(super) fn array<T>(items: &[T], say: impl Fn(&T) -> Say<Value>) -> Say<Value> {
    let item = |(index, item): (usize, &T)| say(item).map_err(|unsaid| unsaid.within(PathSegment::Index(index)));
    items.iter().enumerate().map(item).collect::<Say<Vec<_>>>().map(Value::Array)
}
