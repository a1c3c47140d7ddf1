//! Text from outside as a value: escaped once, at the edge, and bounded.

use std::fmt;

use crate::is_deceptive;

/// Marks text that was cut off.
const ELLIPSIS: char = '…';

/// Text from outside: at most [`UntrustedText::BYTES_MAX`] bytes, deceptive characters escaped, so that it can neither flood a log
/// nor move a cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UntrustedText(String);

impl UntrustedText {
    /// Longest text kept. Enough for a message a person reads.
    pub const BYTES_MAX: usize = 1_024;

    /// Shortens and escapes `text`.
    pub fn new(text: &str) -> Self {
        Self::at_most(text, Self::BYTES_MAX)
    }

    /// Shortens to `bytes_max` and escapes `text`. An ellipsis marks what was cut off.
    pub fn at_most(text: &str, bytes_max: usize) -> Self {
        Self::cut(text, bytes_max).0
    }

    /// [`Self::at_most`], and whether anything was cut off.
    pub fn cut(text: &str, bytes_max: usize) -> (Self, bool) {
        let mut kept = String::with_capacity(text.len().min(bytes_max));
        let mut room_for_ellipsis = 0;
        for character in text.chars() {
            if is_deceptive(character) {
                kept.extend(character.escape_unicode());
            } else {
                kept.push(character);
            }
            if kept.len() > bytes_max {
                kept.truncate(room_for_ellipsis);
                kept.extend((ELLIPSIS.len_utf8() <= bytes_max).then_some(ELLIPSIS));
                return (Self(kept), true);
            }
            if kept.len() + ELLIPSIS.len_utf8() <= bytes_max {
                room_for_ellipsis = kept.len();
            }
        }
        (Self(kept), false)
    }

    /// The text, already shortened and escaped.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UntrustedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Shows a value on one line, escaped and whole.
pub struct OneLine<T>(pub T);

impl<T: fmt::Display> fmt::Display for OneLine<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        write!(Escape(f), "{}", self.0)
    }
}

/// Escapes what a value writes of itself.
struct Escape<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl fmt::Write for Escape<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some(at) = rest.find(is_deceptive) {
            let (plain, escaped) = rest.split_at(at);
            self.0.write_str(plain)?;
            let mut characters = escaped.chars();
            if let Some(character) = characters.next() {
                write!(self.0, "{}", character.escape_unicode())?;
            }
            rest = characters.as_str();
        }
        self.0.write_str(rest)
    }
}

/// Text of several lines, escaped, with every line but the first indented: none can be taken for a line of the program's own.
pub fn indented(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(|line| OneLine(line).to_string()).collect();
    lines.join("\n      ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_and_never_longer_than_asked() {
        let check = |text: &str, bytes_max: usize, expected: &str| {
            let shown = UntrustedText::at_most(text, bytes_max);
            assert_eq!(shown.as_str(), expected, "{text:?} in {bytes_max}");
            assert!(shown.as_str().len() <= bytes_max);
        };
        check("plain", 5, "plain");
        check("plain", 4, "p…");
        check("plain", 3, "…");
        check("plain", 2, "");
        check("", 0, "");
        check("größe", 7, "größe");
        check("größe", 6, "gr…");
        check("a\nb", 9, "a\\u{a}b");
        check("a\nb", 6, "a…");
        check("\u{1b}[2J", 20, "\\u{1b}[2J");
        check("\u{202e}", 20, "\\u{202e}");
        check("\u{e0041}\u{ad}", 20, "\\u{e0041}\\u{ad}");
    }

    #[test]
    fn a_value_is_shown_on_one_line_and_whole() {
        for (text, expected) in [
            ("", ""),
            ("plain größe", "plain größe"),
            ("\u{1b}[31ma\r\n\tb\u{202e}", "\\u{1b}[31ma\\u{d}\\u{a}\\u{9}b\\u{202e}"),
        ] {
            assert_eq!(OneLine(text).to_string(), expected);
            assert_eq!(OneLine(OneLine(text)).to_string(), expected, "escaped twice");
        }
        let long = "x".repeat(UntrustedText::BYTES_MAX * 2);
        assert_eq!(OneLine(&long).to_string(), long);
    }

    #[test]
    fn lines_after_the_first_are_indented() {
        assert_eq!(indented("TOML\n  | \u{1b}x\nerror: no"), "TOML\n        | \\u{1b}x\n      error: no");
        assert_eq!(indented(""), "");
    }
}
