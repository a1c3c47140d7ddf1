//! Rows as the SDK writes them, read without a parser of all of JSON: keys in the order of the columns, no space between tokens, no escapes in
//! texts. Everything else is left to serde, faults too, so that what a row is read as does not depend on which of the two reads it.

use refiner_manifest::{ColumnType, Scalar};

use super::{
    Expected, RowReader, RowSink, Seen,
    scalar::{self, Fitting},
};
use crate::Value;

/// Longer rows are left to serde, so that what is kept of a row of many short items stays small.
const ROW_BYTES_MAX: usize = 16 << 10;

/// The values of one row, until the whole row is read: a sink takes nothing of a row that serde has to read.
#[derive(Debug, Default)]
pub(super) struct Values<'a>(Vec<(usize, Part<'a>)>);

#[derive(Debug)]
enum Part<'a> {
    Value(Fitting<'a>),
    Item(Fitting<'a>),
    EndOfList,
}

impl<'a> Values<'a> {
    /// Reads a row. Gives its columns, or `None` where it is no row of this form.
    pub(super) fn read(&mut self, reader: &RowReader, line: &'a [u8]) -> Option<Seen> {
        self.0.clear();
        if line.len() > ROW_BYTES_MAX {
            return None;
        }
        let mut rest = Rest(line.strip_prefix(b"{")?.strip_suffix(b"}")?);
        let (mut seen, mut next) = (Seen::default(), 0);
        while !rest.0.is_empty() {
            if next > 0 {
                rest.skip(b",")?;
            }
            let place = rest.key(reader, next)?;
            seen.add(place);
            next = place + 1;
            self.value(place, &reader.columns[place], &mut rest)?;
        }
        Some(seen)
    }

    fn value(&mut self, place: usize, column: &Expected, rest: &mut Rest<'a>) -> Option<()> {
        match column.kind {
            ColumnType::One(_) if column.nullable && rest.skip(b"null").is_some() => {
                self.0.push((place, Part::Value(Value::Null.into())));
            }
            ColumnType::One(scalar) => self.0.push((place, Part::Value(rest.scalar(scalar)?))),
            ColumnType::List(scalar) => {
                rest.skip(b"[")?;
                if rest.skip(b"]").is_none() {
                    self.items(place, scalar, rest)?;
                }
                self.0.push((place, Part::EndOfList));
            }
        }
        Some(())
    }

    fn items(&mut self, place: usize, scalar: Scalar, rest: &mut Rest<'a>) -> Option<()> {
        loop {
            self.0.push((place, Part::Item(rest.scalar(scalar)?)));
            if rest.skip(b"]").is_some() {
                return Some(());
            }
            rest.skip(b",")?;
        }
    }

    /// Hands everything to `sink`.
    pub(super) fn give(&self, sink: &mut impl RowSink) {
        for (place, part) in &self.0 {
            match part {
                Part::Value(value) => sink.value(*place, value.get()),
                Part::Item(value) => sink.item(*place, value.get()),
                Part::EndOfList => sink.end_list(*place),
            }
        }
    }
}

/// The part of a row that is not read yet.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn skip(&mut self, token: &[u8]) -> Option<()> {
        self.0 = self.0.strip_prefix(token)?;
        Some(())
    }

    /// The column of a key that is none of those before it.
    fn key(&mut self, reader: &RowReader, next: usize) -> Option<usize> {
        let is_next = |column: &Expected| self.0.starts_with(&column.key);
        let place = if reader.columns.get(next).is_some_and(is_next) {
            next
        } else {
            let name = self.0.get(1..)?;
            let name = str::from_utf8(&name[..memchr::memchr(b'"', name)?]).ok()?;
            reader.place(name, next).filter(|place| *place > next)?
        };
        self.skip(&reader.columns[place].key)?;
        Some(place)
    }

    fn scalar(&mut self, scalar: Scalar) -> Option<Fitting<'a>> {
        match self.0.first()? {
            b'"' => self.text(scalar),
            b'0'..=b'9' => self.number(scalar),
            b't' if scalar == Scalar::Bool => self.skip(b"true").map(|()| Value::Bool(true).into()),
            b'f' if scalar == Scalar::Bool => self.skip(b"false").map(|()| Value::Bool(false).into()),
            _ => None,
        }
    }

    fn text(&mut self, scalar: Scalar) -> Option<Fitting<'a>> {
        let quoted = self.0.get(1..)?;
        let (text, rest) = quoted.split_at(memchr::memchr(b'"', quoted)?);
        // A fold, and no way out of the loop: the compiler takes many bytes at once.
        let is_literal = text.iter().fold(true, |literal, byte| literal & (*byte >= b' ') & (*byte != b'\\'));
        self.0 = rest.get(1..).filter(|_| is_literal)?;
        scalar::of_text(scalar, str::from_utf8(text).ok()?)
    }

    /// A whole number that is not negative, of at most as many digits as every `u64` may have.
    fn number(&mut self, scalar: Scalar) -> Option<Fitting<'a>> {
        const DIGITS_MAX: usize = 19;
        let count = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.0.split_at(count);
        // Behind more digits, or what makes a fraction of them, neither a comma nor an end follows.
        if count > DIGITS_MAX || (count > 1 && digits[0] == b'0') {
            return None;
        }
        self.0 = rest;
        let number = digits.iter().fold(0, |number, digit| 10 * number + u64::from(digit - b'0'));
        scalar::of_u64(scalar, number)
    }
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, strategy::ValueTree as _};
    use refiner_manifest::Column;

    use super::*;
    use crate::RowFault;

    #[derive(Debug, Default, PartialEq)]
    struct Log(Vec<String>);

    impl RowSink for Log {
        fn value(&mut self, column: usize, value: Value<'_>) {
            self.0.push(format!("{column} {value:?}"));
        }
        fn item(&mut self, column: usize, value: Value<'_>) {
            self.0.push(format!("{column} item {value:?}"));
        }
        fn end_list(&mut self, column: usize) {
            self.0.push(format!("{column} end"));
        }
        fn end_row(&mut self) {
            self.0.push("row".to_owned());
        }
    }

    /// A column of every type but JSON and a list of each, of which every other one may be null.
    fn reader() -> RowReader {
        let types =
            ["u8", "u16", "u32", "u64", "i64", "bool", "string", "bytes", "address", "hash", "u256", "i256", "time"];
        let kinds = types.iter().flat_map(|kind| [(*kind).to_owned(), format!("list<{kind}>")]);
        let column = |(index, kind): (usize, String)| Column {
            name: format!("c{index}"),
            kind: ColumnType::named(&kind).unwrap(),
            nullable: index % 4 < 2,
            key: false,
            field: (index == 4).then(|| "a \\b\"".to_owned()),
            doc: None,
        };
        RowReader::new(&kinds.enumerate().map(column).collect::<Vec<_>>())
    }

    fn by_serde(reader: &RowReader, line: &[u8]) -> (Result<(), RowFault>, Log) {
        let mut log = Log::default();
        (reader.any_row(line, &mut log), log)
    }

    /// None where it is left to serde.
    fn read(reader: &RowReader, line: &[u8]) -> Option<(Result<(), RowFault>, Log)> {
        let (mut values, mut log) = (Values::default(), Log::default());
        let seen = values.read(reader, line)?;
        values.give(&mut log);
        Some((reader.end(seen, &mut log), log))
    }

    /// A value that most often fits.
    fn value(scalar: Scalar) -> BoxedStrategy<String> {
        let text = match scalar {
            Scalar::U8 | Scalar::U16 | Scalar::U32 | Scalar::U64 | Scalar::I64 | Scalar::Time => "0|[1-9][0-9]{0,3}",
            Scalar::Bool => "true|false",
            Scalar::Address => "\"0x[0-9a-f]{40}\"",
            Scalar::Hash => "\"0x[0-9a-f]{64}\"",
            Scalar::Bytes => "\"0x([0-9a-f]{2}){0,9}\"",
            Scalar::U256 => "\"[1-9][0-9]{0,76}\"|[0-9]{1,21}|\"0x[0-9a-f]{1,64}\"",
            Scalar::I256 => "\"-?[1-9][0-9]{0,75}\"|-?[1-9][0-9]{0,17}",
            Scalar::String | Scalar::Json => "\"[ a-zß,:]{0,9}(\\\\n)?\"",
        };
        let odd = "null|\\[\\]|\\{\\}|-0|01|1e3|1\\.5|18446744073709551616|\"\\\\u00e9\"|\"\\u{1}\"|nul|\"";
        prop_oneof![150 => text, 1 => odd].boxed()
    }

    fn of_column(column: &Expected) -> BoxedStrategy<String> {
        match column.kind {
            ColumnType::One(scalar) if column.nullable => {
                prop_oneof![1 => Just("null".to_owned()), 3 => value(scalar)].boxed()
            }
            ColumnType::One(scalar) => value(scalar),
            ColumnType::List(scalar) => proptest::collection::vec(value(scalar), 0..3)
                .prop_map(|items| format!("[{}]", items.join(",")))
                .boxed(),
        }
    }

    /// Rows of which about half are as the SDK writes them: most keys in their order, and at times a byte too many, too few or another.
    fn row() -> impl Strategy<Value = Vec<u8>> {
        let reader = reader();
        let values: Vec<_> = reader.columns.iter().map(of_column).collect();
        let absent = proptest::collection::vec(0..60_u8, values.len());
        (values, absent, 0..40_usize, any::<prop::sample::Index>(), any::<u8>()).prop_map(
            move |(values, absent, change, place, byte)| {
                let mut parts: Vec<Vec<u8>> = Vec::new();
                for ((column, value), absent) in reader.columns.iter().zip(values).zip(absent) {
                    if absent > 0 && !(absent < 20 && column.nullable) {
                        parts.push([&column.key, value.as_bytes()].concat());
                    }
                }
                if change == 1 && parts.len() > 1 {
                    let first = place.index(parts.len());
                    parts.rotate_left(first);
                }
                let mut row = [b"{", parts.join(&b","[..]).as_slice(), b"}"].concat();
                let place = place.index(row.len());
                match change {
                    2..=5 => row.insert(place, byte),
                    6..=8 => row[place] = byte,
                    9 | 10 => drop(row.remove(place)),
                    11..=13 => row.insert(place, b" ,\"\\:[]{}0-n"[usize::from(byte) % 12]),
                    14 => row.truncate(place),
                    _ => {}
                }
                row
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn row_that_is_read_without_serde_is_read_as_serde_reads_it(row in row()) {
            let reader = reader();
            if let Some(read) = read(&reader, &row) {
                prop_assert_eq!(read, by_serde(&reader, &row), "{}", String::from_utf8_lossy(&row));
            }
        }
    }

    #[test]
    fn rows_of_the_sdk_are_read_without_serde() {
        let reader = reader();
        let mut runner = proptest::test_runner::TestRunner::deterministic();
        let rows = (0..400).map(|_| row().new_tree(&mut runner).unwrap().current());
        let plain = rows.filter(|row| read(&reader, row).is_some()).count();
        assert!((50..300).contains(&plain), "{plain} of 400");
    }

    #[test]
    fn row_of_many_items_is_left_to_serde() {
        let reader = reader();
        let row = |items: usize| format!("{{\"c1\":[{}0]}}", "0,".repeat(items)).into_bytes();
        assert!(read(&reader, &row(100)).is_some());
        assert!(read(&reader, &row(ROW_BYTES_MAX / 2)).is_none());
    }
}
