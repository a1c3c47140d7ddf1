//! The text of a manifest, from bytes that may be in another encoding.

/// Bytes that are no UTF-8, as those of an editor that saves Latin-1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} is not UTF-8 (byte 0x{byte:02x})")]
pub struct NotUtf8 {
    /// Line of the fault, counted from 1.
    pub line: usize,
    /// The first byte that is none.
    pub byte: u8,
}

/// The text of a manifest.
///
/// # Errors
///
/// [`NotUtf8`] with the first fault: a byte that is replaced would make one manifest out of two.
pub fn text(bytes: &[u8]) -> Result<&str, NotUtf8> {
    std::str::from_utf8(bytes).map_err(|error| {
        let (good, rest) = bytes.split_at(error.valid_up_to());
        let line = 1 + good.iter().filter(|byte| **byte == b'\n').count();
        NotUtf8 { line, byte: rest.first().copied().unwrap_or_default() }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_another_encoding_are_refused_with_their_line() {
        assert_eq!(text("licence = \"© me\"".as_bytes()), Ok("licence = \"© me\""));
        let error = text(b"name = \"a\"\nlicence = \"\xa9 me\"\n").expect_err("Latin-1");
        assert_eq!(error.to_string(), "line 2 is not UTF-8 (byte 0xa9)");
    }
}
