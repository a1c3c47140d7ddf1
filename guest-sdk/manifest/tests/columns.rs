//! Columns in manifests: those that a table can have, and the nearest that it cannot.

#![allow(clippy::unwrap_used)]

use refiner_manifest::{
    COLUMN_FIELD_BYTES_MAX, COLUMN_NAME_BYTES_MAX, COLUMNS_MAX, Column, ColumnType, Manifest, Scalar,
};

fn manifest(media_type: &str, columns: &str) -> Result<Vec<Column>, String> {
    let text = format!(
        "name = \"a\"\nversion = \"1\"\nworld = \"transform\"\nlayouts = []\nlicence = \"MIT\"\nsource = \"here\"\n\
         [[outputs]]\nname = \"a.ndjson\"\nmedia-type = \"{media_type}\"\n{columns}"
    );
    Manifest::parse(&text).map(|manifest| manifest.outputs[0].columns.clone()).map_err(|error| error.to_string())
}

fn columns(columns: &[&str]) -> Result<Vec<Column>, String> {
    let text: String = columns.iter().map(|column| format!("[[outputs.columns]]\n{column}\n")).collect();
    manifest("application/x-ndjson", &text)
}

#[test]
fn column_has_a_name_a_type_and_what_else_is_known_of_it() {
    let found = columns(&[
        "name = \"block_number\"\ntype = \"u64\"\nkey = true",
        "name = \"from_address\"\ntype = \"list<address>\"\nnullable = true\nfield = \"from\"\ndoc = \"Owners.\"",
    ]);
    let [number, from] = <[Column; 2]>::try_from(found.unwrap()).unwrap();
    assert_eq!(
        (number.field(), number.kind, number.key, number.nullable),
        ("block_number", ColumnType::One(Scalar::U64), true, false)
    );
    assert_eq!(
        (from.field(), from.kind, from.key, from.nullable),
        ("from", ColumnType::List(Scalar::Address), false, true)
    );
    assert_eq!(from.doc.as_deref(), Some("Owners."));
    assert_eq!(columns(&[]), Ok(Vec::new()), "an output without columns");
}

#[test]
fn every_type_has_a_name_alone_and_in_a_list() {
    for scalar in Scalar::ALL {
        assert_eq!(ColumnType::named(scalar.as_str()), Some(ColumnType::One(scalar)));
        let list = ColumnType::List(scalar);
        assert_eq!(ColumnType::named(&list.to_string()), Some(list));
    }
    for name in ["", "U8", "u128", "list", "list<>", "list<u8", "list<list<u8>>", "list< u8>", "decimal256"] {
        assert_eq!(ColumnType::named(name), None, "{name}");
    }
}

#[test]
fn column_that_no_table_can_have_is_refused_by_name_with_what_is_allowed() {
    let at_the_end = |name: &str, columns: &[&str]| {
        let error = super_error(columns);
        error.strip_prefix(&format!("output \"a.ndjson\", column \"{name}\": ")).map(str::to_owned).unwrap_or(error)
    };
    let plain = format!(
        "SQL takes this name only in quotes; expected 1 to {COLUMN_NAME_BYTES_MAX} characters of a-z, 0-9 and '_', starting with a letter"
    );
    for name in ["", "blockNumber", "1st", "_x", "a-b", "a b", "größe", &"a".repeat(COLUMN_NAME_BYTES_MAX + 1)] {
        assert_eq!(at_the_end(name, &[&format!("name = \"{name}\"\ntype = \"u8\"")]), plain, "{name}");
    }
    assert!(columns(&[&format!("name = \"{}\"\ntype = \"u8\"", "a".repeat(COLUMN_NAME_BYTES_MAX))]).is_ok());
    for name in ["from", "to", "order", "group", "user", "table"] {
        let expected = "the name is a reserved word of SQL; take another, such as from_address for from";
        assert_eq!(at_the_end(name, &[&format!("name = \"{name}\"\ntype = \"u8\"")]), expected, "{name}");
    }
    let x = "name = \"x\"\ntype = \"u8\"";
    assert_eq!(at_the_end("x", &[x, "name = \"x\"\ntype = \"u16\"\nfield = \"y\""]), "the name is there twice");
    assert_eq!(
        at_the_end("y", &[x, "name = \"y\"\ntype = \"u8\"\nfield = \"x\""]),
        "another column is read from the same key of a row"
    );
    assert_eq!(
        at_the_end("x_f64", &["name = \"x_f64\"\ntype = \"u8\"", "name = \"x\"\ntype = \"u256\""]),
        "the doubles of the u256 or i256 column \"x\" have this name in tables; take another"
    );
    assert!(columns(&["name = \"x_f64\"\ntype = \"u8\"", x]).is_ok(), "nothing stands beside a u8");
    assert!(columns(&["name = \"x\"\ntype = \"u8\"\nkey = true\nnullable = true"]).is_ok(), "null is a value of a key");
    for kind in ["json", "list<u8>"] {
        let column = format!("name = \"x\"\ntype = \"{kind}\"\nkey = true");
        assert_eq!(at_the_end("x", &[&column]), "a key has a value that can be compared, no list and no json");
    }
    for (field, good) in
        [("", false), ("a\\nb", false), (&*"a".repeat(COLUMN_FIELD_BYTES_MAX + 1), false), ("größe b", true)]
    {
        let column = format!("name = \"x\"\ntype = \"u8\"\nfield = \"{field}\"");
        assert_eq!(columns(&[&column]).is_ok(), good, "{field}");
    }
    assert_eq!(
        at_the_end("x", &["name = \"x\"\ntype = \"u8\"\ndoc = \"a\\nb\""]),
        "doc is not a line of 1 to 1,024 bytes"
    );
}

fn super_error(texts: &[&str]) -> String {
    columns(texts).unwrap_err()
}

#[test]
fn type_that_there_is_not_is_refused_with_its_line_and_those_that_there_are() {
    let error = super_error(&["name = \"x\"\ntype = \"u128\""]);
    assert_eq!(
        error,
        "line 12: \"u128\" is no type of a column; there are u8, u16, u32, u64, i64, bool, string, bytes, address, hash, u256, i256, time, \
         json, and list<T> of each"
    );
    assert!(super_error(&["name = \"x\"\ntype = \"u8\"\nnull = true"]).contains("unknown field `null`"));
    assert!(super_error(&["type = \"u8\""]).contains("missing field `name`"));
}

#[test]
fn output_has_at_most_128_columns() {
    let texts: Vec<_> = (0..=COLUMNS_MAX).map(|number| format!("name = \"x{number}\"\ntype = \"u8\"")).collect();
    let texts: Vec<_> = texts.iter().map(String::as_str).collect();
    assert_eq!(columns(&texts[1..]).map(|columns| columns.len()), Ok(COLUMNS_MAX));
    assert_eq!(super_error(&texts), "129 outputs.columns are listed, and 128 are allowed");
}

#[test]
fn only_rows_have_columns() {
    let error = manifest("application/json", "[[outputs.columns]]\nname = \"x\"\ntype = \"u8\"\n").unwrap_err();
    assert_eq!(
        error,
        "output \"a.ndjson\", column \"x\": only outputs with the media type application/x-ndjson have rows and columns"
    );
}
