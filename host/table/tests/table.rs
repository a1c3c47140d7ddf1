//! Tables as their readers have them.

#![allow(clippy::unwrap_used)]

use std::io::{self, Write};

use arrow_array::{RecordBatch, cast::AsArray as _, types};
use arrow_ipc::reader::{FileReader, StreamReader};
use parquet::{
    arrow::arrow_reader::ParquetRecordBatchReaderBuilder,
    file::reader::{FileReader as _, SerializedFileReader},
};
use refiner_manifest::{Column, ColumnType};
use refiner_table::{ARROW_BATCH_ROWS, Format, Layout, Options, ROW_GROUP_ROWS_MAX, Table, TableError, WideNumbers};

fn column(name: &str, kind: &str) -> Column {
    let kind = ColumnType::named(kind).unwrap();
    Column { name: name.into(), kind, nullable: false, key: false, field: None, doc: None }
}

fn nullable(name: &str, kind: &str) -> Column {
    Column { nullable: true, ..column(name, kind) }
}

fn layout(columns: &[Column], wide: WideNumbers) -> Layout {
    Layout::new(columns, Options { wide, metadata: Vec::new() })
}

fn table(format: Format, layout: &Layout, pieces: &[&str]) -> Vec<u8> {
    let mut table = Table::begin(format, layout, Vec::new()).unwrap();
    for piece in pieces {
        table.append_ndjson(piece.as_bytes()).unwrap();
    }
    table.finish().unwrap().sink
}

fn read(format: Format, bytes: Vec<u8>) -> Vec<RecordBatch> {
    match format {
        Format::Parquet => {
            let reader = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(bytes)).unwrap();
            reader.with_batch_size(usize::MAX >> 1).build().unwrap().map(Result::unwrap).collect()
        }
        Format::ArrowFile => FileReader::try_new(io::Cursor::new(bytes), None).unwrap().map(Result::unwrap).collect(),
        Format::ArrowStream => StreamReader::try_new(bytes.as_slice(), None).unwrap().map(Result::unwrap).collect(),
        Format::Csv => panic!("no arrays"),
    }
}

const ALL_KINDS: [&str; 14] =
    ["u8", "u16", "u32", "u64", "i64", "bool", "string", "bytes", "address", "hash", "u256", "i256", "time", "json"];

fn all_kinds() -> (Vec<Column>, String) {
    let columns: Vec<_> = ALL_KINDS
        .iter()
        .flat_map(|kind| {
            [nullable(&format!("x_{kind}"), kind), nullable(&format!("l_{kind}"), &format!("list<{kind}>"))]
        })
        .collect();
    let values = [
        "255",
        "65535",
        "4294967295",
        "18446744073709551615",
        "-9223372036854775808",
        "true",
        "\"a,\\\"b\"",
        "\"0x00\"",
        &format!("\"0x{}\"", "a1".repeat(20)),
        &format!("\"0x{}\"", "b2".repeat(32)),
        "\"36893488147419103233\"",
        "\"-36893488147419103233\"",
        "1664150027",
        "{\"a\":1}",
    ]
    .map(str::to_owned);
    let cells: Vec<_> = ALL_KINDS
        .iter()
        .zip(values)
        .map(|(kind, value)| format!("\"x_{kind}\":{value},\"l_{kind}\":[{value},{value}]"))
        .collect();
    let lists: Vec<_> = ALL_KINDS.iter().map(|kind| format!("\"l_{kind}\":[]")).collect();
    (columns, format!("{{{}}}\n{{}}\n{{{}}}\n", cells.join(","), lists.join(",")))
}

#[test]
fn every_type_is_the_same_in_parquet_and_arrow_files() {
    let (columns, rows) = all_kinds();
    for wide in WideNumbers::ALL {
        let layout = layout(&columns, wide);
        let expected = layout.batch(rows.as_bytes()).unwrap();
        for format in [Format::Parquet, Format::ArrowFile, Format::ArrowStream] {
            let found = read(format, table(format, &layout, &[&rows]));
            assert_eq!(found.len(), 1);
            assert_eq!(found[0].columns(), expected.arrays().columns(), "{format} {wide}");
            let names: Vec<_> = found[0].schema().fields().iter().map(|field| field.name().clone()).collect();
            assert_eq!(names, layout.names().collect::<Vec<_>>());
        }
    }
}

#[test]
fn wide_numbers_have_the_form_that_was_chosen() {
    let columns = [column("x", "u256"), nullable("y", "i256")];
    let rows = "{\"x\":\"340282366920938463463374607431768211456\",\"y\":\"-1\"}\n";
    let schema = |wide| layout(&columns, wide).arrow_schema();
    assert_eq!(schema(WideNumbers::Both), "x: Utf8 not null\nx_f64: Float64 not null\ny: Utf8\ny_f64: Float64\n");
    assert_eq!(schema(WideNumbers::Text), "x: Utf8 not null\ny: Utf8\n");
    assert_eq!(schema(WideNumbers::Double), "x: Float64 not null\ny: Float64\n");
    assert_eq!(schema(WideNumbers::Decimal38), "x: Decimal128(38, 0) not null\ny: Decimal128(38, 0)\n");
    assert_eq!(schema(WideNumbers::Bytes), "x: FixedSizeBinary(32) not null\ny: FixedSizeBinary(32)\n");

    let csv = |wide, rows: &str| String::from_utf8(table(Format::Csv, &layout(&columns, wide), &[rows])).unwrap();
    let digits = "340282366920938463463374607431768211456";
    assert_eq!(csv(WideNumbers::Both, rows), format!("x,x_f64,y,y_f64\n{digits},3.402823669209385e38,-1,-1.0\n"));
    assert_eq!(csv(WideNumbers::Text, rows), format!("x,y\n{digits},-1\n"));
    let bytes = format!("x,y\n0x{}01{},0x{}\n", "00".repeat(15), "00".repeat(16), "ff".repeat(32));
    assert_eq!(csv(WideNumbers::Bytes, rows), bytes);
    let decimals = "{\"x\":\"99999999999999999999999999999999999999\",\"y\":null}\n";
    assert_eq!(csv(WideNumbers::Decimal38, decimals), "x,y\n99999999999999999999999999999999999999,\n");
}

#[test]
fn number_that_a_decimal_cannot_hold_is_an_error_with_its_row() {
    let layout = layout(&[column("x", "u256"), column("l", "list<u256>")], WideNumbers::Decimal38);
    let rows = format!("{{\"x\":1,\"l\":[]}}\n{{\"x\":1,\"l\":[7,\"1{}\"]}}\n", "0".repeat(38));
    let error = layout.batch(rows.as_bytes()).unwrap_err();
    let expected = format!("row 2, column l: expected at most 38 decimal digits, found 1{}", "0".repeat(38));
    assert!(matches!(error, TableError::MoreDigits { row: 2, .. }));
    assert_eq!(error.to_string(), expected);
}

#[test]
fn table_without_rows_is_a_file_with_its_columns() {
    let layout = layout(&[column("x", "u256"), nullable("l", "list<time>")], WideNumbers::Both);
    for format in [Format::Parquet, Format::ArrowFile, Format::ArrowStream] {
        for pieces in [&[][..], &[""], &["", ""]] {
            let bytes = table(format, &layout, pieces);
            assert_eq!(bytes, table(format, &layout, &[]), "an empty piece leaves no trace");
            assert_eq!(read(format, bytes).iter().map(RecordBatch::num_rows).sum::<usize>(), 0);
        }
    }
    assert_eq!(table(Format::Csv, &layout, &[]), b"x,x_f64,l\n");
}

#[test]
fn rows_that_do_not_fit_leave_the_table_as_it_was() {
    let layout = layout(&[column("x", "u8")], WideNumbers::Both);
    for format in Format::ALL {
        let mut one = Table::begin(format, &layout, Vec::new()).unwrap();
        one.append_ndjson(b"{\"x\":1}\n").unwrap();
        let error = one.append_ndjson(b"{\"x\":2}\n{\"x\":256}\n").unwrap_err();
        assert_eq!(error.to_string(), "row 2, key \"x\": expected u8, found the number 256");
        one.append_ndjson(b"{\"x\":3}\n").unwrap();
        assert_eq!(one.rows(), 2);
        let done = one.finish().unwrap();
        assert_eq!(done.rows, 2);
        assert_eq!(done.sink, table(format, &layout, &["{\"x\":1}\n", "{\"x\":3}\n"]), "{format}");
    }
}

#[test]
fn same_rows_are_the_same_bytes_and_no_file_names_a_version_or_a_time() {
    let (columns, rows) = all_kinds();
    let options = Options { metadata: vec![("b".into(), "2".into()), ("a".into(), "1".into())], ..Options::default() };
    for format in Format::ALL {
        let make = || table(format, &Layout::new(&columns, options.clone()), &[&rows, &rows]);
        let bytes = make();
        assert_eq!(bytes, make(), "{format}");
        for text in ["parquet-rs", "60."] {
            assert!(!bytes.windows(text.len()).any(|window| window == text.as_bytes()), "{format}: {text}");
        }
    }
}

#[test]
fn parquet_file_has_row_groups_within_their_bounds_zstd_filters_and_its_data_dictionary() {
    let key = Column { key: true, doc: Some("Position in the block.".into()), ..column("log_index", "u64") };
    let columns = [key, column("hash", "hash"), column("token", "address")];
    let row = |number: usize| {
        format!("{{\"log_index\":{number},\"hash\":\"0x{number:064x}\",\"token\":\"0x{:040x}\"}}\n", number % 7)
    };
    let rows = ROW_GROUP_ROWS_MAX + 1;
    let pieces: Vec<String> =
        (0..rows).step_by(10_000).map(|start| (start..rows.min(start + 10_000)).map(row).collect()).collect();
    let pieces: Vec<_> = pieces.iter().map(String::as_str).collect();
    let options = Options { metadata: vec![("rule".into(), "test 1".into())], ..Options::default() };
    let bytes = table(Format::Parquet, &Layout::new(&columns, options), &pieces);
    let reader = SerializedFileReader::new(bytes::Bytes::from(bytes)).unwrap();
    let metadata = reader.metadata();
    assert_eq!(metadata.file_metadata().created_by(), Some("refiner"));
    let counts: Vec<_> = metadata.row_groups().iter().map(|group| group.num_rows()).collect();
    assert_eq!(counts, [ROW_GROUP_ROWS_MAX as i64, 1]);
    let group = metadata.row_group(0);
    assert!(group.columns().iter().all(|chunk| chunk.compression().to_string().starts_with("ZSTD")));
    let filters: Vec<_> = group.columns().iter().map(|chunk| chunk.bloom_filter_offset().is_some()).collect();
    assert_eq!(filters, [false, true, false], "of hashes that no dictionary holds; the few tokens are in one");
    assert!(group.column(2).dictionary_page_offset().is_some());
    assert_eq!(
        group.column(0).statistics().and_then(|bounds| bounds.max_bytes_opt()).map(<[u8]>::to_vec),
        Some(131_071_u64.to_le_bytes().to_vec())
    );
    let notes = metadata.file_metadata().key_value_metadata().unwrap();
    let note = |key: &str| notes.iter().find(|note| note.key == key).and_then(|note| note.value.clone()).unwrap();
    assert_eq!(note("rule"), "test 1");
    let first = "[{\"name\":\"log_index\",\"type\":\"u64\",\"nullable\":false,\"key\":true,\"doc\":\"Position in the block.\"},";
    assert!(note("refiner.columns").starts_with(first), "{}", note("refiner.columns"));
}

#[test]
fn pieces_of_arrow_files_are_gathered_into_batches() {
    let layout = layout(&[column("x", "u64")], WideNumbers::Both);
    let piece: String = (0..1_000).map(|number| format!("{{\"x\":{number}}}\n")).collect();
    let pieces = vec![piece.as_str(); 70];
    for format in [Format::ArrowFile, Format::ArrowStream] {
        let batches = read(format, table(format, &layout, &pieces));
        let rows: Vec<_> = batches.iter().map(RecordBatch::num_rows).collect();
        assert_eq!(rows, [ARROW_BATCH_ROWS.next_multiple_of(1_000), 4_000]);
        let last = batches[1].column(0).as_primitive::<types::UInt64Type>();
        assert_eq!(last.value(last.len() - 1), 999);
    }
}

#[test]
fn csv_has_quotes_null_and_empty_text_as_readers_expect_them() {
    let columns = [
        nullable("s", "string"),
        nullable("t", "time"),
        nullable("b", "bool"),
        nullable("l", "list<u256>"),
        nullable("j", "json"),
    ];
    let rows = concat!(
        "{\"s\":\"a,\\\"b\\\"\\n\",\"t\":1664150027,\"b\":true,\"l\":[1,\"2\"],\"j\":{\"k\":null}}\n",
        "{\"s\":\"\",\"t\":null,\"l\":[]}\n",
    );
    let expected = "s,t,b,l,j\n\"a,\"\"b\"\"\n\",2022-09-25T23:53:47Z,true,\"[\"\"1\"\",\"\"2\"\"]\",\"{\"\"k\"\":null}\"\n\"\",,,[],\n";
    let found = table(Format::Csv, &layout(&columns, WideNumbers::Both), &[rows]);
    assert_eq!(String::from_utf8(found).unwrap(), expected);
}

/// A disk that is full after some bytes.
struct Full {
    left: usize,
}

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() > self.left {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        self.left -= bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn disk_without_room_is_named_as_such_wherever_it_ends() {
    let layout = layout(&[column("x", "u64")], WideNumbers::Both);
    for format in Format::ALL {
        let whole = table(format, &layout, &["{\"x\":1}\n"]).len();
        for left in 0..whole {
            let made = Table::begin(format, &layout, Full { left }).and_then(|mut table| {
                table.append_ndjson(b"{\"x\":1}\n")?;
                table.finish()
            });
            match made.map(|_| ()) {
                Err(TableError::Write(error)) => assert_eq!(error.kind(), io::ErrorKind::StorageFull),
                other => panic!("{format} with {left} bytes: {other:?}"),
            }
        }
    }
}
