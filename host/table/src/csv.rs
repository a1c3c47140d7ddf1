//! Comma-separated values: RFC 4180 with line feeds. Null is an empty field, and empty text is `""`.

use std::io::{self, Write};

use arrow_array::{Array, ArrayRef, RecordBatch, cast::AsArray as _, types};
use arrow_schema::{DataType, SchemaRef};

/// Characters for which a field is quoted.
const SPECIAL: [char; 4] = [',', '"', '\n', '\r'];
const MICROSECONDS: i64 = 1_000_000;
const SECONDS_OF_A_DAY: i64 = 86_400;

/// The line of names.
pub(crate) fn names(schema: &SchemaRef, out: &mut impl Write) -> io::Result<()> {
    // SQL takes them without quotes, so that they need none here.
    let names: Vec<_> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    writeln!(out, "{}", names.join(","))
}

/// A line for each row.
pub(crate) fn rows(batch: &RecordBatch, out: &mut impl Write) -> io::Result<()> {
    let mut line = String::new();
    for row in 0..batch.num_rows() {
        line.clear();
        for (place, array) in batch.columns().iter().enumerate() {
            if place > 0 {
                line.push(',');
            }
            if array.is_valid(row) {
                field(array, row, &mut line);
            }
        }
        line.push('\n');
        out.write_all(line.as_bytes())?;
    }
    Ok(())
}

fn field(array: &ArrayRef, row: usize, line: &mut String) {
    match array.data_type() {
        DataType::Utf8 => quoted(array.as_string::<i32>().value(row), line),
        DataType::List(_) => quoted(&list(&array.as_list::<i32>().value(row)), line),
        _ => line.push_str(&plain(array, row)),
    }
}

/// A value that never needs quotes.
fn plain(array: &ArrayRef, row: usize) -> String {
    match array.data_type() {
        DataType::UInt8 => array.as_primitive::<types::UInt8Type>().value(row).to_string(),
        DataType::UInt16 => array.as_primitive::<types::UInt16Type>().value(row).to_string(),
        DataType::UInt32 => array.as_primitive::<types::UInt32Type>().value(row).to_string(),
        DataType::UInt64 => array.as_primitive::<types::UInt64Type>().value(row).to_string(),
        DataType::Int64 => array.as_primitive::<types::Int64Type>().value(row).to_string(),
        // With a point or an exponent: readers take the type of a column from how it looks.
        DataType::Float64 => format!("{:?}", array.as_primitive::<types::Float64Type>().value(row)),
        DataType::Decimal128(_, _) => array.as_primitive::<types::Decimal128Type>().value(row).to_string(),
        DataType::Boolean => array.as_boolean().value(row).to_string(),
        DataType::Timestamp(_, _) => time(array.as_primitive::<types::TimestampMicrosecondType>().value(row)),
        DataType::FixedSizeBinary(_) => hex(array.as_fixed_size_binary().value(row)),
        // A layout has no other types.
        _ => String::new(),
    }
}

/// A JSON array.
fn list(items: &ArrayRef) -> String {
    let texts = matches!(
        items.data_type(),
        DataType::Utf8 | DataType::Timestamp(_, _) | DataType::FixedSizeBinary(_) | DataType::Decimal128(_, _)
    );
    let items: Vec<_> = (0..items.len())
        .map(|place| match items.data_type() {
            DataType::Utf8 => serde_json::Value::from(items.as_string::<i32>().value(place)).to_string(),
            _ if texts => format!("\"{}\"", plain(items, place)),
            _ => plain(items, place),
        })
        .collect();
    format!("[{}]", items.join(","))
}

fn quoted(text: &str, line: &mut String) {
    if !text.is_empty() && !text.contains(SPECIAL) {
        line.push_str(text);
        return;
    }
    line.push('"');
    line.push_str(&text.replace('"', "\"\""));
    line.push('"');
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::from("0x"), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A point in time after 1970 as RFC 3339 has it, `2022-09-26T00:00:27Z`.
fn time(micros: i64) -> String {
    let seconds = micros.div_euclid(MICROSECONDS);
    let (days, second) = (seconds.div_euclid(SECONDS_OF_A_DAY), seconds.rem_euclid(SECONDS_OF_A_DAY));
    let (year, month, day) = date(days);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3_600, second / 60 % 60, second % 60)
}

/// Year, month and day of a number of days since 1970-01-01, by Howard Hinnant's `civil_from_days`: years begin in March, so that a
/// leap day is their last, and 400 of them have 146,097 days.
const fn date(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_in_time_are_written_as_rfc_3339_has_them() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_078_099_199, "2004-02-29T23:59:59Z"),
            (1_664_150_027, "2022-09-25T23:53:47Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(time(seconds * MICROSECONDS), expected);
        }
    }

    #[test]
    fn text_is_quoted_where_a_reader_would_split_it() {
        let check = |text: &str, expected: &str| {
            let mut line = String::new();
            quoted(text, &mut line);
            assert_eq!(line, expected);
        };
        check("plain größe", "plain größe");
        check("", "\"\"");
        check("a,b", "\"a,b\"");
        check("a\"b", "\"a\"\"b\"");
        check("a\nb\r", "\"a\nb\r\"");
    }
}
