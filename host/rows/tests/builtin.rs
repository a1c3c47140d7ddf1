//! The built-in rules: what they wrote fits their columns, and their columns are the keys of their schemas.

#![allow(clippy::unwrap_used)]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use refiner_manifest::{Manifest, Output};
use refiner_rows::{RowReader, json_schema};
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every output with columns, with the name of its rule.
fn outputs() -> Vec<(String, Output)> {
    let mut outputs = Vec::new();
    for entry in fs::read_dir(root().join("rules")).unwrap() {
        let Ok(text) = fs::read_to_string(entry.unwrap().path().join("rule.toml")) else { continue };
        let manifest = Manifest::parse(&text).unwrap();
        outputs.extend(manifest.outputs.into_iter().map(|output| (manifest.name.clone(), output)));
    }
    outputs.retain(|(_, output)| !output.columns.is_empty());
    outputs
}

#[test]
fn every_output_of_rows_has_columns_and_every_row_of_the_goldens_fits_them() {
    let outputs = outputs();
    assert_eq!(outputs.len(), 12);
    for (rule, output) in outputs {
        let reader = RowReader::new(&output.columns);
        let (mut files, mut rows) = (0, 0);
        for entry in fs::read_dir(root().join("rules").join(&rule).join("goldens")).unwrap() {
            let path = entry.unwrap().path();
            if path.to_string_lossy().ends_with(&format!(".{rule}.{}", output.name)) {
                files += 1;
                rows += reader
                    .check(&fs::read(&path).unwrap())
                    .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            }
        }
        assert!(files > 0 && rows > 0, "{rule} {}: {rows} rows in {files} files", output.name);
    }
}

#[test]
fn no_two_rows_of_an_output_have_the_same_key() {
    for (rule, output) in outputs() {
        let key: Vec<_> = output.columns.iter().filter(|column| column.key).collect();
        let (mut keys, mut rows) = (BTreeSet::new(), 0);
        for entry in fs::read_dir(root().join("rules").join(&rule).join("goldens")).unwrap() {
            let path = entry.unwrap().path();
            if !path.to_string_lossy().ends_with(&format!(".{rule}.{}", output.name)) {
                continue;
            }
            for row in fs::read_to_string(&path).unwrap().lines() {
                let row: Value = serde_json::from_str(row).unwrap();
                let values: Vec<_> = key.iter().map(|column| row[column.field()].to_string()).collect();
                assert!(keys.insert(values), "{}: {row}", path.display());
                rows += 1;
            }
        }
        assert!(rows > 0, "{rule} {}", output.name);
    }
}

#[test]
fn columns_are_the_keys_of_the_schema_in_its_order_and_null_where_it_has_null() {
    for (rule, output) in outputs() {
        let schema = fs::read_to_string(root().join(output.schema.as_deref().unwrap())).unwrap();
        let schema: Value = serde_json::from_str(&schema).unwrap();
        let made = json_schema(&output.name, &output.columns);
        let keys = |schema: &Value| schema["properties"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&made), keys(&schema), "{rule} {}", output.name);
        let required: BTreeSet<_> = schema["required"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        for column in &output.columns {
            let property = &schema["properties"][column.field()];
            let null =
                property["oneOf"].as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind["type"] == "null"));
            assert_eq!(column.nullable, null || !required.contains(column.field()), "{rule} {}", column.name);
        }
        let key: Vec<_> =
            output.columns.iter().filter(|column| column.key).map(|column| column.name.as_str()).collect();
        assert_eq!(key[..3], ["chain_id", "block_number", "block_hash"], "{rule} {}", output.name);
    }
}
