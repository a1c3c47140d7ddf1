//! Reading rows.

use refiner_manifest::{COLUMNS_MAX, Column, ColumnType, Scalar};
use serde::de::DeserializeSeed as _;

use crate::{RowError, RowFault, Value, error::quoted};

mod json;
mod plain;
mod row;
mod scalar;

/// A receiver of values, in the order of the row's keys. One error ends a reading: what came before it is to be thrown away.
pub trait RowSink {
    /// False for a sink that wants no null of a column that a row has no key for.
    const TAKES_ABSENT: bool = true;

    /// Takes the value of a column, by the column's place among the columns.
    fn value(&mut self, column: usize, value: Value<'_>);
    /// Takes an item of a list.
    fn item(&mut self, column: usize, value: Value<'_>);
    /// Takes the end of a list.
    fn end_list(&mut self, column: usize);
    /// Takes the end of a row. Every column had one value or list by then.
    fn end_row(&mut self);
}

/// A collector of the rows of a run, which reads them in place of their check, so that they are read once.
pub trait RowCollector: Send + Sync {
    /// Reads the rows of an output and keeps them. Gives what [`RowReader::read`] gives for the output's columns, since it decides about
    /// the run; or `None` where it keeps none of them, and they are to be checked without it.
    fn collect(&self, output: &str, ndjson: &[u8]) -> Option<Result<u64, RowError>>;
}

/// Takes nothing: for checks.
impl RowSink for () {
    const TAKES_ABSENT: bool = false;

    fn value(&mut self, _column: usize, _value: Value<'_>) {}
    fn item(&mut self, _column: usize, _value: Value<'_>) {}
    fn end_list(&mut self, _column: usize) {}
    fn end_row(&mut self) {}
}

/// A reader of the rows of one output.
#[derive(Clone, Debug)]
pub struct RowReader {
    columns: Vec<Expected>,
    /// Places of the columns in the order of their keys.
    by_field: Vec<usize>,
    /// Columns that every row has.
    required: Seen,
    /// False where each row may have a value that needs all of JSON.
    is_plain: bool,
}

/// A column as a reader needs it.
#[derive(Clone, Debug)]
struct Expected {
    field: Box<str>,
    /// The key and its colon, as a row has them.
    key: Box<[u8]>,
    kind: ColumnType,
    nullable: bool,
}

impl RowReader {
    /// A reader for these columns, which a manifest has at most 128 of.
    pub fn new(columns: &[Column]) -> Self {
        debug_assert!(columns.len() <= COLUMNS_MAX, "a manifest has no more");
        let columns: Vec<_> = columns.iter().map(Expected::of).collect();
        let mut by_field: Vec<_> = (0..columns.len()).collect();
        by_field.sort_by(|one, other| columns[*one].field.cmp(&columns[*other].field));
        let mut required = Seen::default();
        for (place, _) in columns.iter().enumerate().filter(|(_, column)| !column.nullable) {
            required.add(place);
        }
        let is_plain = columns.iter().all(|column| column.scalar() != Scalar::Json);
        Self { columns, by_field, required, is_plain }
    }

    /// Checks every row. Gives their number.
    ///
    /// # Errors
    ///
    /// [`RowError`] with the first row that does not fit.
    pub fn check(&self, ndjson: &[u8]) -> Result<u64, RowError> {
        self.read(ndjson, &mut ())
    }

    /// Hands every value to `sink`. Gives the number of rows; bytes that are empty have none.
    ///
    /// # Errors
    ///
    /// [`RowError`] with the first row that does not fit.
    pub fn read(&self, ndjson: &[u8], sink: &mut impl RowSink) -> Result<u64, RowError> {
        let mut rows = 0;
        let mut plain = plain::Values::default();
        for line in lines(ndjson) {
            rows += 1;
            let seen = self.is_plain.then(|| plain.read(self, line)).flatten();
            let read = match seen {
                Some(seen) => {
                    plain.give(sink);
                    self.end(seen, sink)
                }
                None => self.any_row(line, sink),
            };
            read.map_err(|fault| RowError { row: rows, fault })?;
        }
        Ok(rows)
    }

    /// Reads a row in whatever form of JSON it is.
    fn any_row(&self, line: &[u8], sink: &mut impl RowSink) -> Result<(), RowFault> {
        let mut fault = None;
        let mut deserializer = serde_json::Deserializer::from_slice(line);
        let seed = row::Row { reader: self, sink, fault: &mut fault };
        let seen = seed.deserialize(&mut deserializer).and_then(|seen| deserializer.end().map(|()| seen));
        match (fault, seen) {
            (Some(fault), _) => Err(fault),
            (None, Err(error)) => Err(RowFault::NotAnObject { byte: error.column().max(1) }),
            (None, Ok(seen)) => self.end(seen, sink),
        }
    }

    /// Ends a row, whose other columns are null.
    fn end<S: RowSink>(&self, seen: Seen, sink: &mut S) -> Result<(), RowFault> {
        if let Some(column) = self.required.first_without(seen).and_then(|place| self.columns.get(place)) {
            return Err(RowFault::Missing { key: quoted(&column.field), expected: column.kind });
        }
        if S::TAKES_ABSENT {
            (0..self.columns.len()).filter(|place| !seen.has(*place)).for_each(|place| sink.value(place, Value::Null));
        }
        sink.end_row();
        Ok(())
    }

    /// The place of the column that is read from this key; most often the one after the last.
    fn place(&self, field: &str, guess: usize) -> Option<usize> {
        if self.columns.get(guess).is_some_and(|column| *column.field == *field) {
            return Some(guess);
        }
        let found = self.by_field.binary_search_by(|place| (*self.columns[*place].field).cmp(field));
        found.ok().map(|at| self.by_field[at])
    }
}

/// Some of the columns: those that a row had.
#[derive(Clone, Copy, Debug, Default)]
struct Seen(u128);

impl Seen {
    const fn has(self, place: usize) -> bool {
        self.0 >> place & 1 == 1
    }

    /// The first of these that is not among the others.
    const fn first_without(self, others: Self) -> Option<usize> {
        let left = self.0 & !others.0;
        if left == 0 { None } else { Some(left.trailing_zeros() as usize) }
    }

    /// False where it was there before.
    const fn add(&mut self, place: usize) -> bool {
        let new = !self.has(place);
        self.0 |= 1 << place;
        new
    }
}

/// Lines, of which the last may lack its end. What follows the last line feed is none when it is empty.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split_inclusive(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\n").unwrap_or(line))
}

impl Expected {
    fn of(column: &Column) -> Self {
        let field = column.field();
        let key = format!("{}:", serde_json::Value::from(field)).into_bytes().into();
        Self { field: field.into(), key, kind: column.kind, nullable: column.nullable }
    }

    fn misfit(&self, found: crate::Found) -> RowFault {
        let Self { field, kind, nullable, .. } = self;
        RowFault::Misfit { key: quoted(field), expected: *kind, nullable: *nullable, found }
    }

    /// The type of a value or of an item.
    const fn scalar(&self) -> Scalar {
        match self.kind {
            ColumnType::One(scalar) | ColumnType::List(scalar) => scalar,
        }
    }
}
