//! One piece of bytecode where it stands: as bytes, or as the base64 text that it came in.

use alloy_primitives::{B256, Bytes};
use base64_simd::STANDARD;
use thiserror::Error;

/// Characters decoded at once when text is compared: whole groups of four, whose bytes fit in the first cache.
const CHUNK_CHARACTERS: usize = 4096;
const CHUNK_BYTES: usize = CHUNK_CHARACTERS / 4 * 3;

/// The code of a specimen is text that no base64 decoder reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the code of {hash} is not base64 text; `refiner specimen decode` names the byte")]
pub struct NotBase64 {
    /// The keccak256 that the producer states for it.
    pub hash: B256,
}

/// A piece of bytecode that may still be text.
#[derive(Clone, Copy, Debug)]
pub struct LazyBytecode<'a> {
    /// keccak256 of the code, as the producer states it.
    pub hash: B256,
    pub(super) form: Form<'a>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Form<'a> {
    Bytes(&'a Bytes),
    Text(&'a [u8]),
}

impl LazyBytecode<'_> {
    /// The number of its bytes, without decoding it. Text that is no base64 counts as what fits in its length.
    pub fn len(&self) -> usize {
        match self.form {
            Form::Bytes(bytes) => bytes.len(),
            Form::Text(text) => {
                let padding = text.iter().rev().take(2).take_while(|&&character| character == b'=').count();
                (text.len() / 4 * 3).saturating_sub(padding)
            }
        }
    }

    /// True when it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether it is exactly `code`: text is decoded piece by piece on the stack, up to the first difference.
    pub fn is(&self, code: &[u8]) -> bool {
        let text = match self.form {
            Form::Bytes(bytes) => return bytes[..] == *code,
            Form::Text(text) => text,
        };
        if text.len() != code.len().div_ceil(3) * 4 {
            return false;
        }
        let mut bytes = [0; CHUNK_BYTES];
        std::iter::zip(text.chunks(CHUNK_CHARACTERS), code.chunks(CHUNK_BYTES)).all(|(text, code)| {
            let decoded = STANDARD.decode(text, base64_simd::Out::from_slice(&mut bytes[..]));
            decoded.is_ok_and(|decoded| *decoded == *code)
        })
    }

    /// Its bytes; a copy where it was text.
    ///
    /// # Errors
    /// When its text is no standard base64 with padding.
    pub fn to_bytes(&self) -> Result<Bytes, NotBase64> {
        match self.form {
            Form::Bytes(bytes) => Ok(bytes.clone()),
            Form::Text(text) => match STANDARD.decode_to_vec(text) {
                Ok(bytes) => Ok(bytes.into()),
                Err(_) => Err(NotBase64 { hash: self.hash }),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &[u8]) -> LazyBytecode<'_> {
        LazyBytecode { hash: B256::ZERO, form: Form::Text(text) }
    }

    #[test]
    fn text_is_its_bytes_and_no_others_at_every_length_around_a_chunk() {
        for len in (0..8).chain(CHUNK_BYTES - 4..CHUNK_BYTES + 4).chain([3 * CHUNK_BYTES + 1]) {
            let bytes: Vec<u8> = (0..len).map(|index| u8::try_from(index % 251).unwrap()).collect();
            let encoded = STANDARD.encode_to_string(&bytes).into_bytes();
            let piece = text(&encoded);
            assert_eq!(piece.len(), len);
            assert!(piece.is(&bytes), "{len}");
            assert_eq!(piece.to_bytes().unwrap(), bytes);
            assert!(!piece.is(&[&bytes[..], &[0]].concat()), "{len} and one more");
            for other in 0..len {
                let mut bytes = bytes.clone();
                bytes[other] ^= 1;
                assert!(!piece.is(&bytes), "{len} with another byte at {other}");
            }
        }
    }

    #[test]
    fn text_that_is_no_base64_is_nothing_and_says_so() {
        for malformed in ["A", "AA", "AAA", "A===", "====", "AA=A", "AA==AAAA", "AAA*", "\u{e9}AA"] {
            let piece = text(malformed.as_bytes());
            assert_eq!(piece.to_bytes(), Err(NotBase64 { hash: B256::ZERO }), "{malformed}");
            let zeros = vec![0; piece.len()];
            assert!(!piece.is(&zeros), "{malformed}");
        }
    }

    #[test]
    fn padding_in_the_middle_is_no_base64_even_where_a_chunk_ends() {
        let mut encoded = STANDARD.encode_to_string(vec![0; 2 * CHUNK_BYTES]).into_bytes();
        encoded[CHUNK_CHARACTERS - 1] = b'=';
        let piece = text(&encoded);
        assert!(piece.to_bytes().is_err());
        assert!(!piece.is(&vec![0; 2 * CHUNK_BYTES]));
    }
}
