//! Admission, just at each limit of the scan and just above.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use refiner_hostile::scan_limits;
use refiner_rule_model::{
    AdmissionError, Capability, Grants, LIMITS, Limit, Limits, ScanLimit, engine, engine::WASMTIME_VERSION, examine,
};
use refiner_testruns::{GOOD, component, sandbox, workspace};

/// The reason for which this text is not admitted.
fn refusal(text: &str) -> String {
    sandbox().admit(&wat::parse_str(text).unwrap(), None, &Grants::all()).err().unwrap().to_string()
}

#[test]
fn component_passes_at_each_limit_of_the_scan_and_is_refused_above() {
    let sandbox = sandbox();
    scan_limits::check(|component| sandbox.admit(component, None, &Grants::all()).err().unwrap().to_string());
    // Each once, in its order; `counting` names each kind.
    for (number, limit) in ScanLimit::ALL.into_iter().enumerate() {
        assert_eq!(limit as usize, number, "{limit}");
    }
}

#[test]
fn instances_of_nested_components_are_counted_each_time_up_to_the_limit() {
    // Ten of one component.
    let with = |count: usize| {
        let (ten, more) = (count / 10, count % 10);
        let inner = format!("(component $inner (core module $m) {})", "(core instance (instantiate $m))".repeat(ten));
        let instances = "(instance (instantiate $inner))".repeat(10);
        format!("(component {inner} {instances} (core module $m) {})", "(core instance (instantiate $m))".repeat(more))
    };
    assert_eq!(refusal(&with(64)), scan_limits::NO_RULE);
    assert_eq!(refusal(&with(65)), "65 core instances found, and 64 are allowed");
}

#[test]
fn counts_of_all_nested_modules_are_summed() {
    let two = "(component (core module (memory 1) (memory 1)) (core module (memory 1)";
    let text = format!("{two} {}))", "(memory 1)".repeat(14));
    assert_eq!(refusal(&text), "17 memories found, and 16 are allowed");
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
fn component_is_examined_as_it_is_admitted() {
    let (rule, grants) = (component(GOOD), Grants::all());
    assert_eq!(examine(&rule, None, &grants), Ok(()));
    let found_bytes = rule.len() as u64;
    let lowered = Limits::caps().with(Limit::ComponentBytes, found_bytes - 1).unwrap();
    let refused = AdmissionError::TooLarge { found_bytes, allowed_bytes: found_bytes - 1 };
    assert_eq!(examine(&rule, None, &Grants { limits: lowered, ..grants }), Err(refused));
}

#[test]
fn rule_with_any_one_byte_changed_is_refused_or_runs_and_never_panics() {
    let sandbox = sandbox();
    let rule = component(GOOD);
    for position in 0..rule.len() {
        let mut changed = rule.clone();
        changed[position] ^= 0x41;
        if let Ok(admitted) = sandbox.admit(&changed, None, &Grants::all()) {
            let mut input = refiner_testruns::input(&admitted);
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
    let executes = format!(r#"(import "refiner:rule/evm" "execute" (func $execute (param i32 i32 i32 i32))) {GOOD}"#);
    assert!(sandbox.admit(&component(&executes), None, &without).is_err());
    let with = Grants { capabilities: [Capability::Evm].into(), ..Grants::default() };
    assert!(sandbox.admit(&component(&executes), None, &with).unwrap().executes_blocks());
}

#[test]
fn profile_names_the_engine_that_is_linked() {
    let lock = std::fs::read_to_string(workspace().join("Cargo.lock")).unwrap();
    assert!(lock.contains(&format!("name = \"wasmtime\"\nversion = \"{WASMTIME_VERSION}\"")));
    let settings = engine::SETTINGS;
    assert!(settings.contains(&("wasmtime", WASMTIME_VERSION)));
    assert!(settings.contains(&("wasm-stack-bytes", &engine::WASM_STACK_BYTES.to_string())));
    assert_eq!(engine::NAME, "refiner-2");
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
