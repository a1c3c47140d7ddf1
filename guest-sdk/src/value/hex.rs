//! Hexadecimal digits at compile time.

/// Reads exactly `N` bytes from `text`, with or without `0x`, in either case.
///
/// Panics, which in a constant is a compile error, when the length or a digit is wrong.
pub(super) const fn decode<const N: usize>(text: &str) -> [u8; N] {
    let digits = text.as_bytes();
    let start = if digits.len() >= 2 && digits[0] == b'0' && digits[1] == b'x' { 2 } else { 0 };
    assert!(digits.len() - start == 2 * N, "wrong number of hexadecimal digits");
    let mut bytes = [0; N];
    let mut index = 0;
    while index < N {
        bytes[index] = digit(digits[start + 2 * index]) << 4 | digit(digits[start + 2 * index + 1]);
        index += 1;
    }
    bytes
}

const fn digit(character: u8) -> u8 {
    match character {
        b'0'..=b'9' => character - b'0',
        b'a'..=b'f' => character - b'a' + 10,
        b'A'..=b'F' => character - b'A' + 10,
        _ => panic!("not a hexadecimal digit"),
    }
}

/// The word that starts at `start`.
pub(super) const fn word(bytes: &[u8], start: usize) -> u64 {
    let mut word = 0;
    let mut index = 0;
    while index < 8 {
        word = word << 8 | bytes[start + index] as u64;
        index += 1;
    }
    word
}
