//! The manifest at admission: its possible places, and the effects of its content.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::Arc;

use refiner_rule_model::{
    AdmissionError, FUEL_PER_INPUT_BYTE, Grants, Limit, LimitError, Limits, SpecimenHash, Verdict, manifest_of,
};
use refiner_specimen::{Layout, specimen_hash};
use refiner_testruns::{
    GOOD, RAW, RunInput, bare_component, component, input, module_of_fields, sandbox, with_manifest,
};

/// The description that `parts.wat` gives of itself, and these lines at the end.
fn manifest(more: &str) -> String {
    refiner_testruns::manifest("") + more
}

fn good_with(manifest: &str) -> Vec<u8> {
    with_manifest(&bare_component(&module_of_fields(GOOD)), manifest)
}

#[test]
fn manifest_may_be_inside_or_beside_or_both_when_they_say_the_same() {
    let sandbox = sandbox();
    let (inside, bare) = (component(GOOD), bare_component(&module_of_fields(GOOD)));
    let commented = manifest("# the same in other words\n");
    for (component, beside) in [(&inside, None), (&bare, Some(manifest(""))), (&inside, Some(commented))] {
        let rule = sandbox.admit(component, beside.as_deref(), &Grants::default()).unwrap();
        assert_eq!(rule.manifest().name, rule.description().name);
    }
    let refusal = sandbox.admit(&bare, None, &Grants::default()).err().unwrap();
    assert_eq!(refusal.to_string(), AdmissionError::NoManifest { looked_for: None }.to_string());
    let broken = sandbox.admit(&inside, Some("name ="), &Grants::default()).err().unwrap().to_string();
    assert!(broken.starts_with("the manifest beside the component is refused: line 1: "), "{broken}");
}

#[test]
fn any_field_that_differs_beside_is_named() {
    let inside = component(GOOD);
    let check = |from: &str, to: &str, field: &str| {
        let refusal = manifest_of(&inside, Some(&manifest("").replacen(from, to, 1))).unwrap_err();
        assert!(
            matches!(&refusal, AdmissionError::ManifestsDiffer { field: found, .. } if *found == field),
            "{refusal}"
        );
    };
    check("\"case\"", "\"base\"", "name");
    check("1.0.0", "1.0.1", "version");
    check("layouts = []", "layouts = [\"0.38\"]", "layouts");
    check("outputs = []", "outputs = [{ name = \"a\", media-type = \"b/c\" }]", "outputs");
    check("Apache-2.0", "MIT", "licence");
    check("tests/hostile", "elsewhere", "source");
    check("licence", "wasi = \"sealed\"\nlicence", "wasi");
    check("licence", "limits = { fuel = 1 }\nlicence", "limits");
    check(
        "\"transform\"\nlayouts = []\ncapabilities = []",
        "\"transform-with-evm\"\nlayouts = []\ncapabilities = [\"evm\"]",
        "world",
    );
}

#[test]
fn rule_gets_what_it_asks_for_and_defaults_within_what_the_operator_allows() {
    let sandbox = sandbox();
    let component = good_with(&manifest("[limits]\nfuel = 3000000000\ncalls = 5\n"));
    let granted = |ceilings: Limits| {
        let rule = sandbox.admit(&component, None, &Grants { limits: ceilings, ..Grants::default() }).unwrap();
        let run = rule.run(RunInput { raw: [].into(), ..input(&rule) }).unwrap();
        let of = |limit| run.usage.iter().find(|usage| usage.limit == limit).unwrap();
        let (fuel, calls, lines) = (of(Limit::Fuel), of(Limit::Calls), of(Limit::LogLines));
        assert_eq!((fuel.asked, calls.asked, lines.asked), (3_000_000_000, 5, 1_000));
        (fuel.granted, calls.granted, lines.granted)
    };
    assert_eq!(granted(Limits::caps()), (3_000_000_000, 5, 1_000));
    let mut ceilings = Limits::caps();
    for (name, value) in [("fuel", 3_000_000_000), ("calls", 6), ("log_lines", 999)] {
        ceilings.set_by_name(name, value).unwrap();
    }
    assert_eq!(granted(ceilings), (3_000_000_000, 5, 999));
}

#[test]
fn length_of_the_specimen_adds_to_what_is_granted_and_not_to_what_is_asked() {
    let sandbox = sandbox();
    let component = good_with(&manifest("[limits]\nfuel = 3000000000\n"));
    let rule = sandbox.admit(&component, None, &Grants::default()).unwrap();
    let run = rule.run(RunInput { raw: vec![0; 500_000].into(), ..input(&rule) }).unwrap();
    let of = |limit| run.usage.iter().find(|usage| usage.limit == limit).unwrap();
    let (fuel, time) = (of(Limit::Fuel), of(Limit::WallMs));
    assert_eq!((fuel.asked, fuel.granted), (3_000_000_000, 3_000_000_000 + 500_000 * FUEL_PER_INPUT_BYTE));
    assert_eq!((time.asked, time.granted), (30_000, 37_000));
}

#[test]
fn manifest_that_asks_for_a_ceiling_is_admitted_and_one_that_asks_for_one_more_is_refused_with_both_numbers() {
    let sandbox = sandbox();
    let ceilings = Limits::default_ceilings();
    let grants = Grants { limits: ceilings, ..Grants::default() };
    for (limit, ceiling) in ceilings.iter() {
        let spec = limit.spec();
        assert!((spec.default..=spec.cap).contains(&ceiling), "{limit}: {ceiling}");
        // Fuel needs the time that it can last.
        let time =
            if limit == Limit::Fuel { format!("wall_ms = {}\n", ceilings.get(Limit::WallMs)) } else { String::new() };
        let admit = |asked: u64| {
            let manifest = manifest(&format!("[limits]\n{limit} = {asked}\n{time}"));
            sandbox.admit(&good_with(&manifest), None, &grants)
        };
        assert_eq!(admit(ceiling).unwrap().default_limits().get(limit), ceiling, "{limit}");
        let refusal = admit(ceiling + 1).err().unwrap().to_string();
        let expected = if ceiling == spec.cap {
            format!("asks for too much: {} asked for as {limit}, and at most {ceiling} can be granted", ceiling + 1)
        } else {
            format!("asks for more than is allowed: {} asked for as {limit}, and the ceiling is {ceiling}", ceiling + 1)
        };
        assert_eq!(refusal, expected);
    }
}

#[test]
fn every_limit_can_be_asked_for_up_to_its_cap_and_not_above() {
    for spec in &refiner_rule_model::LIMITS {
        let asked = |value: u64| {
            let text = manifest(&format!("[limits]\n{} = {value}\n", spec.name));
            Limits::asked_by(&refiner_manifest::Manifest::parse(&text).unwrap())
        };
        assert_eq!(asked(spec.cap).unwrap().get(spec.limit), spec.cap);
        assert_eq!(asked(0).unwrap().get(spec.limit), 0);
        assert_eq!(asked(spec.cap + 1).unwrap_err().0[0].limit, spec.limit);
    }
}

#[test]
fn limits_are_set_by_name_up_to_their_caps() {
    let mut limits = Limits::default();
    limits.set_by_name("memory_bytes", 1 << 30).unwrap();
    assert_eq!(limits.get(Limit::MemoryBytes), 1 << 30);
    let above = limits.set_by_name("memory_bytes", (1 << 30) + 1).unwrap_err();
    assert!(matches!(above, LimitError::AboveCap(above) if above.limit == Limit::MemoryBytes));
    let unknown = limits.set_by_name("gas", 1).unwrap_err().to_string();
    assert!(unknown.starts_with("there is no limit \"gas\"; there are component_bytes, "), "{unknown}");
    assert_eq!(limits.get(Limit::MemoryBytes), 1 << 30);
}

#[test]
fn component_may_ask_for_more_bytes_than_the_default() {
    let sandbox = sandbox();
    // A section of 8 MiB without meaning, behind the manifest.
    let default = usize::try_from(Limit::ComponentBytes.spec().default).unwrap();
    let padded = |manifest: &str| {
        let mut component = good_with(manifest);
        component.extend(custom_section(default));
        component
    };
    let modest = padded(&manifest(""));
    let found_bytes = modest.len() as u64;
    let refusal = sandbox.admit(&modest, None, &Grants::default()).err().unwrap().to_string();
    assert_eq!(refusal, format!("the component has {found_bytes} bytes, and {default} are allowed"));
    let asking = padded(&manifest(&format!("[limits]\ncomponent_bytes = {}\n", 9 << 20)));
    sandbox.admit(&asking, None, &Grants::default()).unwrap();
    let ceilings = Limits::default();
    assert!(sandbox.admit(&asking, None, &Grants { limits: ceilings, ..Grants::default() }).is_err());
}

/// A custom section without a name, of this many zero bytes.
fn custom_section(zeros: usize) -> Vec<u8> {
    let length = u32::try_from(zeros + 1).unwrap();
    let septets =
        (0..5).map(|place| u8::try_from(length >> (7 * place) & 0x7f).unwrap() | if place < 4 { 0x80 } else { 0 });
    let mut section: Vec<u8> = std::iter::once(0).chain(septets).collect();
    section.resize(section.len() + 1 + zeros, 0);
    section
}

#[test]
fn specimen_of_another_layout_is_unsupported_and_one_of_an_accepted_layout_runs() {
    let sandbox = sandbox();
    let fields = fs_case("spins-on-another-layout");
    let text = manifest("").replace("layouts = []", "layouts = [\"0.31\"]");
    let component = with_manifest(&bare_component(&format!("(module {fields})")), &text);
    let rule = sandbox.admit(&component, None, &Grants::default()).unwrap();
    assert!(rule.accepts(Layout::V0_31) && !rule.accepts(Layout::V0_38));
    let run = |layout| {
        let mut input = input(&rule);
        let mut specimen = (*input.specimen).clone();
        specimen.layout = layout;
        input.specimen = Arc::new(specimen);
        input.limits.lower(Limit::Fuel, 1_000_000);
        rule.run(input).unwrap()
    };
    let refused = run(Layout::V0_38);
    let Verdict::Unsupported { reason } = refused.verdict else { panic!("{}", refused.verdict) };
    assert_eq!(reason.as_str(), "the specimen has layout 0.38, and the rule accepts 0.31");
    assert_eq!(refused.usage.used.get(Limit::Fuel), 0);
    assert_eq!(refused.usage.used.get(Limit::SpecimenBytes), RAW.len() as u64);
    // It spins as soon as it runs.
    assert_eq!(run(Layout::V0_31).verdict.kind(), "out-of-fuel");
}

fn fs_case(name: &str) -> String {
    std::fs::read_to_string(refiner_testruns::workspace().join("tests/hostile").join(name).join("rule.wat")).unwrap()
}

#[test]
fn specimen_hash_is_worked_out_for_a_rule_that_asks_and_for_no_other() {
    let sandbox = sandbox();
    let asks = r#"
        (import "refiner:rule/specimen" "[method]block-specimen.specimen-hash" (func $hash (param i32 i32)))
        (func (export "refiner:rule/rule#refine") (param i32) (result i32)
          (call $hash (local.get 0) (i32.const 256))
          (call $ok (local.get 0) (i64.load (i32.const 256))))"#;
    let identifies = r#"
        (import "refiner:rule/specimen" "[method]block-specimen.identity" (func $identity (param i32 i32)))
        (func (export "refiner:rule/rule#refine") (param i32) (result i32)
          (call $identity (local.get 0) (i32.const 256))
          (call $ok (local.get 0) (i64.const 0)))"#;
    for (fields, known) in [(GOOD, None), (identifies, None), (asks, Some(specimen_hash(RAW)))] {
        let rule = refiner_testruns::rule(&sandbox, fields);
        let hash = SpecimenHash::of(RAW.into());
        let run = rule.run(RunInput { specimen_hash: hash.clone(), ..input(&rule) }).unwrap();
        assert_eq!(hash.if_known(), known);
        if let Some(known) = known {
            let first = u64::from_be_bytes(known[..8].try_into().unwrap());
            assert_eq!(run.verdict, Verdict::Produced { artifacts: Vec::new(), records: first });
        }
    }
}
