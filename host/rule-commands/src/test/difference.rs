//! Differences between what a run made and what was agreed on.

/// Most bytes of a line that a difference shows, around the first byte that differs.
const WINDOW_BYTES: usize = 120;
/// Bytes of them that stand before that byte.
const BEFORE_BYTES: usize = 40;

/// A file that is not as agreed on.
pub enum Difference {
    /// Nothing was agreed on.
    New(String),
    /// The rule does not make it any more.
    Gone(String),
    /// Other bytes.
    Changed {
        file: String,
        position: BytePosition,
        /// The part of the line that was agreed on.
        expected: String,
        /// The part of the line that was made.
        found: String,
    },
}

/// The first byte that differs, counted from 1.
#[derive(Clone, Copy)]
pub struct BytePosition {
    line: usize,
    /// Its position in the line.
    byte: usize,
}

impl Difference {
    /// The difference of two contents that are not equal.
    pub fn changed(file: &str, agreed: &[u8], found: &[u8]) -> Self {
        let at = agreed.iter().zip(found).take_while(|(one, other)| one == other).count();
        let before = agreed.get(..at).unwrap_or_default();
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        let position = BytePosition { line, byte: 1 + at - start };
        Self::Changed {
            file: file.to_owned(),
            position,
            expected: window(agreed, start, at),
            found: window(found, start, at),
        }
    }

    pub fn file(&self) -> &str {
        match self {
            Self::New(file) | Self::Gone(file) | Self::Changed { file, .. } => file,
        }
    }

    /// The difference in words; with the way to agree on a new file, where that was not done.
    pub fn text(&self, blessed: bool) -> String {
        match self {
            Self::New(file) if blessed => format!("{file}: nothing was agreed on before"),
            Self::New(file) => format!("{file}: nothing was agreed on; --bless writes it"),
            Self::Gone(file) => format!("{file}: agreed on, and not made any more"),
            Self::Changed { file, position: BytePosition { line, byte }, expected, found } => {
                format!("{file}: line {line}, byte {byte}: expected {expected}, found {found}")
            }
        }
    }
}

/// The part around `at` of the line that starts at `start`.
fn window(content: &[u8], start: usize, at: usize) -> String {
    let rest = content.get(start..).unwrap_or_default();
    let length = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    let (line, at) = (&rest[..length], at - start);
    let from = boundary(line, at.saturating_sub(BEFORE_BYTES));
    let to = boundary(line, from.saturating_add(WINDOW_BYTES).min(length));
    let text = String::from_utf8_lossy(line.get(from..to).unwrap_or_default());
    let (left, right) = (if from > 0 { "…" } else { "" }, if to < length { "…" } else { "" });
    let end = match at.cmp(&length) {
        std::cmp::Ordering::Less => "",
        _ if rest.len() == length => "the end of the file",
        _ => "the end of the line",
    };
    match (text.is_empty(), end) {
        (_, "") => format!("{left}{text}{right}"),
        (true, end) => end.to_owned(),
        (false, end) => format!("{left}{text} and {end}"),
    }
}

/// The start of the character of UTF-8 that the byte belongs to, where the text is one.
fn boundary(text: &[u8], at: usize) -> usize {
    let continues = |position: &usize| text.get(*position).is_some_and(|byte| byte & 0xc0 == 0x80);
    (at.saturating_sub(3)..=at).rev().find(|position| !continues(position)).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(agreed: &str, found: &str, expected: &str) {
        assert_eq!(Difference::changed("a", agreed.as_bytes(), found.as_bytes()).text(false), expected);
    }

    #[test]
    fn first_byte_that_differs_is_named_with_its_line() {
        check("1\n2\n", "1\n3\n", "a: line 2, byte 1: expected 2, found 3");
        check("1\n", "1\n2\n", "a: line 2, byte 1: expected the end of the file, found 2");
        check("1", "1\n", "a: line 1, byte 2: expected 1 and the end of the file, found 1 and the end of the line");
        check("1\n2\n", "1\n23\n", "a: line 2, byte 2: expected 2 and the end of the line, found 23");
    }

    #[test]
    fn long_line_is_shown_around_the_byte_that_differs() {
        let (start, end) = ("é".repeat(100), "z".repeat(300));
        let near = "é".repeat(20);
        check(
            &format!("{start}1{end}"),
            &format!("{start}2{end}"),
            &format!("a: line 1, byte 201: expected …{near}1{}…, found …{near}2{}…", "z".repeat(79), "z".repeat(79)),
        );
    }
}
