//! JSON as Ethereum's RPC writes it, straight into bytes: no spaces, keys in the order written.

use alloy_primitives::U256;

/// A JSON text being written.
///
/// Whether a comma is due is read off the last byte, so nesting needs no state.
pub(super) struct Json {
    bytes: Vec<u8>,
    /// JSON pointers of the values that were left null because no check covers them.
    unproven: Vec<String>,
}

/// An item of one of the document's lists.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    pub(super) list: &'static str,
    pub(super) index: usize,
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

impl Json {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), unproven: Vec::new() }
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// The next key of the open object, which is the item `at`, and its value; null where no check covers it.
    pub(super) fn value(&mut self, at: Item, name: &'static str, proven: bool, write: impl FnOnce(&mut Self)) {
        self.key(name);
        if proven {
            write(self);
        } else {
            self.null();
            self.mark_unproven(at, name);
        }
    }

    /// Notes that a value of the item `at` rests on nothing that was checked.
    pub(super) fn mark_unproven(&mut self, Item { list, index }: Item, name: &str) {
        self.unproven.push(format!("/{list}/{index}/{name}"));
    }

    /// The pointers noted so far, in the order of the document.
    pub(super) fn take_unproven(&mut self) -> Vec<String> {
        std::mem::take(&mut self.unproven)
    }

    /// The next key of the open object; its value follows.
    pub(super) fn key(&mut self, name: &'static str) -> &mut Self {
        self.comma();
        self.text(name);
        self.bytes.push(b':');
        self
    }

    pub(super) fn object(&mut self, fields: impl FnOnce(&mut Self)) {
        self.bytes.push(b'{');
        fields(self);
        self.bytes.push(b'}');
    }

    pub(super) fn array<T>(&mut self, items: impl IntoIterator<Item = T>, mut write: impl FnMut(&mut Self, T)) {
        self.bytes.push(b'[');
        for item in items {
            self.comma();
            write(self, item);
        }
        self.bytes.push(b']');
    }

    /// Text of our own that needs no escaping.
    pub(super) fn text(&mut self, text: &str) {
        debug_assert!(
            text.bytes().all(|byte| (byte.is_ascii_graphic() || byte == b' ') && byte != b'"' && byte != b'\\')
        );
        self.bytes.push(b'"');
        self.bytes.extend_from_slice(text.as_bytes());
        self.bytes.push(b'"');
    }

    pub(super) fn null(&mut self) {
        self.bytes.extend_from_slice(b"null");
    }

    pub(super) fn number(&mut self, digit: u8) {
        debug_assert!(digit < 10);
        self.bytes.push(b'0' + digit);
    }

    pub(super) fn boolean(&mut self, value: bool) {
        self.bytes.extend_from_slice(if value { b"true" } else { b"false" });
    }

    /// `"0x…"`, two digits a byte.
    pub(super) fn data(&mut self, data: impl AsRef<[u8]>) {
        let data = data.as_ref();
        self.bytes.extend_from_slice(b"\"0x");
        let start = self.bytes.len();
        self.bytes.resize(start + 2 * data.len(), 0);
        // The slice has twice the bytes, which is all that could be wrong.
        let _ = const_hex::encode_to_slice(data, &mut self.bytes[start..]);
        self.bytes.push(b'"');
    }

    /// `"0x…"` without leading zeros.
    pub(super) fn quantity(&mut self, value: u64) {
        self.bytes.extend_from_slice(b"\"0x");
        self.digits(value, (u64::BITS - value.leading_zeros()).div_ceil(4).max(1));
        self.bytes.push(b'"');
    }

    /// `"0x…"` without leading zeros.
    pub(super) fn big_quantity(&mut self, value: U256) {
        let limbs = value.as_limbs();
        let Some(top) = limbs.iter().rposition(|limb| *limb != 0).filter(|top| *top > 0) else {
            return self.quantity(limbs[0]);
        };
        self.bytes.extend_from_slice(b"\"0x");
        self.digits(limbs[top], (u64::BITS - limbs[top].leading_zeros()).div_ceil(4));
        for limb in limbs[..top].iter().rev() {
            self.digits(*limb, u64::BITS / 4);
        }
        self.bytes.push(b'"');
    }

    fn digits(&mut self, value: u64, count: u32) {
        for digit in (0..count).rev() {
            self.bytes.push(DIGITS[usize::from((value >> (4 * digit)).to_le_bytes()[0] & 0xf)]);
        }
    }

    fn comma(&mut self) {
        if !matches!(self.bytes.last(), Some(b'{' | b'[' | b':') | None) {
            self.bytes.push(b',');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Json)) -> String {
        let mut json = Json::with_capacity(0);
        write(&mut json);
        String::from_utf8(json.into_bytes()).unwrap()
    }

    #[test]
    fn quantities_have_no_leading_zeros() {
        let cases = [
            (U256::ZERO, "\"0x0\""),
            (U256::from(1), "\"0x1\""),
            (U256::from(0x10), "\"0x10\""),
            (U256::from(u64::MAX), "\"0xffffffffffffffff\""),
            (U256::from(u64::MAX) + U256::from(1), "\"0x10000000000000000\""),
            (U256::from(1) << 192, "\"0x1000000000000000000000000000000000000000000000000\""),
        ];
        for (value, expected) in cases {
            assert_eq!(written(|json| json.big_quantity(value)), expected);
        }
        assert_eq!(written(|json| json.big_quantity(U256::MAX)), format!("\"0x{}\"", "f".repeat(64)));
    }

    #[test]
    fn commas_stand_between_members_and_nowhere_else() {
        let text = written(|json| {
            json.object(|json| {
                json.key("a").array([0, 1], |json, number| json.quantity(number));
                json.key("b").array([(), ()], |json, ()| json.object(|json| json.key("c").null()));
                json.key("d").object(|_| ());
                json.key("e").array::<u64>([], Json::quantity);
                json.key("f").data([0xab]);
            });
        });
        assert_eq!(text, r#"{"a":["0x0","0x1"],"b":[{"c":null},{"c":null}],"d":{},"e":[],"f":"0xab"}"#);
    }
}
