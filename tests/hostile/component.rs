//! Components from the text of a case. The sandbox's tests and the acceptance tests both take this file in.

use std::path::{Path, PathBuf};

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// Gives a borrowed specimen back. It stands before the fields of a case because imports come first in a module.
const DROP: &str = r#"(import "refiner:rule/specimen@1.0.0" "[resource-drop]block-specimen" (func $drop (param i32)))"#;

/// A component over the contract from module fields, with `tests/hostile/parts.wat` behind them.
pub fn component(fields: &str) -> Vec<u8> {
    let parts = std::fs::read_to_string(root().join("tests/hostile/parts.wat")).unwrap();
    component_of_module(&format!("(module {DROP}\n{fields}\n{parts})"))
}

/// A component over the contract from a module's text.
pub fn component_of_module(module: &str) -> Vec<u8> {
    let mut module = wat::parse_str(module).unwrap();
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(root().join("wit/refiner-rule-1")).unwrap();
    let world = resolve.select_world(&[package], Some("transform-with-evm")).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().validate(true).module(&module).unwrap().encode().unwrap()
}

/// The root of the repository; every crate of the host is two folders below it.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
