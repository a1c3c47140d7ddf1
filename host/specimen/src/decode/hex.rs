//! Hex digits to the bytes of hashes and addresses.

/// Digits of a hash.
pub(super) const HASH_DIGITS: usize = 64;
/// Digits of an address.
pub(super) const ADDRESS_DIGITS: usize = 40;

/// Digits that const-hex takes in one vector; what is left over it reads digit by digit.
const VECTOR_DIGITS: usize = 32;
/// Digits that fit in a word, and that an address has more than a vector.
const WORD_DIGITS: usize = ADDRESS_DIGITS - VECTOR_DIGITS;

/// The bytes of 64 digits, `None` when there is another character among them.
#[inline(always)]
pub(super) fn hash(digits: &[u8; HASH_DIGITS]) -> Option<[u8; 32]> {
    const_hex::decode_to_array(digits).ok()
}

/// The bytes of 40 digits, `None` when there is another character among them.
#[inline(always)]
pub(super) fn address(digits: &[u8; ADDRESS_DIGITS]) -> Option<[u8; 20]> {
    let mut bytes = [0; 20];
    *bytes.last_chunk_mut()? = word(*digits.last_chunk()?)?;
    *bytes.first_chunk_mut()? = const_hex::decode_to_array::<_, 16>(digits.first_chunk::<VECTOR_DIGITS>()?).ok()?;
    Some(bytes)
}

/// Eight digits at once, in the bytes of a word.
#[inline(always)]
fn word(digits: [u8; WORD_DIGITS]) -> Option<[u8; 4]> {
    const fn every(byte: u8) -> u64 {
        u64::from_ne_bytes([byte; WORD_DIGITS])
    }
    let digits = u64::from_le_bytes(digits);
    // The bit that only letters have, which also makes them lower case, and leaves the others' values as they are.
    let letters = digits >> 6 & every(1);
    let lower = digits | letters << 5;
    // No sum below reaches into the next byte: characters above 127 are found first.
    let above = |limit: u8| lower.wrapping_add(every(0x7f - limit)) & every(0x80);
    let decimal = above(b'0' - 1) & !above(b'9');
    let letter = above(b'a' - 1) & !above(b'f');
    if digits & every(0x80) != 0 || (decimal | letter) != every(0x80) {
        return None;
    }
    let values = (lower & every(0x0f)) + 9 * letters;
    let pairs = (values << 4 | values >> 8) & 0x00ff_00ff_00ff_00ff;
    let [first, _, second, _, third, _, fourth, _] = pairs.to_le_bytes();
    Some([first, second, third, fourth])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_in_every_place_is_judged_as_the_standard_library_does() {
        for character in 0..=u8::MAX {
            let expected = char::from(character).to_digit(16).map(u64::from);
            for place in 0..HASH_DIGITS {
                let mut digits = [b'0'; HASH_DIGITS];
                digits[place] = character;
                let value = |bytes: &[u8]| {
                    let others = bytes.iter().enumerate().filter(|(index, _)| *index != place / 2);
                    assert!(others.into_iter().all(|(_, byte)| *byte == 0));
                    u64::from(if place.is_multiple_of(2) { bytes[place / 2] >> 4 } else { bytes[place / 2] })
                };
                assert_eq!(hash(&digits).map(|bytes| value(&bytes)), expected, "{character:#x} at {place}");
                if place < ADDRESS_DIGITS {
                    let bytes = address(digits.first_chunk().unwrap());
                    assert_eq!(bytes.map(|bytes| value(&bytes)), expected, "{character:#x} at {place}");
                }
            }
        }
    }
}
