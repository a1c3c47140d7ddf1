//! The committed tests are those that the generator makes.

#![allow(missing_docs, clippy::unwrap_used)]

use std::fs;

use refiner_conformance::make::{files, fixtures};

#[test]
fn committed_tests_are_what_the_generator_makes() {
    for (name, content) in files() {
        let committed = fs::read_to_string(fixtures().join(&name)).unwrap();
        assert!(committed == content, "{name} is stale: cargo run -p refiner-conformance --bin make-fixtures");
    }
}
