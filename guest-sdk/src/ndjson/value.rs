//! The spelling of a value in a row.

use std::io::Write as _;

use crate::{Address, B256, U256};

/// Something a field can hold.
///
/// Numbers of up to 64 bits are JSON numbers, exact to the last digit; wider ones are decimal text, because most readers
/// would round them. Bytes are `0x` and lower-case digits, addresses too: nothing is checksummed. `None` is `null`.
pub trait Value {
    /// Appends the value to a line, as JSON without white space.
    fn write(&self, line: &mut Vec<u8>);
}

/// Bytes as text: `0x` and two lower-case digits each.
#[derive(Clone, Copy, Debug)]
pub struct Hex<'a>(pub &'a [u8]);

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// The first characters that JSON text holds unescaped, apart from the quote and the backslash.
const FIRST_PLAIN: u8 = 0x20;

impl Value for Hex<'_> {
    fn write(&self, line: &mut Vec<u8>) {
        line.extend_from_slice(b"\"0x");
        let start = line.len();
        // Room for all digits at once: to grow for each of them is most of what a row would cost.
        line.resize(start + 2 * self.0.len(), 0);
        let (words, rest) = self.0.as_chunks::<4>();
        let (digits, last) = line[start..].split_at_mut(8 * words.len());
        for (digits, word) in digits.chunks_exact_mut(8).zip(words) {
            digits.copy_from_slice(&hex_of_four(*word));
        }
        for (digits, byte) in last.chunks_exact_mut(2).zip(rest) {
            digits.copy_from_slice(&hex(*byte));
        }
        line.push(b'"');
    }
}

impl Value for B256 {
    fn write(&self, line: &mut Vec<u8>) {
        Hex(&self.to_bytes()).write(line);
    }
}

impl Value for Address {
    fn write(&self, line: &mut Vec<u8>) {
        Hex(&self.to_bytes()).write(line);
    }
}

impl Value for U256 {
    fn write(&self, line: &mut Vec<u8>) {
        let (digits, first) = self.decimal();
        line.push(b'"');
        line.extend_from_slice(&digits[first..]);
        line.push(b'"');
    }
}

impl Value for str {
    fn write(&self, line: &mut Vec<u8>) {
        line.push(b'"');
        if is_plain(self.as_bytes()) {
            line.extend_from_slice(self.as_bytes());
        } else {
            self.bytes().for_each(|byte| escape(byte, line));
        }
        line.push(b'"');
    }
}

impl Value for bool {
    fn write(&self, line: &mut Vec<u8>) {
        line.extend_from_slice(if *self { b"true" } else { b"false" });
    }
}

/// `null`, for what has no value in any row.
impl Value for () {
    fn write(&self, line: &mut Vec<u8>) {
        line.extend_from_slice(b"null");
    }
}

impl<T: Value> Value for Option<T> {
    fn write(&self, line: &mut Vec<u8>) {
        match self {
            Some(value) => value.write(line),
            None => ().write(line),
        }
    }
}

impl<T: Value + ?Sized> Value for &T {
    fn write(&self, line: &mut Vec<u8>) {
        (**self).write(line);
    }
}

macro_rules! numbers {
    ($($number:ty)*) => {$(
        impl Value for $number {
            fn write(&self, line: &mut Vec<u8>) {
                decimal(self, line);
            }
        }
    )*};
}

numbers!(u8 u16 u32 u64 i64);

/// An array.
impl<T: Value> Value for [T] {
    fn write(&self, line: &mut Vec<u8>) {
        line.push(b'[');
        for (position, item) in self.iter().enumerate() {
            if position > 0 {
                line.push(b',');
            }
            item.write(line);
        }
        line.push(b']');
    }
}

impl<T: Value> Value for Vec<T> {
    fn write(&self, line: &mut Vec<u8>) {
        self.as_slice().write(line);
    }
}

impl Value for String {
    fn write(&self, line: &mut Vec<u8>) {
        self.as_str().write(line);
    }
}

/// Text that is JSON already, on one line; nothing checks it here.
#[derive(Clone, Copy, Debug)]
pub struct Json<'a>(pub &'a str);

impl Value for Json<'_> {
    fn write(&self, line: &mut Vec<u8>) {
        line.extend_from_slice(self.0.as_bytes());
    }
}

fn decimal(number: impl std::fmt::Display, line: &mut Vec<u8>) {
    let written = write!(line, "{number}");
    debug_assert!(written.is_ok(), "a vector takes every byte");
}

/// Appends a byte of JSON text.
fn escape(byte: u8, line: &mut Vec<u8>) {
    match byte {
        b'"' | b'\\' => line.extend_from_slice(&[b'\\', byte]),
        FIRST_PLAIN.. => line.push(byte),
        _ => {
            line.extend_from_slice(b"\\u00");
            line.extend_from_slice(&hex(byte));
        }
    }
}

/// True for text that JSON holds as it is. It looks at eight bytes at once, because of all that a guest does a load costs most.
fn is_plain(text: &[u8]) -> bool {
    let (words, rest) = text.as_chunks::<8>();
    let mut last = [b' '; 8];
    last[..rest.len()].copy_from_slice(rest);
    words.iter().all(is_plain_word) && is_plain_word(&last)
}

/// The same for eight bytes: subtracting borrows into the highest bit of a byte that is too small.
fn is_plain_word(word: &[u8; 8]) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let word = u64::from_le_bytes(*word);
    let below = |word: u64, bound: u8| word.wrapping_sub(ONES * u64::from(bound)) & !word;
    let equal = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    (below(word, FIRST_PLAIN) | equal(b'"') | equal(b'\\')) & (ONES << 7) == 0
}

/// The digits of four bytes at once: half a byte each, spread over a word, and made a digit or a letter.
const fn hex_of_four(bytes: [u8; 4]) -> [u8; 8] {
    let word = u32::from_be_bytes(bytes) as u64;
    let pairs = (word | word << 16) & 0x0000_ffff_0000_ffff;
    let bytes = (pairs | pairs << 8) & 0x00ff_00ff_00ff_00ff;
    let halves = (bytes | bytes << 4) & 0x0f0f_0f0f_0f0f_0f0f;
    let letters = (halves + 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101;
    (halves + 0x3030_3030_3030_3030 + letters * 39).to_be_bytes()
}

fn hex(byte: u8) -> [u8; 2] {
    [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 0xf)]]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: impl Value, expected: &str) {
        let mut line = Vec::new();
        value.write(&mut line);
        assert_eq!(String::from_utf8_lossy(&line), expected);
    }

    #[test]
    fn numbers_of_a_word_are_numbers_and_wider_ones_decimal_text() {
        check(0_u8, "0");
        check(u64::MAX, "18446744073709551615");
        check(U256::ZERO, "\"0\"");
        check(U256::from(u64::MAX), "\"18446744073709551615\"");
        check(U256::MAX, "\"115792089237316195423570985008687907853269984665640564039457584007913129639935\"");
    }

    #[test]
    fn bytes_are_lower_case_digits() {
        check(Hex(&[]), "\"0x\"");
        check(Hex(&[0x00, 0x0a, 0xf9, 0xff]), "\"0x000af9ff\"");
        check(
            Address::from_hex("dAC17F958D2ee523a2206206994597C13D831ec7"),
            "\"0xdac17f958d2ee523a2206206994597c13d831ec7\"",
        );
        check(B256::from_words([0, 0, 0, 0xAB]), &format!("\"0x{}ab\"", "0".repeat(62)));
    }

    #[test]
    fn digits_of_four_bytes_are_those_of_each() {
        for byte in 0..=255_u8 {
            let four = [byte, !byte, byte.rotate_left(4), 0];
            assert_eq!(hex_of_four(four).to_vec(), four.map(hex).concat());
        }
    }

    #[test]
    fn one_byte_that_is_not_plain_is_found_at_every_place() {
        for length in 0..20 {
            let plain = vec![b'a'; length];
            assert!(is_plain(&plain));
            for (place, byte) in (0..length).flat_map(|place| (0..=255_u8).map(move |byte| (place, byte))) {
                let mut text = plain.clone();
                text[place] = byte;
                assert_eq!(is_plain(&text), byte >= FIRST_PLAIN && byte != b'"' && byte != b'\\', "{byte} at {place}");
            }
        }
    }

    #[test]
    fn text_is_escaped_where_json_demands_it() {
        check("", "\"\"");
        check("a/b é 🦀", "\"a/b é 🦀\"");
        check("\"\\", r#""\"\\""#);
        check("\n\u{0}\u{1f} \u{7f}", "\"\\u000a\\u0000\\u001f \u{7f}\"");
    }

    #[test]
    fn arrays_hold_their_values_and_json_stays_as_it_is() {
        check([1_u8, 2].as_slice(), "[1,2]");
        check(Vec::<U256>::new(), "[]");
        check(vec![Some("a".to_owned()), None], "[\"a\",null]");
        check(i64::MIN, "-9223372036854775808");
        check(Json(r#"{"a":[1]}"#), r#"{"a":[1]}"#);
    }

    #[test]
    fn nothing_is_null() {
        check((), "null");
        check(None::<U256>, "null");
        check(Some("null"), "\"null\"");
        check([true, false].first(), "true");
    }
}
