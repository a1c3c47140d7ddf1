//! Rows that a rule wrote, by columns of every type.

use refiner_manifest::{Column, ColumnType, Scalar};
use refiner_rows::RowReader;
use refiner_table::{Format, Layout, Options, Table, TableError, WideNumbers};

/// A column and a list of every type, each of which may be absent.
fn columns() -> Vec<Column> {
    let column = |name: String, kind| Column { name, kind, nullable: true, key: false, field: None, doc: None };
    let both = |scalar: Scalar| {
        [
            column(format!("x_{scalar}"), ColumnType::One(scalar)),
            column(format!("l_{scalar}"), ColumnType::List(scalar)),
        ]
    };
    Scalar::ALL.into_iter().flat_map(both).collect()
}

pub fn run(bytes: &[u8]) {
    let columns = columns();
    let checked = RowReader::new(&columns).check(bytes);
    for wide in WideNumbers::ALL {
        let layout = Layout::new(&columns, Options { wide, metadata: Vec::new() });
        match (layout.batch(bytes), &checked) {
            (Ok(batch), Ok(rows)) => assert_eq!(batch.rows(), *rows),
            (Err(TableError::Row(error)), Err(expected)) => assert_eq!(error, *expected),
            (Err(TableError::MoreDigits { .. }), Ok(_)) => assert_eq!(wide, WideNumbers::Decimal38),
            (batch, checked) => panic!("{wide}: {:?}, and the check gave {checked:?}", batch.map(|batch| batch.rows())),
        }
    }
    if let Ok(rows) = checked {
        let layout = Layout::new(&columns, Options::default());
        for format in Format::ALL {
            let mut table = Table::begin(format, &layout, Vec::new()).expect("memory takes what is written");
            table.append_ndjson(bytes).expect("the rows were checked");
            assert_eq!(table.finish().expect("memory takes what is written").rows, rows);
        }
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    let texts = [
        "{\"x_u8\":255,\"x_u64\":\"18446744073709551615\",\"x_i64\":-1,\"x_bool\":true,\"x_string\":\"a,\\\"b\\u0000\",\"x_bytes\":\"0x00ff\"}\n",
        "{\"x_u256\":\"0xff\",\"x_i256\":\"-170141183460469231731687303715884105728\",\"x_time\":1664150027,\"x_json\":{\"a\":[null,1.5]}}\n{}\n",
        "{\"l_u256\":[1,\"2\",\"0x3\"],\"l_json\":[null,[]],\"l_time\":[0],\"l_bool\":[]}\n{\"l_u8\":null}",
        "{\"x_address\":\"0xa1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1\",\"x_u8\":256}\n",
    ];
    texts.map(|text| text.as_bytes().to_vec()).into()
}
