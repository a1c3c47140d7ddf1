//! Text that a rule wrote, made safe to show.

use std::fmt;

/// Marks text that was cut off.
const ELLIPSIS: char = '…';

/// Text from a rule or its component: at most [`GuestText::BYTES_MAX`] bytes, control characters escaped, so that it can
/// neither flood a log nor move a cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GuestText(String);

impl GuestText {
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
    pub(crate) fn cut(text: &str, bytes_max: usize) -> (Self, bool) {
        let mut kept = String::with_capacity(text.len().min(bytes_max));
        let mut room_for_ellipsis = 0;
        for character in text.chars() {
            if needs_escape(character) {
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

/// Control characters, and the marks that reorder or hide text: they can make a line read as what it is not.
fn needs_escape(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

impl fmt::Display for GuestText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_and_never_longer_than_asked() {
        let check = |text: &str, bytes_max: usize, expected: &str| {
            let shown = GuestText::at_most(text, bytes_max);
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
    }
}
