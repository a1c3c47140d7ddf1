//! Values of columns of JSON, which are handed on as the rule wrote them.

use crate::{Found, JSON_NESTING_MAX};

/// The part of a value that readers of tables fail at: with it, a whole column would be lost to them. `json` is JSON already.
pub(super) fn unreadable(json: &str) -> Option<Found> {
    if is_nested_deeper(json) {
        return Some(Found::DeepNesting);
    }
    lone_surrogate(json).map(Found::LoneSurrogate)
}

/// True for more than [`JSON_NESTING_MAX`] arrays and objects inside each other.
fn is_nested_deeper(json: &str) -> bool {
    let opens = |byte: u8| matches!(byte, b'[' | b'{');
    // Most values have fewer of them in all, which needs no look at where texts begin and end.
    if json.bytes().filter(|byte| opens(*byte)).count() <= JSON_NESTING_MAX {
        return false;
    }
    let (mut depth, mut in_text) = (0_usize, false);
    let mut bytes = json.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => in_text = !in_text,
            // In texts alone, where it may stand before a quote.
            b'\\' => drop(bytes.next()),
            _ if in_text => {}
            b'[' | b'{' if depth == JSON_NESTING_MAX => return true,
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

/// The first half of a pair of UTF-16 without the other half: JSON can write it, and UTF-8 has no bytes for it.
fn lone_surrogate(json: &str) -> Option<u16> {
    let mut rest = json;
    while let Some((_, escape)) = rest.split_once('\\') {
        let Some(unit) = unit(escape) else {
            // One character, which may be a backslash.
            rest = escape.get(1..)?;
            continue;
        };
        rest = escape.get(UNIT_CHARACTERS..)?;
        match unit {
            0xd800..=0xdbff => {
                let low = rest.strip_prefix('\\').filter(|low| matches!(self::unit(low), Some(0xdc00..=0xdfff)));
                let Some(low) = low else { return Some(unit) };
                rest = low.get(UNIT_CHARACTERS..)?;
            }
            0xdc00..=0xdfff => return Some(unit),
            _ => {}
        }
    }
    None
}

/// `u` and four digits.
const UNIT_CHARACTERS: usize = 5;

/// The unit of UTF-16 that an escape begins with.
fn unit(escape: &str) -> Option<u16> {
    let digits = escape.get(1..UNIT_CHARACTERS).filter(|_| escape.starts_with('u'))?;
    u16::from_str_radix(digits, 16).ok()
}
