//! JSON with the bytes of Go's `json.MarshalIndent(value, "", " ")`.
//!
//! One value a line, one space a level, `"key": value`, `[]` and `{}` for empty ones, no newline at the end. Strings are
//! escaped for HTML, big integers are `"0x%x"`, byte slices standard base64 and byte arrays lists of numbers: so Go
//! spells them, and so the network hashed them.

use alloy_primitives::U256;

/// Appends values to a growing document.
///
/// Every value is written either as a [`field`](Self::field) of an [`object`](Self::object), as an element of an
/// [`array`](Self::array), or as the document itself.
#[derive(Debug)]
pub(super) struct GoJson {
    out: Vec<u8>,
    depth: usize,
    /// Nothing has been written yet in the object or array at hand.
    at_start: bool,
}

impl GoJson {
    /// An empty document with room for `capacity` bytes.
    pub(super) fn with_capacity(capacity: usize) -> Self {
        Self { out: Vec::with_capacity(capacity), depth: 0, at_start: true }
    }

    /// Bytes of the document.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    /// An object, whose fields `fields` writes.
    pub(super) fn object(&mut self, fields: impl FnOnce(&mut Self)) {
        self.nested(b'{', b'}', fields);
    }

    /// The key of a field; its value must be written next.
    pub(super) fn field(&mut self, key: &'static str) -> &mut Self {
        self.next_line();
        self.out.push(b'"');
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\": ");
        self
    }

    /// An array, whose elements `element` writes, one value each.
    pub(super) fn array<T>(&mut self, items: impl IntoIterator<Item = T>, mut element: impl FnMut(&mut Self, T)) {
        self.nested(b'[', b']', |json| {
            for item in items {
                json.next_line();
                element(json, item);
            }
        });
    }

    /// A nil pointer or slice.
    pub(super) fn null(&mut self) {
        self.out.extend_from_slice(b"null");
    }

    /// Writes `true` or `false`.
    pub(super) fn boolean(&mut self, value: bool) {
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
    }

    /// An integer of Go's own.
    pub(super) fn number(&mut self, mut value: u64) {
        let mut digits = [0; u64::MAX.ilog10() as usize + 1];
        let mut start = digits.len();
        loop {
            start -= 1;
            digits[start] = b'0' + (value % 10) as u8;
            value /= 10;
            if value == 0 {
                break;
            }
        }
        self.out.extend_from_slice(&digits[start..]);
    }

    /// A `*big.Int`, `"0x1f"`; zero is `"0x0"`.
    pub(super) fn big_int(&mut self, value: U256) {
        let mut hex = [0; 2 * size_of::<U256>()];
        encode_hex(&value.to_be_bytes::<{ size_of::<U256>() }>(), &mut hex);
        let significant = hex.iter().position(|digit| *digit != b'0').unwrap_or(hex.len() - 1);
        self.out.extend_from_slice(b"\"0x");
        self.out.extend_from_slice(&hex[significant..]);
        self.out.push(b'"');
    }

    /// A hash or an address, every digit of it.
    pub(super) fn hex(&mut self, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        self.out.extend_from_slice(b"\"0x");
        let start = self.out.len();
        self.out.resize(start + 2 * bytes.len(), 0);
        encode_hex(bytes, &mut self.out[start..]);
        self.out.push(b'"');
    }

    /// A `[]byte` that is not nil; an empty one is `""`.
    pub(super) fn base64(&mut self, bytes: &[u8]) {
        self.out.push(b'"');
        base64_simd::STANDARD.encode_append(bytes, &mut self.out);
        self.out.push(b'"');
    }

    /// A `[n]byte`: one number a line.
    pub(super) fn byte_array(&mut self, bytes: &[u8]) {
        self.array(bytes, |json, byte| json.number((*byte).into()));
    }

    /// A string, escaped as Go's encoder does by default.
    pub(super) fn text(&mut self, text: &str) {
        self.out.push(b'"');
        for character in text.chars() {
            match character {
                '"' | '\\' => self.out.extend_from_slice(&[b'\\', character as u8]),
                '\n' => self.out.extend_from_slice(b"\\n"),
                '\r' => self.out.extend_from_slice(b"\\r"),
                '\t' => self.out.extend_from_slice(b"\\t"),
                '\0'..'\x20' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                    self.out.extend_from_slice(format!("\\u{:04x}", u32::from(character)).as_bytes());
                }
                _ => self.out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        self.out.push(b'"');
    }

    /// The value, or null when there is none.
    pub(super) fn or_null<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        match value {
            Some(value) => write(self, value),
            None => self.null(),
        }
    }

    fn nested(&mut self, open: u8, close: u8, inside: impl FnOnce(&mut Self)) {
        self.out.push(open);
        self.depth += 1;
        self.at_start = true;
        inside(self);
        self.depth -= 1;
        if !self.at_start {
            self.indent();
        }
        self.out.push(close);
        self.at_start = false;
    }

    fn next_line(&mut self) {
        if !self.at_start {
            self.out.push(b',');
        }
        self.at_start = false;
        self.indent();
    }

    fn indent(&mut self) {
        self.out.push(b'\n');
        self.out.resize(self.out.len() + self.depth, b' ');
    }
}

/// `hex` must hold two digits a byte, so encoding cannot fail.
fn encode_hex(bytes: &[u8], hex: &mut [u8]) {
    let encoded = const_hex::encode_to_slice(bytes, hex);
    debug_assert!(encoded.is_ok(), "room for two digits a byte");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(write: impl FnOnce(&mut GoJson), expected: &str) {
        let mut json = GoJson::with_capacity(0);
        write(&mut json);
        assert_eq!(String::from_utf8(json.into_bytes()).unwrap(), expected);
    }

    #[test]
    fn scalars_are_spelled_as_go_spells_them() {
        check(|json| json.null(), "null");
        check(|json| json.boolean(true), "true");
        check(|json| json.boolean(false), "false");
        check(|json| json.number(0), "0");
        check(|json| json.number(9), "9");
        check(|json| json.number(10), "10");
        check(|json| json.number(u64::MAX), "18446744073709551615");
        check(|json| json.big_int(U256::from(0)), r#""0x0""#);
        check(|json| json.big_int(U256::from(0x0f)), r#""0xf""#);
        check(|json| json.big_int(U256::from(0x10)), r#""0x10""#);
        check(|json| json.big_int(U256::MAX), &format!("\"0x{}\"", "f".repeat(64)));
        check(|json| json.hex([0x00, 0xab]), r#""0x00ab""#);
        check(|json| json.hex([]), r#""0x""#);
        check(|json| json.base64(b""), r#""""#);
        check(|json| json.base64(b"\xfb\xff"), r#""+/8=""#);
        check(|json| json.base64(b"abc"), r#""YWJj""#);
        check(|json| json.or_null(None, GoJson::number), "null");
        check(|json| json.or_null(Some(3), GoJson::number), "3");
    }

    #[test]
    fn strings_are_escaped_for_html() {
        check(|json| json.text("block-result"), r#""block-result""#);
        check(|json| json.text("0x<nil>"), r#""0x\u003cnil\u003e""#);
        check(|json| json.text("a&b"), r#""a\u0026b""#);
        check(|json| json.text("\"\\/"), r#""\"\\/""#);
        check(|json| json.text("\n\r\t\u{1}\u{1f} "), r#""\n\r\t\u0001\u001f ""#);
        check(|json| json.text("é\u{2028}\u{2029}\u{7f}"), "\"é\\u2028\\u2029\u{7f}\"");
    }

    #[test]
    fn nothing_stands_between_the_brackets_of_an_empty_value() {
        check(|json| json.object(|_| ()), "{}");
        check(|json| json.array([(); 0], |_, ()| ()), "[]");
        check(|json| json.byte_array(&[]), "[]");
    }

    #[test]
    fn one_value_stands_on_each_line_one_space_deeper() {
        check(|json| json.byte_array(&[0, 255]), "[\n 0,\n 255\n]");
        check(
            |json| {
                json.object(|json| {
                    json.field("a").array([1, 2], GoJson::number);
                    json.field("b").array([(); 0], |_, ()| ());
                    json.field("c").array([[3_u64; 2]; 2], |json, pair| json.array(pair, GoJson::number));
                    json.field("d").object(|json| json.field("e").null());
                    json.field("f").array([7], |json, value| json.object(|json| json.field("g").number(value)));
                });
            },
            "{\n \"a\": [\n  1,\n  2\n ],\n \"b\": [],\n \"c\": [\n  [\n   3,\n   3\n  ],\n  [\n   3,\n   3\n  ]\n ],\n \
             \"d\": {\n  \"e\": null\n },\n \"f\": [\n  {\n   \"g\": 7\n  }\n ]\n}",
        );
    }
}
