//! Tests of manifests inside components.
#![cfg(feature = "component")]

use refiner_manifest::{NotUtf8, ReadError, SECTION, embed, read, without};

/// A component without anything in it.
const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

#[test]
fn embedded_manifest_is_read_again() {
    assert_eq!(read(EMPTY), Ok(None));
    for text in ["", "name = \"a\"", &"#".repeat(100_000)] {
        let whole = embed(EMPTY, text);
        assert!(whole.starts_with(EMPTY));
        assert_eq!(read(&whole), Ok(Some(text)));
    }
}

#[test]
fn other_sections_are_passed_over() {
    // A section named "x" before it, and a core module (section 1) that holds a manifest of its own.
    let mut whole = [EMPTY, b"\0\x03\x01xy"].concat();
    let module = embed(b"\0asm\x01\0\0\0", "inner");
    whole.extend([1, u8::try_from(module.len()).unwrap()]);
    whole.extend(&module);
    assert_eq!(read(&whole), Ok(None));
    assert_eq!(read(&embed(&whole, "outer")), Ok(Some("outer")));
}

#[test]
fn two_manifests_are_refused() {
    let once = embed(EMPTY, "name = \"a\"");
    let twice = embed(&once, "name = \"a\"");
    assert_eq!(read(&twice), Err(ReadError::Two { offset: once.len() }));
}

#[test]
fn manifests_are_taken_out_and_nothing_else() {
    let bare = [EMPTY, b"\0\x03\x01xy"].concat();
    let twice = [embed(&embed(&bare, "one"), "two"), b"\0\x03\x01zz".to_vec()].concat();
    assert_eq!(without(&twice), Ok([bare, b"\0\x03\x01zz".to_vec()].concat()));
}

#[test]
fn manifest_that_is_not_text_is_refused() {
    let mut whole = embed(EMPTY, "a");
    *whole.last_mut().unwrap() = 0xff;
    assert_eq!(read(&whole), Err(ReadError::NotText(NotUtf8 { line: 1, byte: 0xff })));
}

#[test]
fn component_that_is_cut_anywhere_is_refused_or_holds_none() {
    let whole = embed(EMPTY, "name = \"a\"");
    for length in 0..whole.len() {
        let cut = read(&whole[..length]);
        let expected = length == EMPTY.len();
        assert_eq!(cut == Ok(None), expected, "{length} bytes give {cut:?}");
    }
    assert_eq!(whole.windows(SECTION.len()).filter(|window| *window == SECTION.as_bytes()).count(), 1);
}
