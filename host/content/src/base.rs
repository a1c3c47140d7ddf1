//! The two alphabets content ids are written in.

const BASE_32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
const BASE_58: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// A text that its base does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CharacterError {
    /// A character outside the alphabet.
    #[error("{character:?} is no base{base} character")]
    Unknown {
        /// The character that was found.
        character: char,
        /// The base, 32 or 58.
        base: u8,
    },
    /// The last base32 character holds bits that no byte has.
    #[error("base32 text with bits left over")]
    LeftOver,
}

/// Lower case, without padding (RFC 4648).
pub(crate) fn encode_32(bytes: &[u8]) -> String {
    let mut text = String::with_capacity((bytes.len() * 8).div_ceil(5));
    let (mut window, mut bits) = (0_u32, 0);
    for byte in bytes {
        window = (window << 8 | u32::from(*byte)) & 0xfff;
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(BASE_32[(window >> bits & 31) as usize]));
        }
    }
    if bits > 0 {
        text.push(char::from(BASE_32[(window << (5 - bits) & 31) as usize]));
    }
    text
}

/// Either case, without padding.
pub(crate) fn decode_32(text: &str) -> Result<Vec<u8>, CharacterError> {
    let mut bytes = Vec::with_capacity(text.len() * 5 / 8);
    let (mut window, mut bits) = (0_u32, 0);
    for character in text.chars() {
        let value = match character {
            'a'..='z' => u32::from(character) - u32::from('a'),
            'A'..='Z' => u32::from(character) - u32::from('A'),
            '2'..='7' => u32::from(character) - u32::from('2') + 26,
            _ => return Err(CharacterError::Unknown { character, base: 32 }),
        };
        window = (window << 5 | value) & 0xfff;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push((window >> bits).to_le_bytes()[0]);
        }
    }
    let left = window & ((1 << bits) - 1);
    if bits >= 5 || left != 0 { Err(CharacterError::LeftOver) } else { Ok(bytes) }
}

/// Bitcoin's alphabet. Quadratic, so only for short text.
pub(crate) fn decode_58(text: &str) -> Result<Vec<u8>, CharacterError> {
    let mut number: Vec<u8> = Vec::new(); // little endian
    for character in text.chars() {
        let digit = BASE_58.iter().zip(0_u32..).find(|(known, _)| char::from(**known) == character);
        let Some((_, digit)) = digit else { return Err(CharacterError::Unknown { character, base: 58 }) };
        let mut carry = digit;
        for byte in &mut number {
            let sum = u32::from(*byte) * 58 + carry;
            (*byte, carry) = (sum.to_le_bytes()[0], sum >> 8);
        }
        if carry > 0 {
            number.push(carry.to_le_bytes()[0]);
        }
    }
    let zeros = text.bytes().take_while(|byte| *byte == BASE_58[0]).count();
    number.resize(number.len() + zeros, 0);
    number.reverse();
    Ok(number)
}
