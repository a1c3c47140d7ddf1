//! Operators and imports that there are, so that none is left out.

use std::collections::BTreeSet;

use refiner_testruns::workspace;
use wit_parser::{Resolve, TypeDefKind};

use super::{Case, ROUNDS};

/// Calls that a limit of their own counts, or that end the run: no rule repeats them.
const COUNTED: [&str; 11] = [
    // `evm_executions`, with its handles.
    "refiner:rule/evm execute",
    "refiner:rule/evm [resource-drop]execution",
    "refiner:rule/traces [resource-drop]frames",
    "refiner:rule/state-changes [resource-drop]changes",
    "refiner:rule/gas-profile [resource-drop]profile",
    "refiner:rule/what-if execute",
    // `artifacts`.
    "refiner:rule/output [constructor]artifact",
    "refiner:rule/output [method]artifact.finish",
    "refiner:rule/output [resource-drop]artifact",
    // Once at the end, by every rule.
    "refiner:rule/specimen [resource-drop]block-specimen",
    // The end.
    "wasi:cli/exit exit",
];

/// Handles that no guest can come by, so that nobody drops one.
const OUT_OF_REACH: [&str; 7] = [
    "wasi:io/error [resource-drop]error",
    "wasi:cli/terminal-input [resource-drop]terminal-input",
    "wasi:cli/terminal-output [resource-drop]terminal-output",
    "wasi:filesystem/types [resource-drop]descriptor",
    "wasi:sockets/ip-name-lookup [resource-drop]resolve-address-stream",
    "wasi:sockets/tcp [resource-drop]tcp-socket",
    "wasi:sockets/udp [resource-drop]udp-socket",
];

/// Operators of the proposals that the engine profile leaves on, by their names in text with `_` for every `.`.
fn operators() -> BTreeSet<&'static str> {
    const ON: [&str; 7] =
        ["mvp", "sign_extension", "saturating_float_to_int", "bulk_memory", "reference_types", "tail_call", "simd"];
    macro_rules! names {
        ($(@$proposal:ident $op:ident $({ $($arg:ident: $argty:ty),* })? => $visit:ident ($($ann:tt)*))*) => {
            vec![$((stringify!($proposal), stringify!($visit))),*]
        };
    }
    let all = wasmparser::for_each_operator!(names);
    all.into_iter().filter(|(on, _)| ON.contains(on)).map(|(_, name)| name.trim_start_matches("visit_")).collect()
}

/// Functions of the contract and of sealed WASI, and drops of their handles: `package:name/interface function`.
fn imports() -> BTreeSet<String> {
    let mut resolve = Resolve::default();
    for contract in ["wit/refiner-rule-1", "tests/contract/1.0.0/wit"] {
        resolve.push_path(workspace().join(contract)).unwrap();
    }
    resolve.push_file(workspace().join("tests/hostile/wasi.wit")).unwrap();
    let mut imports = BTreeSet::new();
    for (_, interface) in resolve.interfaces.iter() {
        let package = interface.package.map(|id| &resolve.packages[id].name).unwrap();
        let Some(name) = interface.name.as_ref().filter(|name| package.namespace != "hostile" && *name != "rule")
        else {
            continue;
        };
        let name = format!("{}:{}/{name}", package.namespace, package.name);
        imports.extend(interface.functions.keys().map(|function| format!("{name} {function}")));
        let resources =
            interface.types.iter().filter(|(_, id)| matches!(resolve.types[**id].kind, TypeDefKind::Resource));
        imports.extend(resources.map(|(resource, _)| format!("{name} [resource-drop]{resource}")));
    }
    imports
}

/// Imports of a case, in the same form.
fn imports_of(case: &Case) -> Vec<String> {
    let rounds = if case.unit.contains("(call $rounds") { ROUNDS } else { "" };
    let text = format!("{rounds}{}", case.fields);
    let mut words = text.split('"');
    let mut imports = Vec::new();
    while let Some(word) = words.next() {
        if word.ends_with("(import ") {
            let (Some(module), Some(_), Some(function)) = (words.next(), words.next(), words.next()) else { break };
            let interface = module.split('@').next().unwrap();
            imports.push(format!("{interface} {function}"));
        }
    }
    imports
}

/// Fails where an operator or an import is in no case, or an exception is none.
pub fn check(cases: &[Case]) {
    let covered: BTreeSet<String> =
        cases.iter().flat_map(|case| &case.covers).map(|name| name.replace('.', "_")).collect();
    let missing: Vec<_> = operators().into_iter().filter(|name| !covered.contains(*name)).collect();
    assert!(missing.is_empty(), "operators in no case: {missing:?}");

    let all = imports();
    let exceptions: BTreeSet<_> = COUNTED.into_iter().chain(OUT_OF_REACH).map(str::to_owned).collect();
    let gone: Vec<_> = exceptions.difference(&all).collect();
    assert!(gone.is_empty(), "exceptions that are no imports: {gone:?}");
    let called: BTreeSet<_> = cases.iter().flat_map(imports_of).chain(exceptions).collect();
    let missing: Vec<_> = all.difference(&called).collect();
    assert!(missing.is_empty(), "imports in no case: {missing:?}");
    println!(
        "{} operators and {} imports have a case",
        operators().len(),
        all.len() - COUNTED.len() - OUT_OF_REACH.len()
    );
}
