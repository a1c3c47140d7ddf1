//! Components through admission, which reads them before anything is compiled.

use refiner_rule_model::{Grants, examine};

pub fn run(bytes: &[u8]) {
    for grants in [Grants::default(), Grants::all()] {
        if let Err(refusal) = examine(bytes, None, &grants) {
            assert!(!refusal.to_string().is_empty());
        }
    }
}

/// A manifest that admission takes.
pub(crate) const MANIFEST: &str = r#"name = "case"
version = "1.0.0"
world = "transform"
layouts = []
capabilities = []
licence = "Apache-2.0"
source = "tests/fuzz"
outputs = []
"#;

pub fn seeds() -> Vec<Vec<u8>> {
    let texts = [
        "(component)",
        r#"(component (core module $m (memory (export "memory") 1) (func (export "f") (result i32) (i32.const 7)))
            (core instance $i (instantiate $m)) (func (export "f") (result u32) (canon lift (core func $i "f"))))"#,
        r#"(component (import "refiner:rule/specimen@1.0.0" (instance $s (export "block-specimen" (type (sub resource)))))
            (alias export $s "block-specimen" (type $t)) (core func $drop (canon resource.drop $t)))"#,
        r#"(component (component $inner (import "x" (func $x (param "a" string)))) (core module (table 10 funcref)))"#,
    ];
    let components = texts.map(|text| wat::parse_str(text).expect("a component's text"));
    components.into_iter().map(|component| refiner_manifest::embed(&component, MANIFEST)).collect()
}
