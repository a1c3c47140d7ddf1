//! Settings of a TOML file.

use std::{fs, path::Path};

use toml::{Table, Value};

use crate::{
    problem::Problem,
    row::{Former, Row, Scope},
    table,
    values::Given,
};

/// Reads the settings of a file for a command. A key that is none of its settings is a problem.
pub(crate) fn read(path: &Path, scope: Scope, problems: &mut Vec<Problem>) -> Given {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(source) => {
            problems.push(Problem::File { path: path.to_owned(), source });
            return Given::new();
        }
    };
    let table: Table = match toml::from_str(&text) {
        Ok(table) => table,
        Err(source) => {
            let before = source.span().and_then(|span| text.as_bytes().get(..span.start));
            let line = before.map(|before| before.iter().filter(|byte| **byte == b'\n').count() + 1);
            problems.push(Problem::Toml { path: path.to_owned(), line, source: Box::new(source) });
            return Given::new();
        }
    };
    let mut given = Given::new();
    for (key, value) in table {
        let Some(row) = row_of(&key, scope) else {
            problems.push(Problem::Unknown { path: path.to_owned(), key });
            continue;
        };
        match texts(row, value) {
            Some(texts) => drop(given.insert(key, texts)),
            None => problems.push(Problem::Kind {
                key: row.name,
                expected: if row.list { "an array, such as [\"…\"]" } else { row.expected },
                path: path.to_owned(),
            }),
        }
    }
    given
}

/// The row of a key, by its present name or a former one.
fn row_of(key: &str, scope: Scope) -> Option<&'static Row> {
    let is_former = |former: &Former| matches!(former, Former::Name { name, .. } if *name == key);
    table::rows().find(|row| row.is_in(scope) && (row.name == key || row.former.iter().any(is_former)))
}

/// The texts of a value: an array is a list's, and a number or a switch stands without quotes.
fn texts(row: &Row, value: Value) -> Option<Vec<String>> {
    match value {
        Value::Array(entries) if row.list => entries.into_iter().map(text).collect(),
        Value::Array(_) => None,
        _ if row.list => None,
        single => Some(vec![text(single)?]),
    }
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Integer(number) => Some(number.to_string()),
        Value::Boolean(truth) => Some(truth.to_string()),
        Value::Float(_) | Value::Datetime(_) | Value::Array(_) | Value::Table(_) => None,
    }
}
