//! Rows that fit their columns, and the nearest ones that do not.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use refiner_manifest::{Column, ColumnType};
use refiner_rows::{RowReader, RowSink, Value, json_schema};

fn column(name: &str, kind: &str) -> Column {
    let kind = ColumnType::named(kind).unwrap();
    Column { name: name.into(), kind, nullable: false, key: false, field: None, doc: None }
}

fn nullable(name: &str, kind: &str) -> Column {
    Column { nullable: true, ..column(name, kind) }
}

/// The error over one row, without `row 1`.
fn fault(columns: &[Column], row: &str) -> String {
    let error = RowReader::new(columns).check(row.as_bytes()).unwrap_err();
    assert_eq!(error.row, 1, "{error}");
    error.to_string().strip_prefix("row 1").unwrap().to_owned()
}

#[test]
fn values_fit_their_type_and_their_nearest_neighbours_do_not() {
    let (address, hash) = (format!("\"0x{}\"", "a1".repeat(20)), format!("\"0x{}\"", "0f".repeat(32)));
    let (address_and_more, hash_and_more) =
        (format!("\"0x{}\"", "a1".repeat(21)), format!("\"0x{}\"", "0f".repeat(33)));
    let capital = format!("\"0x{}\"", "A1".repeat(20));
    let max = "\"115792089237316195423570985008687907853269984665640564039457584007913129639935\"";
    let beyond = "\"115792089237316195423570985008687907853269984665640564039457584007913129639936\"";
    let cases: [(&str, &[&str], &[&str]); 14] = [
        ("u8", &["0", "255"], &["256", "-1", "1.0", "\"1\"", "null", "true"]),
        ("u16", &["65535"], &["65536"]),
        ("u32", &["4294967295"], &["4294967296"]),
        (
            "u64",
            &["18446744073709551615", "\"18446744073709551615\""],
            &["18446744073709551616", "\"18446744073709551616\"", "\"01\"", "\"\"", "\"-1\""],
        ),
        (
            "i64",
            &["-9223372036854775808", "9223372036854775807", "\"-9223372036854775808\""],
            &["9223372036854775808", "-9223372036854775809", "\"-0\""],
        ),
        ("bool", &["true", "false"], &["0", "\"true\"", "null"]),
        ("string", &["\"\"", "\"größe \\u0000 \\ud83e\\udd80\""], &["1", "null", "[]", "{}"]),
        ("bytes", &["\"0x\"", "\"0x00ff\""], &["\"0x0\"", "\"0xFF\"", "\"ff\"", "\"\"", "\"0x0g\"", "255"]),
        ("address", &[&address], &[&address_and_more, &capital, "\"0x\""]),
        ("hash", &[&hash], &[&hash_and_more, &address]),
        (
            "u256",
            &["0", "18446744073709551615", max, "\"0x0\"", "\"0xFf\""],
            &["18446744073709551616", "1e3", "-1", beyond, "\"1.0\"", "\"0x\"", "\"-1\"", "\"\""],
        ),
        ("i256", &["-1", "\"-12\"", "18446744073709551615"], &[max, "\"-0\"", "\"0xff\"", "-1e3"]),
        ("time", &["0", "253402300799"], &["253402300800", "-1", "\"0\"", "\"1970-01-01T00:00:00Z\""]),
        ("json", &["{\"a\":[null,1.5]}", "\"x\"", "7", "[]"], &["null"]),
    ];
    for (kind, good, bad) in cases {
        for (kind, wrap) in [(kind.to_owned(), ("", "")), (format!("list<{kind}>"), ("[", "]"))] {
            let reader = RowReader::new(&[column("x", &kind)]);
            for value in good {
                let row = format!("{{\"x\":{}{value}{}}}\n", wrap.0, wrap.1);
                assert_eq!(reader.check(row.as_bytes()), Ok(1), "{kind}: {row}");
            }
            // Any JSON is an item of a list of JSON, null too.
            for value in bad.iter().filter(|_| kind != "list<json>") {
                let row = format!("{{\"x\":{}{value}{}}}\n", wrap.0, wrap.1);
                let error = reader.check(row.as_bytes()).expect_err(&row).to_string();
                assert!(error.starts_with(&format!("row 1, key \"x\": expected {kind}, found ")), "{row}: {error}");
            }
        }
    }
}

#[test]
fn fault_names_the_row_the_key_what_was_expected_and_what_was_found() {
    let columns = [column("amount", "u256"), nullable("note", "string"), column("items", "list<u8>")];
    for (row, expected) in [
        (
            "{\"amount\":1.5,\"items\":[]}",
            ", key \"amount\": expected u256, found a number with a fraction or an exponent",
        ),
        (
            "{\"amount\":0,\"items\":[1.0]}",
            ", key \"items\": expected list<u8>, found a number with a fraction or an exponent",
        ),
        (
            "{\"amount\":18446744073709551616,\"items\":[]}",
            ", key \"amount\": expected u256, found a number above 64 bits, which is written as text",
        ),
        (
            "{\"amount\":-9223372036854775809,\"items\":[]}",
            ", key \"amount\": expected u256, found a number above 64 bits, which is written as text",
        ),
        (
            "{\"amount\":1e400,\"items\":[]}",
            ", key \"amount\": expected u256, found a number out of range, above 10^308",
        ),
        (
            "{\"amount\":0,\"items\":[1,-1e400]}",
            ", key \"items\": expected list<u8>, found a number out of range, above 10^308",
        ),
        ("{\"amount\":-0,\"items\":[]}", ", key \"amount\": expected u256, found the number -0"),
        ("{\"amount\":\"x\\ny\",\"items\":[]}", ", key \"amount\": expected u256, found the text \"x\\u{a}y\""),
        ("{\"amount\":0,\"note\":7,\"items\":[]}", ", key \"note\": expected string or null, found the number 7"),
        ("{\"amount\":0,\"items\":[1,256]}", ", key \"items\": expected list<u8>, found the number 256"),
        ("{\"amount\":0,\"items\":[[1]]}", ", key \"items\": expected list<u8>, found an array"),
        ("{\"amount\":0,\"items\":[null]}", ", key \"items\": expected list<u8>, found null"),
        ("{\"amount\":0,\"items\":7}", ", key \"items\": expected list<u8>, found the number 7"),
        ("{\"amount\":{},\"items\":[]}", ", key \"amount\": expected u256, found an object"),
        ("{\"amount\":0}", ", key \"items\": expected list<u8>, and the row has no such key"),
        ("{\"amount\":0,\"items\":[],\"extra\":1}", ", key \"extra\": no column is read from it"),
        ("{\"amount\":0,\"amount\":0,\"items\":[]}", ", key \"amount\": it is there twice"),
        ("[]", ": expected one JSON object, and there is none from byte 1 of the line on"),
        ("{\"amount\":0,\"items\":[]}{}", ": expected one JSON object, and there is none from byte 24 of the line on"),
        ("{\"amount\":0,", ": expected one JSON object, and there is none from byte 12 of the line on"),
        ("", ": expected one JSON object, and there is none from byte 1 of the line on"),
    ] {
        assert_eq!(fault(&columns, &format!("{row}\n")), expected, "{row}");
    }
    let long = fault(&columns, &format!("{{\"amount\":\"{}\"}}", "9".repeat(1_000)));
    assert!(long.len() < 200 && long.ends_with("…\""), "{long}");
}

#[test]
fn number_of_the_first_row_that_does_not_fit_is_given() {
    let reader = RowReader::new(&[column("x", "u8")]);
    for (rows, expected) in [
        ("", Ok(0)),
        ("{\"x\":1}", Ok(1)),
        ("{\"x\":1}\n{\"x\":2}\r\n", Ok(2)),
        ("{\"x\":1}\n\n{\"x\":2}\n", Err(2)),
        ("{\"x\":1}\n{\"x\":2}\n{\"x\":-3}\n{\"x\":-4}\n", Err(3)),
        ("{\"x\":1}\n\u{feff}{\"x\":2}\n", Err(2)),
    ] {
        assert_eq!(reader.check(rows.as_bytes()).map_err(|error| error.row), expected, "{rows:?}");
    }
    assert_eq!(reader.check(b"{\"x\":1}\n{\"x\":\"\xff\"}").map_err(|error| error.row), Err(2), "no UTF-8");
}

#[test]
fn value_is_read_from_the_key_that_its_column_names() {
    let from = Column { field: Some("from".into()), ..column("from_address", "string") };
    let reader = RowReader::new(&[column("x", "u8"), from]);
    assert_eq!(reader.check(b"{\"from\":\"a\",\"x\":1}"), Ok(1));
    assert!(reader.check(b"{\"from_address\":\"a\",\"x\":1}").is_err());
}

/// Everything that a sink was given, as text.
#[derive(Default)]
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
        self.0.push("row".into());
    }
}

#[test]
fn sink_has_one_value_of_every_column_for_each_row_and_wide_numbers_in_decimal_digits() {
    let columns = [
        column("a", "u256"),
        nullable("b", "u8"),
        column("c", "list<u256>"),
        nullable("d", "list<u8>"),
        nullable("e", "json"),
    ];
    let mut log = Log::default();
    let rows =
        "{\"c\":[\"0x10\",7],\"a\":\"0x00ff\",\"e\":{ \"k\": 1 }}\n{\"a\":5,\"b\":3,\"c\":[],\"d\":null,\"e\":null}\n";
    assert_eq!(RowReader::new(&columns).read(rows.as_bytes(), &mut log), Ok(2));
    assert_eq!(
        log.0,
        [
            "2 item Text(\"16\")",
            "2 item Text(\"7\")",
            "2 end",
            "0 Text(\"255\")",
            "4 Text(\"{ \\\"k\\\": 1 }\")",
            "1 Null",
            "3 Null",
            "row",
            "0 Text(\"5\")",
            "1 Unsigned(3)",
            "2 end",
            "3 Null",
            "4 Null",
            "row",
        ]
    );
}

#[test]
fn schema_names_every_key_and_what_it_holds() {
    let from =
        Column { field: Some("from".into()), doc: Some("Owner before.".into()), ..nullable("from_address", "address") };
    let schema = json_schema("transfers", &[from, column("ids", "list<u8>"), nullable("more", "json")]);
    assert_eq!(schema["required"], serde_json::json!(["ids"]));
    assert_eq!(
        schema["properties"].to_string(),
        "{\"from\":{\"description\":\"Owner before.\",\"oneOf\":[{\"type\":\"string\",\"pattern\":\"^0x[0-9a-f]{40}$\"},{\"type\":\"null\"}]},\
         \"ids\":{\"type\":\"array\",\"items\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":255}},\"more\":{}}"
    );
}

fn nested(depth: usize) -> String {
    let (open, close) = ("[{\"k\":".repeat(depth / 2), "}]".repeat(depth / 2));
    if depth.is_multiple_of(2) { format!("{open}0{close}") } else { format!("{open}[]{close}") }
}

#[test]
fn json_that_makes_a_column_unreadable_does_not_fit() {
    let lone = |unit: &str| format!("a text with the lone surrogate \\u{unit}");
    let deep = || "more than 128 arrays and objects inside each other".to_owned();
    let brackets = format!("\"\\\"{}\"", "[".repeat(1_000));
    for (value, found) in [
        ("\"\\ud83e\\udd80 \\uD83E\\uDD80 \\ud7ff\\ue000\"".to_owned(), None),
        ("\"\\\\ud800\"".to_owned(), None),
        ("{\"a\":\"\\ud800\"}".to_owned(), Some(lone("d800"))),
        ("[\"\\ud83e\\udd80\\udd80\"]".to_owned(), Some(lone("dd80"))),
        ("\"\\ud83e\\ud83e\\udd80\"".to_owned(), Some(lone("d83e"))),
        ("\"\\udBFF\\\\udc00\"".to_owned(), Some(lone("dbff"))),
        ("\"\\ud83eu\\udd80\"".to_owned(), Some(lone("d83e"))),
        ("{\"\\udfff\":1}".to_owned(), Some(lone("dfff"))),
        (nested(128), None),
        (nested(129), Some(deep())),
        (nested(100_000), Some(deep())),
        (format!("[{}[]]", "[],".repeat(1_000)), None),
        (format!("[{brackets},{}]", nested(127)), None),
        (format!("[{brackets},{}]", nested(128)), Some(deep())),
    ] {
        for (kind, row) in [("json", format!("{{\"x\":{value}}}")), ("list<json>", format!("{{\"x\":[0,{value}]}}"))] {
            let columns = [column("x", kind)];
            match &found {
                None => assert_eq!(RowReader::new(&columns).check(row.as_bytes()), Ok(1), "{row}"),
                Some(found) => {
                    assert_eq!(fault(&columns, &row), format!(", key \"x\": expected {kind}, found {found}"));
                }
            }
        }
    }
}

proptest! {
    /// Whatever a rule writes has an answer, and the same one twice.
    #[test]
    fn bytes_have_one_answer(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let reader = RowReader::new(&[column("x", "u256"), nullable("y", "list<json>")]);
        prop_assert_eq!(reader.check(&bytes), reader.check(&bytes));
    }

    /// A number of 256 bits is the same in decimal and in hexadecimal digits.
    #[test]
    fn decimal_and_hexadecimal_digits_are_one_number(high in any::<u128>(), low in any::<u128>()) {
        let reader = RowReader::new(&[column("x", "u256")]);
        let mut log = Log::default();
        let row = format!("{{\"x\":\"0x{high:032x}{low:032x}\"}}");
        prop_assert_eq!(reader.read(row.as_bytes(), &mut log), Ok(1));
        let digits = log.0[0].trim_start_matches("0 Text(\"").trim_end_matches("\")").to_owned();
        // By long division of the digits: 2^128 times the upper half, and the lower one.
        let mut rest = digits.bytes().map(|byte| byte - b'0').collect::<Vec<_>>();
        let mut words = Vec::new();
        for _ in 0..8 {
            let mut carried = 0_u64;
            for digit in &mut rest {
                let value = carried * 10 + u64::from(*digit);
                *digit = u8::try_from(value >> 32).unwrap_or(0);
                carried = value & u64::from(u32::MAX);
                prop_assert!(value >> 32 < 10);
            }
            words.push(u128::from(carried));
        }
        let half = |words: &[u128]| words.iter().rev().fold(0_u128, |sum, word| sum << 32 | word);
        prop_assert_eq!((half(&words[4..]), half(&words[..4])), (high, low));
    }
}

#[test]
fn list_of_json_holds_null_for_the_reader_and_for_the_schema() {
    let columns = [column("x", "list<json>"), column("y", "list<u8>")];
    assert_eq!(RowReader::new(&columns).check(b"{\"x\":[null,1],\"y\":[]}"), Ok(1));
    assert_eq!(fault(&columns, "{\"x\":[],\"y\":[null]}"), ", key \"y\": expected list<u8>, found null");
    let properties = &json_schema("rows", &columns)["properties"];
    assert_eq!(properties["x"], serde_json::json!({ "type": "array" }));
    assert_eq!(properties["y"]["items"]["type"], "integer");
}
