//! Tables as DuckDB, Polars and pandas open them. `cargo xtask readers` installs the three; without them these tests print a line
//! and pass.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::{
    collections::BTreeMap,
    env, fs,
    io::BufWriter,
    path::{Path, PathBuf},
    process::Command,
};

use refiner_manifest::{Column, ColumnType, Manifest, Output};
use refiner_rows::{RowSink, Value};
use refiner_table::{Format, Layout, Options, Table};
use serde_json::{Value as Json, json};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The interpreter that has the readers, or a line on why there is none.
fn python() -> Option<PathBuf> {
    let python = root().join("target/readers/bin/python");
    if !root().join("target/readers/ready").is_file() {
        let reason = fs::read_to_string(root().join("target/readers/skipped"));
        println!("skipped: {}", reason.unwrap_or_else(|_| "`cargo xtask readers` has not run".to_owned()));
        return None;
    }
    Some(python)
}

/// What a script of this folder prints.
fn answer(python: &Path, script: &str, arguments: &[&Path]) -> Json {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/readers").join(script);
    let output = Command::new(python).arg("-B").arg(script).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn write(folder: &Path, name: &str, format: Format, columns: &[Column], pieces: &[Vec<u8>]) -> u64 {
    let file = fs::File::create(folder.join(name).with_extension(format.extension())).unwrap();
    let layout = Layout::new(columns, Options::default());
    let mut table = Table::begin(format, &layout, BufWriter::new(file)).unwrap();
    for piece in pieces {
        table.append_ndjson(piece).unwrap();
    }
    table.finish().unwrap().rows
}

/// Decimal digits of a sum, added as one does on paper: no library of numbers is part of it.
fn add(sum: &str, addend: &str) -> String {
    let (mut one, mut other) = (sum.bytes().rev(), addend.bytes().rev());
    let (mut digits, mut carried) = (Vec::new(), 0);
    loop {
        let (a, b) = (one.next(), other.next());
        if a.is_none() && b.is_none() && carried == 0 {
            break;
        }
        let value = a.map_or(0, |digit| digit - b'0') + b.map_or(0, |digit| digit - b'0') + carried;
        digits.push(b'0' + value % 10);
        carried = value / 10;
    }
    String::from_utf8(digits.into_iter().rev().collect()).unwrap()
}

/// Sums of wide columns and the earliest time, by the reader of rows alone.
struct Sums<'a> {
    columns: &'a [Column],
    sums: BTreeMap<String, String>,
    first: Option<u64>,
}

impl RowSink for Sums<'_> {
    fn value(&mut self, column: usize, value: Value<'_>) {
        let column = &self.columns[column];
        match (column.kind, value) {
            (ColumnType::One(scalar), Value::Text(digits)) if scalar.is_wide() => {
                let sum = self.sums.entry(column.name.clone()).or_insert_with(|| "0".into());
                *sum = add(sum, digits);
            }
            (ColumnType::One(refiner_manifest::Scalar::Time), Value::Unsigned(seconds)) => {
                self.first = Some(self.first.map_or(seconds, |first| first.min(seconds)));
            }
            _ => {}
        }
    }
    fn item(&mut self, _column: usize, _value: Value<'_>) {}
    fn end_list(&mut self, _column: usize) {}
    fn end_row(&mut self) {}
}

fn wide(columns: &[Column]) -> Vec<&str> {
    let wide = columns.iter().filter(|column| matches!(column.kind, ColumnType::One(scalar) if scalar.is_wide()));
    wide.map(|column| column.name.as_str()).collect()
}

/// The columns with rows of every size of number, drawn by a fixed sequence.
fn drawn() -> (Vec<Column>, Vec<Vec<u8>>) {
    let column = |name: &str, kind: &str, nullable| {
        let kind = ColumnType::named(kind).unwrap();
        Column { name: name.into(), kind, nullable, key: false, field: None, doc: None }
    };
    let columns = vec![
        column("block_number", "u64", false),
        column("block_time", "time", false),
        column("token", "address", false),
        column("amount", "u256", false),
        column("token_id", "u256", true),
        column("note", "string", true),
        column("topics", "list<hash>", false),
        column("undone", "bool", false),
    ];
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut row = |number: u64| {
        let limbs: Vec<_> = (0..number % 4 + 1).map(|_| format!("{:016x}", next())).collect();
        let (amount, id) =
            (limbs.concat(), if number.is_multiple_of(3) { "null".into() } else { format!("\"{}\"", next()) });
        let topics: Vec<_> = (0..number % 3).map(|topic| format!("\"0x{topic:064x}\"")).collect();
        let note = ["null", "\"\"", "\"a,b\\n\\\"c\\\"\"", "\"größe\""][usize::try_from(number % 4).unwrap()];
        format!(
            "{{\"block_number\":{},\"block_time\":{},\"token\":\"0x{:040x}\",\"amount\":\"0x{amount}\",\"token_id\":{id},\"note\":{note},\
             \"topics\":[{}],\"undone\":{}}}\n",
            u64::MAX - number,
            1_664_150_027 + number,
            number % 50,
            topics.join(","),
            number.is_multiple_of(2)
        )
    };
    let pieces = (0..10).map(|piece| (0..500).map(|number| row(piece * 500 + number)).collect::<String>().into_bytes());
    (columns, pieces.collect())
}

/// Rows that the built-in rules wrote over the samples, a piece a block.
fn goldens(rule: &str, output: &Output) -> Vec<Vec<u8>> {
    let folder = root().join("rules").join(rule).join("goldens");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.to_string_lossy().ends_with(&format!(".{rule}.{}", output.name)));
    paths.sort();
    paths.into_iter().map(|path| fs::read(path).unwrap()).collect()
}

fn built_in() -> Vec<(String, Output)> {
    let mut outputs = Vec::new();
    for rule in [
        "access-sets",
        "logs",
        "opcode-gas",
        "state-access",
        "state-diffs",
        "token-transfers",
        "traces",
        "transaction-summary",
    ] {
        let text = fs::read_to_string(root().join("rules").join(rule).join("rule.toml")).unwrap();
        outputs.extend(Manifest::parse(&text).unwrap().outputs.into_iter().map(|output| (rule.to_owned(), output)));
    }
    outputs
}

fn table_name(output: &Output) -> String {
    output.name.trim_end_matches(".ndjson").replace('-', "_")
}

#[test]
fn readers_have_every_row_and_sum_wide_numbers_to_the_last_digit() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (columns, pieces) = drawn();
    let mut tables = vec![("drawn".to_owned(), columns.clone(), pieces), ("empty".to_owned(), columns, Vec::new())];
    for (rule, output) in built_in() {
        tables.push((table_name(&output), output.columns.clone(), goldens(&rule, &output)));
    }
    let (mut expected, mut names) = (BTreeMap::new(), BTreeMap::new());
    for (name, columns, pieces) in &tables {
        let mut sums = Sums { columns, sums: BTreeMap::new(), first: None };
        for column in wide(columns) {
            sums.sums.insert(column.to_owned(), "0".into());
        }
        let reader = refiner_rows::RowReader::new(columns);
        for piece in pieces {
            reader.read(piece, &mut sums).unwrap();
        }
        names.insert(name.clone(), wide(columns).into_iter().map(str::to_owned).collect::<Vec<_>>());
        for format in Format::ALL {
            let rows = write(folder.path(), name, format, columns, pieces);
            let layout = Layout::new(columns, Options::default());
            let columns: Vec<_> = layout.names().collect();
            let file = format!("{name}.{}", format.extension());
            for reader in ["duckdb", "polars", "pandas"] {
                // Text has no types: Polars and pandas read points in time when they are told to.
                let first = if format == Format::Csv && (reader != "duckdb" || rows == 0) { None } else { sums.first };
                expected.insert(
                    format!("{file} {reader}"),
                    json!({ "columns": columns, "rows": rows, "sums": sums.sums, "first": first }),
                );
            }
        }
    }
    fs::write(folder.path().join("wide.json"), json!(names).to_string()).unwrap();
    let found = answer(&python, "readers.py", &[folder.path()]);
    assert_eq!(found["tables"].as_object().unwrap().len(), tables.len() * 4 * 3);
    let wrong: Vec<_> = expected.iter().filter(|(table, expected)| found["tables"][table] != **expected).collect();
    for (table, expected) in &wrong {
        println!("{table}\n  expected {expected}\n  found    {}", found["tables"][table]);
    }
    assert!(wrong.is_empty(), "{} of {} tables were read otherwise", wrong.len(), expected.len());
    // No column has a name that DuckDB keeps for itself.
    for word in found["reserved"].as_array().unwrap() {
        let text = format!(
            "name = \"a\"\nversion = \"1\"\nworld = \"transform\"\nlayouts = []\nlicence = \"MIT\"\nsource = \"here\"\n[[outputs]]\nname = \"a\"\n\
             media-type = \"application/x-ndjson\"\n[[outputs.columns]]\nname = {word}\ntype = \"u8\"\n"
        );
        assert!(Manifest::parse(&text).is_err(), "{word}");
    }
}

#[test]
fn questions_of_the_examples_have_the_answers_that_stand_beside_them() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    for (rule, output) in built_in() {
        write(folder.path(), &table_name(&output), Format::Parquet, &output.columns, &goldens(&rule, &output));
    }
    let examples = root().join("docs/examples");
    let answers = answer(&python, "queries.py", &[&examples, folder.path()]);
    let answers = answers.as_object().unwrap();
    assert_eq!(answers.len(), 3);
    for (question, answer) in answers {
        let rows: Vec<Vec<String>> = serde_json::from_value(answer.clone()).unwrap();
        assert!(rows.len() > 1, "{question}: {rows:?}");
        let text = aligned(&rows);
        let path = examples.join(question).with_extension("txt");
        if env::var_os("REFINER_BLESS").is_some() {
            fs::write(&path, &text).unwrap();
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), text, "{question}: REFINER_BLESS=1 writes it anew");
    }
}

/// Columns of text, two spaces apart, without spaces at the end of a line.
fn aligned(rows: &[Vec<String>]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths: Vec<_> = (0..rows[0].len()).map(width).collect();
    rows.iter()
        .map(|row| {
            let cells: Vec<_> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
            format!("{}\n", cells.join("  ").trim_end())
        })
        .collect()
}
