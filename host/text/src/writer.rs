//! The last defence: an output that escapes whatever reaches it.

use std::{
    io::{self, Write},
    str,
};

use crate::is_deceptive;

/// The spelling of a character that is escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// `\u{1b}`, for people. Line breaks and tabs are the program's own.
    Text,
    /// `\u001b`, in pairs of surrogates where JSON needs them. In JSON such a character stands in a string, so that the text stays
    /// JSON of the same value.
    Json,
}

/// An output for text of which parts come from outside.
#[derive(Debug)]
pub struct EscapingWriter<W: Write> {
    out: W,
    style: Style,
    /// The begin of a character whose other bytes have not come.
    begun: Vec<u8>,
}

impl<W: Write> EscapingWriter<W> {
    /// Makes a writer that escapes on the way to `out`.
    pub const fn new(out: W, style: Style) -> Self {
        Self { out, style, begun: Vec::new() }
    }

    fn text(&mut self, text: &str) -> io::Result<()> {
        let mut rest = text;
        while let Some(at) = rest.find(needs_escape) {
            let (plain, escaped) = rest.split_at(at);
            self.out.write_all(plain.as_bytes())?;
            let mut characters = escaped.chars();
            if let Some(character) = characters.next() {
                self.escape(character)?;
            }
            rest = characters.as_str();
        }
        self.out.write_all(rest.as_bytes())
    }

    fn escape(&mut self, character: char) -> io::Result<()> {
        match self.style {
            Style::Text => write!(self.out, "{}", character.escape_unicode()),
            Style::Json => {
                let mut units = [0; 2];
                character.encode_utf16(&mut units).iter().try_for_each(|unit| write!(self.out, "\\u{unit:04x}"))
            }
        }
    }

    /// Writes bytes that are not UTF-8 by their numbers; no text of ours has any.
    fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        bytes.iter().try_for_each(|byte| write!(self.out, "\\x{byte:02x}"))
    }

    fn all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut rest = bytes;
        loop {
            let error = match str::from_utf8(rest) {
                Ok(text) => return self.text(text),
                Err(error) => error,
            };
            let (valid, invalid) = rest.split_at(error.valid_up_to());
            self.text(str::from_utf8(valid).unwrap_or_default())?;
            let Some(length) = error.error_len() else {
                self.begun = invalid.to_vec();
                return Ok(());
            };
            let (invalid, after) = invalid.split_at(length);
            self.bytes(invalid)?;
            rest = after;
        }
    }
}

/// Line breaks and tabs are of the program's own making: text from outside has none left, and JSON escapes its own.
fn needs_escape(character: char) -> bool {
    is_deceptive(character) && !matches!(character, '\n' | '\t')
}

impl<W: Write> Write for EscapingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.begun.is_empty() {
            self.all(bytes)?;
        } else {
            let mut whole = std::mem::take(&mut self.begun);
            whole.extend_from_slice(bytes);
            self.all(&whole)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let begun = std::mem::take(&mut self.begun);
        self.bytes(&begun)?;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn written(style: Style, pieces: &[&[u8]]) -> String {
        let mut writer = EscapingWriter::new(Vec::new(), style);
        for piece in pieces {
            writer.write_all(piece).unwrap();
        }
        writer.flush().unwrap();
        String::from_utf8(writer.out).unwrap()
    }

    #[test]
    fn text_keeps_its_lines_and_loses_its_controls() {
        let text = "a\tb\nc\rd \u{1b}[2J \u{9b}31m \u{202e}größe\u{e0041}";
        assert_eq!(
            written(Style::Text, &[text.as_bytes()]),
            "a\tb\nc\\u{d}d \\u{1b}[2J \\u{9b}31m \\u{202e}größe\\u{e0041}"
        );
    }

    #[test]
    fn json_stays_json_of_the_same_value() {
        for value in ["\u{7f}\u{9b}\u{202e}\u{ad}", "\u{e0041} and \u{fe0f}", "plain größe 🦀"] {
            let escaped = written(Style::Json, &[format!("{{\"a\":\"{value}\"}}").as_bytes()]);
            assert!(!escaped.contains(is_deceptive), "{escaped}");
            assert_eq!(unescaped(&escaped), format!("{{\"a\":\"{value}\"}}"));
        }
        assert_eq!(written(Style::Json, &["\u{e0041}".as_bytes()]), "\\udb40\\udc41");
    }

    /// Reads `\uXXXX` as a reader of JSON does.
    fn unescaped(json: &str) -> String {
        let mut units = Vec::new();
        let mut rest = json;
        while let Some(character) = rest.chars().next() {
            match rest.strip_prefix("\\u") {
                Some(digits) => {
                    units.push(u16::from_str_radix(&digits[..4], 16).unwrap());
                    rest = &digits[4..];
                }
                None => {
                    units.extend_from_slice(character.encode_utf16(&mut [0; 2]));
                    rest = &rest[character.len_utf8()..];
                }
            }
        }
        String::from_utf16(&units).unwrap()
    }

    #[test]
    fn characters_that_come_in_pieces_are_escaped_too() {
        for split in 1..3 {
            let (head, tail) = "\u{202e}".as_bytes().split_at(split);
            assert_eq!(written(Style::Text, &[b"a", head, tail, b"b"]), "a\\u{202e}b");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_shown_by_number() {
        assert_eq!(written(Style::Text, &[b"a\xffb\xe2\x80"]), "a\\xffb\\xe2\\x80");
    }
}
