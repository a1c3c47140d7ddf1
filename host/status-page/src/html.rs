//! Markup and text, kept apart by their types, and the look of every page of this program.

use std::fmt::{self, Display, Write};

use refiner_text::UntrustedText;

pub use crate::policy::STYLE;

/// An icon without a request for it: a cube's outline.
pub const ICON: &str = "<link rel=\"icon\" href=\"data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect width='16' height='16' rx='4' fill='%230b6e4f'/%3E%3Cpath d='M4 11.5l3-4 2 2 3-5' fill='none' stroke='white' stroke-width='1.6'/%3E%3C/svg%3E\">";

/// Longest text of one place of the page. Longer ones are cut off: `/status` and the journal have them whole.
const TEXT_BYTES_MAX: usize = 1_024;

/// A document under construction. Markup is constant, and everything else is escaped.
#[derive(Debug, Default)]
pub struct Html(String);

impl Html {
    /// Appends markup, which only a constant can be.
    pub fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Appends a value as text or as part of an attribute in double quotes.
    pub fn text(&mut self, value: impl Display) -> &mut Self {
        let mut bounded = Bounded(String::new());
        // A value that wants to write more than fits ends there.
        let _ = write!(bounded, "{value}");
        for character in UntrustedText::at_most(&bounded.0, TEXT_BYTES_MAX).as_str().chars() {
            match character {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                other => self.0.push(other),
            }
        }
        self
    }

    /// Appends a number with one decimal, as a coordinate of a drawing.
    pub fn coordinate(&mut self, value: f64) -> &mut Self {
        // A String takes everything.
        let _ = write!(self.0, "{value:.1}");
        self
    }

    /// The document.
    pub fn into_string(self) -> String {
        self.0
    }
}

/// Takes a little more than a place shows, and no more of what a value writes.
struct Bounded(String);

impl Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = (TEXT_BYTES_MAX + 4).saturating_sub(self.0.len());
        let end = text.floor_char_boundary(room);
        self.0.push_str(&text[..end]);
        if end == text.len() { Ok(()) } else { Err(fmt::Error) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str) -> String {
        let mut html = Html::default();
        html.text(value);
        html.into_string()
    }

    #[test]
    fn markup_in_text_is_shown_and_not_read() {
        assert_eq!(text("<b a=\"1\" c='2'>&"), "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;");
    }

    #[test]
    fn characters_that_reorder_or_hide_text_are_written_out() {
        assert_eq!(text("a\u{202e}b\n\0c"), "a\\u{202e}b\\u{a}\\u{0}c");
    }

    #[test]
    fn long_text_is_cut_at_a_character() {
        let shown = text(&"ü".repeat(100_000));
        assert!(shown.len() <= TEXT_BYTES_MAX && shown.ends_with("ü…"), "{} bytes", shown.len());
    }
}
