//! Admission, just at each limit of the scan and just above.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use refiner_sandbox::{Capability, EngineProfile, Grants, LIMITS, Limit, ScanLimit, WASMTIME_VERSION};
use support::{GOOD, component, sandbox, workspace};

/// Reasons for which a component that is no rule is refused once the scan lets it pass.
const NO_RULE: &str = "does not export 'refiner:rule/rule', and every rule does";

#[test]
fn component_passes_at_each_limit_of_the_scan_and_is_refused_above() {
    let sandbox = sandbox();
    let refusal =
        |text: &str| sandbox.admit(&wat::parse_str(text).unwrap(), None, &Grants::all()).err().unwrap().to_string();
    let check = |limit: ScanLimit, text: &dyn Fn(usize) -> String| {
        let allowed = limit.allowed();
        let count = usize::try_from(allowed).unwrap();
        assert_eq!(refusal(&text(count)), NO_RULE, "{limit}");
        assert_eq!(refusal(&text(count + 1)), format!("{} {limit} found, and {allowed} are allowed", allowed + 1));
    };
    let module = |fields: String| format!("(component (core module {fields}))");
    check(ScanLimit::Depth, &|count| format!("{}{}", "(component ".repeat(count), ")".repeat(count)));
    check(ScanLimit::CoreInstances, &|count| {
        format!("(component (core module $m) {})", "(core instance (instantiate $m))".repeat(count))
    });
    check(ScanLimit::ComponentInstances, &|count| {
        format!("(component (component $c) {})", "(instance (instantiate $c))".repeat(count))
    });
    check(ScanLimit::Functions, &|count| module("(func)".repeat(count)));
    // Two groups, so that the sum counts and not the largest group.
    check(ScanLimit::Locals, &|count| module(format!("(func (local {}) (local i32))", "i64 ".repeat(count - 1))));
    // Three bytes beside the instructions: no locals, and the end.
    check(ScanLimit::FunctionBytes, &|count| module(format!("(func {})", "nop ".repeat(count - 2))));
    check(ScanLimit::Memories, &|count| module("(memory 1)".repeat(count)));
    check(ScanLimit::Tables, &|count| module("(table 1 funcref)".repeat(count)));
    check(ScanLimit::TableElements, &|count| module(format!("(table {count} funcref)")));
    check(ScanLimit::MemoryPages, &|count| module(format!("(memory {count})")));
    check(ScanLimit::Globals, &|count| module("(global i32 (i32.const 0))".repeat(count)));
    check(ScanLimit::CoreImports, &|count| module("(import \"\" \"\" (func))".repeat(count)));
    check(ScanLimit::ComponentFunctions, &|count| {
        format!("(component (type $r (resource (rep i32))) {})", "(core func (canon resource.drop $r))".repeat(count))
    });
    check(ScanLimit::Definitions, &|count| format!("(component {})", "(core module)".repeat(count - 1)));
    // Ten of one component, whose instances are counted each time.
    check(ScanLimit::CoreInstances, &|count| {
        let (ten, more) = (count / 10, count % 10);
        let inner = format!("(component $inner (core module $m) {})", "(core instance (instantiate $m))".repeat(ten));
        let instances = "(instance (instantiate $inner))".repeat(10);
        format!("(component {inner} {instances} (core module $m) {})", "(core instance (instantiate $m))".repeat(more))
    });
}

#[test]
fn counts_of_all_nested_modules_are_summed() {
    let two = "(component (core module (memory 1) (memory 1)) (core module (memory 1)";
    let text = format!("{two} {}))", "(memory 1)".repeat(14));
    let refusal = sandbox().admit(&wat::parse_str(text).unwrap(), None, &Grants::all()).err().unwrap().to_string();
    assert_eq!(refusal, "17 memories found, and 16 are allowed");
}

#[test]
fn no_prefix_of_a_rule_is_admitted() {
    let sandbox = sandbox();
    let rule = component(GOOD);
    for len in 0..rule.len() {
        assert!(sandbox.admit(&rule[..len], None, &Grants::all()).is_err(), "{len} of {} bytes", rule.len());
    }
}

#[test]
fn rule_with_any_one_byte_changed_is_refused_or_runs_and_never_panics() {
    let sandbox = sandbox();
    let rule = component(GOOD);
    for position in 0..rule.len() {
        let mut changed = rule.clone();
        changed[position] ^= 0x41;
        if let Ok(admitted) = sandbox.admit(&changed, None, &Grants::all()) {
            let mut input = support::input(&admitted);
            input.limits.lower(Limit::Fuel, 1_000_000);
            let _ = admitted.run(input);
        }
    }
}

#[test]
fn capability_is_needed_by_who_imports_it_and_only_then() {
    let sandbox = sandbox();
    let without = Grants::default();
    assert!(!sandbox.admit(&component(GOOD), None, &without).unwrap().executes_blocks());
    let executes =
        format!(r#"(import "refiner:rule/evm@1.0.0" "execute" (func $execute (param i32 i32 i32 i32))) {GOOD}"#);
    assert!(sandbox.admit(&component(&executes), None, &without).is_err());
    let with = Grants { capabilities: [Capability::Evm].into(), ..Grants::default() };
    assert!(sandbox.admit(&component(&executes), None, &with).unwrap().executes_blocks());
}

#[test]
fn profile_names_the_engine_that_is_linked() {
    let lock = std::fs::read_to_string(workspace().join("Cargo.lock")).unwrap();
    assert!(lock.contains(&format!("name = \"wasmtime\"\nversion = \"{WASMTIME_VERSION}\"")));
    let profile = EngineProfile::default();
    let settings = profile.settings();
    assert!(settings.contains(&("wasmtime", WASMTIME_VERSION)));
    assert!(settings.contains(&("wasm-stack-bytes", &refiner_sandbox::WASM_STACK_BYTES.to_string())));
    assert_eq!(profile.name(), "refiner-2");
}

#[test]
fn every_limit_says_its_unit_or_counts() {
    for spec in &LIMITS {
        let counts = matches!(
            spec.limit,
            Limit::Fuel | Limit::Calls | Limit::LogLines | Limit::Artifacts | Limit::EvmExecutions
        );
        assert!(counts || spec.name.ends_with("_bytes") || spec.name.ends_with("_ms"), "{}", spec.name);
    }
}
