//! Text that a rule wrote, made safe to show.

use std::fmt;

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
        let mut kept = String::with_capacity(text.len().min(bytes_max));
        for character in text.chars() {
            let before = kept.len();
            if needs_escape(character) {
                kept.extend(character.escape_unicode());
            } else {
                kept.push(character);
            }
            if kept.len() > bytes_max {
                kept.truncate(before);
                kept.push('…');
                break;
            }
        }
        Self(kept)
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
