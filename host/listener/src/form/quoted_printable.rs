//! Quoted-printable text (RFC 2045, section 6.7), with the leniency of Go's decoder: LF ends a line too, bytes above 126 pass, and an
//! equals sign before anything but two hexadecimal digits or a line's end stands for itself.

/// Decodes `text`. The error is a byte that never stands there.
pub(super) fn decode(text: &[u8]) -> Result<Vec<u8>, u8> {
    let mut decoded = Vec::with_capacity(text.len());
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let end =
            line.iter().rposition(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).map_or(0, |last| last + 1);
        let line_break: &[u8] = match line {
            [.., b'\r', b'\n'] => b"\r\n",
            [.., b'\n'] => b"\n",
            _ => b"",
        };
        // An equals sign at the end of a line joins it with the next.
        match line[..end].split_last() {
            Some((b'=', rest)) => decode_line(rest, &mut decoded)?,
            _ => {
                decode_line(&line[..end], &mut decoded)?;
                decoded.extend_from_slice(line_break);
            }
        }
    }
    Ok(decoded)
}

fn decode_line(mut line: &[u8], decoded: &mut Vec<u8>) -> Result<(), u8> {
    while let [first, rest @ ..] = line {
        line = rest;
        match (*first, rest) {
            (b'=', [high, low, after @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                decoded.push(digit(*high) << 4 | digit(*low));
                line = after;
            }
            (byte @ (b'\t' | b'\r' | b' '..=b'~' | 0x80..), _) => decoded.push(byte),
            (byte, _) => return Err(byte),
        }
    }
    Ok(())
}

const fn digit(hexadecimal: u8) -> u8 {
    match hexadecimal {
        b'0'..=b'9' => hexadecimal - b'0',
        b'a'..=b'f' => hexadecimal - b'a' + 10,
        _ => hexadecimal - b'A' + 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_decoded_as_the_network_decodes_them() {
        for (text, expected) in [
            ("", Ok("")),
            ("foo bar", Ok("foo bar")),
            ("foo bar=3D", Ok("foo bar=")),
            ("foo bar=3d", Ok("foo bar=")),
            ("=41=0A=42", Ok("A\nB")),
            ("one \t\r\ntwo \n three", Ok("one\r\ntwo\n three")),
            ("soft=\r\nbreak", Ok("softbreak")),
            ("soft=\nbreak=", Ok("softbreak")),
            ("soft= \r\nbreak", Ok("softbreak")),
            ("a=b=zz=", Ok("a=b=zz")),
            ("\x7f", Err(0x7f)),
            ("a\0b", Err(0)),
        ] {
            let decoded = decode(text.as_bytes()).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            assert_eq!(decoded.as_deref(), expected.as_deref(), "{text:?}");
        }
        assert_eq!(decode(&[0x80, 0xff]), Ok(vec![0x80, 0xff]));
    }
}
