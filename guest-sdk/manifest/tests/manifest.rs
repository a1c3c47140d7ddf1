//! Tests of the values that a manifest may have.

use refiner_manifest::{LIMIT_NAMES, MANIFEST_BYTES_MAX, Manifest, ManifestError, OUTPUTS_MAX, Wasi, World};

const GOOD: &str = r#"name = "transfers"
version = "1.2.3"
world = "transform"
layouts = ["0.37", "0.38"]
licence = "MIT"
source = "https://example.org/transfers"
[limits]
fuel = 5000000000
[[outputs]]
name = "transfers.jsonl"
media-type = "application/jsonl"
"#;

/// Replaces one piece of the good manifest and compares: no error, or an error with this text.
fn check((from, to): (&str, &str), expected: Option<&str>) {
    assert!(GOOD.contains(from), "{from:?} is not in the manifest");
    let result = Manifest::parse(&GOOD.replacen(from, to, 1)).map_err(|error| error.to_string());
    match (&result, expected) {
        (Ok(_), None) => {}
        (Err(message), Some(part)) if message.contains(part) => {}
        _ => panic!("{from:?} as {to:?} gives {result:?}, not {expected:?}"),
    }
}

#[test]
fn manifest_is_read_whole() {
    let manifest = Manifest::parse(GOOD).unwrap();
    assert_eq!((manifest.name.as_str(), manifest.version.as_str()), ("transfers", "1.2.3"));
    assert_eq!((manifest.world, manifest.wasi), (World::Transform, None));
    assert_eq!(manifest.layouts, ["0.37", "0.38"]);
    assert_eq!(manifest.limits.into_iter().collect::<Vec<_>>(), [("fuel".to_owned(), 5_000_000_000)]);
    assert_eq!(manifest.outputs[0].media_type, "application/jsonl");
    assert_eq!(manifest.outputs[0].schema, None);
    let sealed = Manifest::parse(&GOOD.replace("licence", "wasi = \"sealed\"\nlicence")).unwrap();
    assert_eq!(sealed.wasi, Some(Wasi::Sealed));
}

#[test]
fn unknown_keys_are_errors_that_name_the_known_ones() {
    check(("licence", "license"), Some("line 5: unknown field `license`, expected one of `name`, `version`"));
    check(("media-type", "media_type"), Some("unknown field `media_type`, expected one of `name`, `media-type`"));
    check(("fuel", "gas"), Some("there is no limit \"gas\"; there are component_bytes, specimen_bytes"));
    check(("\"transform\"", "\"transmute\""), Some("line 3: unknown variant `transmute`, expected `transform` or"));
    check(("licence", "wasi = \"open\"\nlicence"), Some("unknown variant `open`, expected `sealed`"));
    check(
        ("layouts", "capabilities = [\"net\"]\nlayouts"),
        Some(
            "unknown variant `net`, expected one of `evm`, `receipts`, `traces`, `state-changes`, `gas-profile`, `what-if`",
        ),
    );
}

#[test]
fn missing_keys_are_errors_and_optional_ones_are_not() {
    for key in ["name", "version", "world", "layouts", "licence", "source"] {
        let line = GOOD.lines().find(|line| line.starts_with(key)).unwrap();
        check((line, ""), Some(&format!("missing field `{key}`")));
    }
    check(("media-type = \"application/jsonl\"", ""), Some("missing field `media-type`"));
    check(("[limits]\nfuel = 5000000000\n", ""), None);
}

#[test]
fn every_field_holds_only_what_it_may() {
    let quoted = |length: usize| format!("\"{}\"", "a".repeat(length));
    for (from, to, expected) in [
        ("\"transfers\"", quoted(64), None),
        ("\"transfers\"", quoted(65), Some("name \"aaa")),
        ("\"transfers\"", "\"a+b\"".into(), Some("is not 1 to 64 characters of a-z")),
        ("\"transfers\"", "\"..\"".into(), Some("name \"..\" is not")),
        ("\"1.2.3\"", "\"1.2.3-rc.1+build\"".into(), None),
        ("\"1.2.3\"", "\"v 1\"".into(), Some("version \"v 1\" is not")),
        ("\"0.37\"", "\"newest\"".into(), Some("layouts \"newest\" is not a layout such as")),
        ("\"0.37\"", "\"0.38\"".into(), Some("layouts name \"0.38\" twice")),
        ("[\"0.37\", \"0.38\"]", "[]".into(), None),
        ("5000000000", "0".into(), None),
        ("5000000000", "-1".into(), Some("line 8: invalid value: integer `-1`")),
        ("\"transfers.jsonl\"", quoted(64), None),
        ("\"transfers.jsonl\"", quoted(65), Some("outputs.name \"aaa")),
        ("\"transfers.jsonl\"", "\"../transfers\"".into(), Some("outputs.name \"../transfers\" is not")),
        ("\"transfers.jsonl\"", "\"Transfers\"".into(), Some("is not 1 to 64 characters of a-z")),
        ("\"transfers.jsonl\"", "\"\"".into(), Some("is not 1 to 64 characters of a-z")),
        ("\"application/jsonl\"", "\"jsonl\"".into(), Some("is not of the form type/subtype")),
        ("\"application/jsonl\"", "\"a/b\"\nschema = \"transfers-1\"".into(), None),
        ("\"application/jsonl\"", "\"a/b\"\nschema = \"\"".into(), Some("outputs.schema \"\" is not 1 to 255")),
        ("\"MIT\"", "\" \"".into(), Some("licence \" \" is not a line")),
    ] {
        check((from, &to), expected);
    }
    let again = "[[outputs]]\nname = \"transfers.jsonl\"\nmedia-type = \"text/plain\"\n[[outputs]]";
    check(("[[outputs]]", again), Some("outputs name \"transfers.jsonl\" twice"));
}

#[test]
fn world_and_capability_go_together() {
    let (with_evm, evm) = ("\"transform-with-evm\"", "capabilities = [\"evm\"]\nlayouts");
    check(("\"transform\"", with_evm), Some("the world transform-with-evm needs capabilities = [\"evm\"]"));
    check(("layouts", evm), Some("the capability evm needs the world transform-with-evm"));
    let both = GOOD.replace("\"transform\"", with_evm).replace("layouts", evm);
    assert_eq!(Manifest::parse(&both).map(|manifest| manifest.world), Ok(World::TransformWithEvm));
}

#[test]
fn every_limit_can_be_asked_for() {
    for name in LIMIT_NAMES {
        check(("fuel", name), None);
    }
}

#[test]
fn manifest_is_bounded_in_bytes_and_outputs() {
    let of_length = |length: usize| format!("{GOOD}#{}", " ".repeat(length - GOOD.len() - 1));
    assert!(Manifest::parse(&of_length(MANIFEST_BYTES_MAX)).is_ok());
    let error = Manifest::parse(&of_length(MANIFEST_BYTES_MAX + 1)).unwrap_err();
    assert_eq!(error, ManifestError::TooLarge { found_bytes: MANIFEST_BYTES_MAX + 1 });

    let with_outputs = |count: usize| {
        let more = (1..count).map(|n| format!("[[outputs]]\nname = \"{n}\"\nmedia-type = \"a/b\"\n"));
        format!("{GOOD}{}", more.collect::<String>())
    };
    assert!(Manifest::parse(&with_outputs(OUTPUTS_MAX)).is_ok());
    let error = Manifest::parse(&with_outputs(OUTPUTS_MAX + 1)).unwrap_err();
    assert_eq!(error.to_string(), "33 outputs are listed, and 32 are allowed");
}

#[test]
fn text_that_is_not_toml_is_an_error_with_its_line() {
    let error = Manifest::parse("name = \"a\"\nversion = \"").unwrap_err();
    assert!(matches!(error, ManifestError::Syntax { line: 2, .. }), "{error}");
}

#[test]
fn manifest_that_nests_as_deep_as_it_can_is_an_error_and_no_overflow() {
    let deep = |open: &str, between: &str| open.repeat(MANIFEST_BYTES_MAX / open.len() - 10) + between;
    for text in [
        format!("layouts = {}", deep("[", "")),
        format!("limits = {}", deep("{a=", "1")),
        format!("limits.{} = 1", deep("a.", "a")),
        format!("[{}]", deep("a.", "a")),
        format!("[[{}]]", deep("a.", "a")),
        format!("limits = {{ {} = 1 }}", deep("a.", "a")),
    ] {
        assert!(text.len() <= MANIFEST_BYTES_MAX);
        assert!(matches!(Manifest::parse(&text), Err(ManifestError::Syntax { .. })), "{}", &text[..20]);
    }
}
