//! Lists of names.

use super::*;

#[test]
fn list_of_names_is_of_lines_or_separated_by_nul() {
    let list = tempfile::NamedTempFile::new().unwrap();
    for (text, expected) in [
        (&b"a\n\nb c\n"[..], vec![&b"a"[..], b"b c"]),
        (b"a\nb\0\xff\0", vec![b"a\nb", b"\xff"]),
        (b"\xef\xbb\xbfa\r\n\r\nb c\r\nd\r\r\n\xef\xbb\xbfe", vec![b"a", b"b c", b"d\r", b"\xef\xbb\xbfe"]),
        (b"\xef\xbb\xbfa\r\0b\r\n\0", vec![b"\xef\xbb\xbfa\r", b"b\r\n"]),
    ] {
        fs::write(list.path(), text).unwrap();
        let expected: Vec<OsString> = expected.into_iter().map(|name| OsStr::from_bytes(name).to_owned()).collect();
        assert_eq!(names_from(list.path().as_os_str()).unwrap(), expected);
    }
    let error = names_from(OsStr::new("/nonexistent/list")).unwrap_err();
    assert!(error.to_string().contains("/nonexistent/list"), "{error}");
}

#[test]
fn list_in_utf16_is_refused_and_names_of_one_character_are_not() {
    let list = tempfile::NamedTempFile::new().unwrap();
    let utf16 = |unit: u16| unit.to_le_bytes();
    let of_ascii: Vec<u8> = "a.avro\r\n".encode_utf16().flat_map(utf16).collect();
    let swapped: Vec<u8> = of_ascii.chunks(2).flat_map(|unit| [unit[1], unit[0]]).collect();
    let marked: Vec<u8> = "\u{feff}\u{e9}.avro".encode_utf16().flat_map(utf16).collect();
    for text in [&of_ascii, &swapped, &marked] {
        fs::write(list.path(), text).unwrap();
        let error = names_from(list.path().as_os_str()).unwrap_err().to_string();
        assert!(error.ends_with("found a list in UTF-16, and expected UTF-8"), "{error}");
    }
    fs::write(list.path(), "a\0b\0").unwrap();
    assert_eq!(names_from(list.path().as_os_str()).unwrap(), ["a", "b"]);
}
