//! The scan: what it counts of nested parts, and what it reports of the outermost.

use refiner_diagnostics::Diagnostic;

use super::{
    Grants, RefusalKind,
    error::AdmissionError,
    examine,
    found::{Found, Toolchain},
    manifest_of,
    scan::{Surface, scan},
    scan_limit::ScanLimit,
    world,
};
use crate::{Capability, UntrustedText};

fn scanned(text: &str) -> Result<(Vec<String>, Vec<String>, u64), AdmissionError> {
    let component = wat::parse_str(text).unwrap();
    let Surface { imports, exports, state_bytes } = scan(&component)?;
    let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
    Ok((owned(imports), owned(exports), state_bytes))
}

fn state_bytes(text: &str) -> u64 {
    scanned(text).unwrap().2
}

#[track_caller]
fn too_much(text: &str, limit: ScanLimit, found: u64) {
    assert_eq!(scanned(text), Err(AdmissionError::TooMuch { limit, found }));
}

#[test]
fn what_is_no_component_is_named() {
    for (bytes, kind) in [
        (&b""[..], Found::Nothing),
        (b"\0asm\x01\0\0\0", Found::CoreModule(None)),
        (b"(component)", Found::Text),
        (b"  \n(module)", Found::Text),
        (b";; a comment", Found::Text),
        (b"; no comment", Found::SomethingElse),
        (b"// a rule\nmodule example.org/x\n\ngo 1.25\n", Found::GoModule),
        (b"# a rule\n[package]\nname = 'x'\n", Found::CargoManifest),
        (b"[build-system]\nrequires = []\n", Found::PythonProject),
        (b"[project]\nname = 'x'\n", Found::PythonProject),
        (b"{\n  \"name\": \"x\", \"scripts\": {}\n}\n", Found::NodePackage),
        (b"{\"name\": \"x\"}", Found::SomethingElse),
        (b"MZ", Found::SomethingElse),
    ] {
        assert_eq!(scan(bytes).err(), Some(AdmissionError::NotAComponent { found: kind }), "{kind}");
    }
}

#[test]
fn damaged_component_is_called_damaged_wherever_it_is_read() {
    let manifest = "name = \"a\"\nversion = \"1\"\nworld = \"transform\"\nlayouts = []\noutputs = []\nlicence = \"MIT\"\nsource = \"here\"\n";
    let component = wat::parse_str("(component (core module (func) (func)))").unwrap();
    let whole = refiner_manifest::embed(&component, manifest);
    let cut = &whole[..whole.len() - 7];
    let malformed = |result: Result<(), AdmissionError>| {
        let refused = result.unwrap_err();
        assert_eq!(refused.kind(), RefusalKind::Malformed, "{refused}");
    };
    malformed(super::intact(cut));
    malformed(manifest_of(cut, None).map(drop));
    malformed(examine(cut, None, &Grants::all()));
    assert_eq!(super::intact(&whole), Ok(()));
    // What is no component is named as that.
    assert_eq!(manifest_of(b"MZ", None), Err(AdmissionError::NotAComponent { found: Found::SomethingElse }));
    assert_eq!(super::intact(b"MZ"), Ok(()));
}

#[test]
fn core_module_is_told_by_the_toolchain_that_made_it() {
    let module = |producers: &str| wat::parse_str(format!("(module (@producers {producers}))")).unwrap();
    for (producers, toolchain) in [
        (r#"(language "Rust" "1") (processed-by "rustc" "1.95.0")"#, Some(Toolchain::Rust)),
        (r#"(language "Go" "go1.26") (processed-by "Go cmd/compile" "go1.26")"#, Some(Toolchain::Go)),
        (r#"(language "C11" "") (processed-by "Debian clang" "19.1")"#, Some(Toolchain::Clang)),
        (r#"(language "Zig" "0.14")"#, None),
        ("", None),
    ] {
        let found = Found::CoreModule(toolchain);
        let refusal = scan(&module(producers)).err().unwrap();
        assert_eq!(refusal, AdmissionError::NotAComponent { found }, "{producers:?}");
        let names_its_command = toolchain.is_none() || found.remedy() != RefusalKind::NotAComponent.remedy();
        assert!(names_its_command, "{refusal}");
    }
}

#[test]
fn hint_fits_what_was_found() {
    let check = |refusal: AdmissionError, words: &str| {
        let hint = refusal.hint().unwrap().to_string();
        assert!(hint.contains(words), "{refusal}: {hint}");
    };
    for (found, words) in [
        (Found::CargoManifest, "`refiner rule build` in the crate's folder"),
        (Found::CoreModule(Some(Toolchain::Rust)), "`refiner rule build` in the crate's folder"),
        (Found::GoModule, "`go build` alone does not"),
        (Found::CoreModule(Some(Toolchain::Clang)), "`wasm-tools component new`"),
        (Found::NodePackage, "componentize-js"),
        (Found::PythonProject, "componentize-py"),
        (Found::Nothing, RefusalKind::NotAComponent.remedy()),
    ] {
        check(AdmissionError::NotAComponent { found }, words);
    }
    check(AdmissionError::Asynchronous, "build for WASI 0.2");
    check(AdmissionError::NoRule, RefusalKind::NoRule.remedy());
    for (message, words) in [
        ("relaxed SIMD support is not enabled", "garbage collection and relaxed SIMD switched off"),
        ("memory64 must be enabled for 64-bit memories", "build it without the WebAssembly proposal named"),
        ("exceptions proposal not enabled", "build it without the WebAssembly proposal named"),
        ("type mismatch: expected i32, found i64", "its toolchain made code that is not valid"),
        ("effective type size exceeds the limit of 1000000", "its toolchain made code that is not valid"),
    ] {
        check(AdmissionError::Compile { message: UntrustedText::new(message) }, words);
    }
}

#[test]
fn asynchronous_functions_are_refused_and_ordinary_ones_are_not() {
    let lift = |option: &str| {
        format!(
            r#"(component (core module $m (func (export "f"))) (core instance $i (instantiate $m))
              (func (canon lift (core func $i "f") {option})))"#
        )
    };
    let lower =
        |option: &str| format!(r#"(component (import "f" (func $f)) (core func (canon lower (func $f) {option})))"#);
    for text in [
        lift("async"),
        lower("async"),
        "(component (core func (canon task.return)))".to_owned(),
        "(component (type $s (stream u8)) (core func (canon stream.new $s)))".to_owned(),
        "(component (type $f (future u8)) (core func (canon future.new $f)))".to_owned(),
    ] {
        assert_eq!(scanned(&text), Err(AdmissionError::Asynchronous), "{text}");
    }
    for text in [lift(""), lower("")] {
        assert!(scanned(&text).is_ok(), "{text}");
    }
}

#[test]
fn names_of_the_outermost_component_are_reported_and_no_others() {
    let text = r#"(component
      (import "a:b/one" (instance $one))
      (import "a:b/two" (instance))
      (component (import "a:b/inner" (instance $inner)) (export "a:b/inner-export" (instance $inner)))
      (export "a:b/out" (instance $one)))"#;
    let (imports, exports, _) = scanned(text).unwrap();
    assert_eq!((imports.join(" "), exports.join(" ")), ("a:b/one a:b/two".to_owned(), "a:b/out".to_owned()));
}

#[test]
fn state_is_counted_for_each_instance_of_its_module() {
    // Three globals of 16 bytes, two functions and an import of 32.
    let module = "(core module $m (import \"\" \"f\" (func)) (global i32 (i32.const 0)) (global i32 (i32.const 0)) (global i32 (i32.const 0)) (func) (func))";
    let empty = "(core module $e (func (export \"f\"))) (core instance $i (instantiate $e))";
    let made = "(core instance (instantiate $m (with \"\" (instance $i))))";
    assert_eq!(state_bytes(&format!("(component {module})")), 0, "a module that is not instantiated takes nothing");
    assert_eq!(state_bytes(&format!("(component {empty} {module} {made})")), 32 + 3 * 16 + 3 * 32);
    assert_eq!(state_bytes(&format!("(component {empty} {module} {made} {made})")), 32 + 2 * (3 * 16 + 3 * 32));
    // An element of a segment that initialises no table takes 16, and so does the segment.
    let passive = "(core module $m (func $f) (elem func $f $f) (elem declare func $f) (table 1 funcref) (elem (i32.const 0) func $f))";
    assert_eq!(state_bytes(&format!("(component {passive} (core instance (instantiate $m)))")), 32 + 3 * 16);
    // A function that a component makes takes 64.
    let drops =
        "(type $r (resource (rep i32))) (core func (canon resource.drop $r)) (core func (canon resource.drop $r))";
    assert_eq!(state_bytes(&format!("(component {drops})")), 2 * 64);
}

#[test]
fn instances_of_nested_components_are_multiplied_out() {
    let inner = "(component $c (core module $m (memory 1) (table 1 funcref)) (core instance (instantiate $m)) (core instance (instantiate $m)))";
    let made = "(instance (instantiate $c))";
    assert!(scanned(&format!("(component {inner} {})", made.repeat(8))).is_ok(), "sixteen memories");
    too_much(&format!("(component {inner} {})", made.repeat(9)), ScanLimit::Memories, 18);
    let tables = inner.replace("(memory 1)", "");
    assert!(scanned(&format!("(component {tables} {})", made.repeat(16))).is_ok(), "thirty-two tables");
    let both = "(core module $t (table 1 funcref)) (core instance (instantiate $t))";
    too_much(&format!("(component {tables} {both} {})", made.repeat(16)), ScanLimit::Tables, 33);
    // Components of components: four times four times five.
    let leaf = format!("(component $l (core module $m) {})", "(core instance (instantiate $m))".repeat(5));
    let twig = |made: usize| format!("(component $t {leaf} {})", "(instance (instantiate $l))".repeat(made));
    let tree = |made: usize| format!("(component {} {})", twig(made), "(instance (instantiate $t))".repeat(4));
    assert!(scanned(&tree(3)).is_ok(), "sixty");
    too_much(&tree(4), ScanLimit::CoreInstances, 80);
}

#[test]
fn another_name_for_a_module_or_a_component_is_counted_as_the_same() {
    let five = format!("(core module $m (memory 1)) {}", "(core instance (instantiate $m))".repeat(5));
    // By an outer alias of the component, and of the module.
    let aliased = |made: usize| {
        let user =
            format!("(component $u (alias outer 1 $c (component $d)) {})", "(instance (instantiate $d))".repeat(made));
        format!("(component (component $c {five}) {user} (instance (instantiate $u)))")
    };
    assert!(scanned(&aliased(3)).is_ok());
    too_much(&aliased(4), ScanLimit::Memories, 20);
    let modules = |made: usize| {
        let user = format!(
            "(component $u (alias outer 1 $m (core module $n)) {})",
            "(core instance (instantiate $n))".repeat(made)
        );
        format!("(component (core module $m (memory 1)) {user} (instance (instantiate $u)))")
    };
    assert!(scanned(&modules(16)).is_ok());
    too_much(&modules(17), ScanLimit::Memories, 17);
    // By the index that an export gives.
    let exported = |made: usize| {
        let made = "(instance (instantiate $again))".repeat(made);
        format!("(component (component $c {five}) (export $again \"c\" (component $c)) {made})")
    };
    assert!(scanned(&exported(3)).is_ok());
    too_much(&exported(4), ScanLimit::Memories, 20);
    let exported = |made: usize| {
        let made = "(core instance (instantiate $again))".repeat(made);
        format!("(component (core module $m (memory 1)) (export $again \"m\" (core module $m)) {made})")
    };
    assert!(scanned(&exported(16)).is_ok());
    too_much(&exported(17), ScanLimit::Memories, 17);
}

#[test]
fn functions_are_measured_one_by_one() {
    let with = |body: &str| format!("(component (core module (func {body})))");
    assert!(scanned(&with(&format!("(local {}) (local i32)", "i64 ".repeat(999)))).is_ok());
    too_much(&with(&format!("(local {}) (local i32 i32)", "i64 ".repeat(999))), ScanLimit::Locals, 1_001);
    too_much(&with(&"nop ".repeat((1 << 20) - 1)), ScanLimit::FunctionBytes, (1 << 20) + 1);
}

#[test]
fn code_that_comes_in_is_refused_by_its_name() {
    let refused = |text: &str| match scanned(text) {
        Err(AdmissionError::ImportsCode { name }) => name.to_string(),
        other => panic!("{other:?}"),
    };
    assert_eq!(refused("(component (import \"code\" (component)))"), "code");
    assert_eq!(refused("(component (component (import \"module\" (core module))))"), "module");
    let by_instance = |sort: &str| {
        format!("(component (import \"i\" (instance $i (export \"c\" ({sort})))) (alias export $i \"c\" ({sort} $c)))")
    };
    assert_eq!(refused(&by_instance("component")), "c");
    assert_eq!(refused(&by_instance("core module")), "c");
    assert!(scanned("(component (import \"i\" (instance $i (export \"t\" (type (sub resource))))) (alias export $i \"t\" (type $t)))").is_ok());
}

#[test]
fn names_of_code_count_as_definitions() {
    let names = |made: usize| {
        let aliases = "(alias outer 1 $m (core module))".repeat(made);
        format!("(component (core module $m) (component {aliases}))")
    };
    assert!(scanned(&names(997)).is_ok());
    too_much(&names(998), ScanLimit::Definitions, 1_001);
    let exports: String = (0..999).map(|n| format!("(export \"c{n}\" (component $c))")).collect();
    too_much(&format!("(component (component $c) {exports})"), ScanLimit::Definitions, 1_001);
}

#[test]
fn elements_of_passive_segments_are_counted_in_each_instance() {
    let module = format!("(core module $m (elem funcref {}))", "(ref.null func)".repeat(24_999));
    let made =
        |instances: usize| format!("(component {module} {})", "(core instance (instantiate $m))".repeat(instances));
    assert!(scanned(&made(2)).is_ok());
    too_much(&made(3), ScanLimit::PassiveElements, 75_000);
}

#[test]
fn every_limit_of_the_scan_has_its_number_and_its_words() {
    let expected = [
        (6, "levels of nesting"),
        (200_000, "sections and function bodies"),
        (64, "core instances"),
        (16, "component instances"),
        (50_000, "functions"),
        (1_048_576, "bytes of one function"),
        (1_000, "locals of one function"),
        (16, "memories"),
        (32, "tables"),
        (100_000, "elements of one table"),
        (16_384, "pages of one memory"),
        (50_000, "globals"),
        (50_000, "elements of passive segments"),
        (50_000, "imports of modules"),
        (10_000, "functions of components"),
        (1_000, "modules and components"),
    ];
    let found = ScanLimit::ALL.map(|limit| (limit.allowed(), limit.to_string()));
    assert_eq!(found, expected.map(|(allowed, words)| (allowed, words.to_owned())));
    // Room for the largest instance that is admitted, as a number for the engine's pool.
    assert_eq!(super::scan_limit::INSTANCE_STATE_BYTES_MAX, 8_388_608);
}

#[test]
fn every_minor_version_up_to_this_one_is_spoken_and_what_is_no_version_is_not() {
    let kind = |import: &str| {
        let exports = vec!["refiner:rule/rule@1.0.0"];
        let surface = Surface { imports: vec![import], exports, state_bytes: 0 };
        world::check(&surface, &Capability::ALL.into_iter().collect()).map_err(|refusal| refusal.kind())
    };
    for version in ["1.0.0", "1.0.99", "1.1.0"] {
        assert_eq!(kind(&format!("refiner:rule/log@{version}")), Ok([].into()), "{version}");
    }
    for version in ["1.2.0", "2.0.0", "1.18446744073709551616.0"] {
        assert_eq!(kind(&format!("refiner:rule/log@{version}")), Err(RefusalKind::LaterContract), "{version}");
    }
    for version in ["0.9.0", "1.0", "1.0.0.0", "1..0", "1.x.0", "1.0.0-rc", ""] {
        assert_eq!(kind(&format!("refiner:rule/log@{version}")), Err(RefusalKind::Version), "{version}");
    }
    for name in ["refiner:rule/log", "refiner:rule/nothing@1.0.0", "other:rule/log@1.0.0", "wasi:http/types@0.2.0"] {
        assert_eq!(kind(name), Err(RefusalKind::UnknownImport), "{name}");
    }
    for capability in Capability::ALL {
        let (name, needed) = match capability {
            Capability::Wasi => ("wasi:io/poll@0.2.0".to_owned(), capability),
            contract => (format!("refiner:rule/{contract}@1.1.0"), capability),
        };
        assert_eq!(kind(&name), Ok([needed].into()), "{name}");
        assert_eq!(Capability::from_name(capability.as_str()), Some(capability));
    }
}
