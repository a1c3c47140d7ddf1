//! The headers of a part and their parameters.

/// The value of the header `name`, which is in small letters.
pub(super) fn value(headers: &[u8], name: &str) -> Option<String> {
    let mut lines = headers.split(|byte| *byte == b'\n').map(|line| String::from_utf8_lossy(line)).peekable();
    while let Some(line) = lines.next() {
        let Some((key, value)) = line.split_once(':') else { continue };
        if !key.trim().eq_ignore_ascii_case(name) {
            continue;
        }
        let mut value = value.trim().to_owned();
        // A line that begins with a blank continues the one before.
        while let Some(more) = lines.next_if(|line| line.starts_with([' ', '\t'])) {
            value.push(' ');
            value.push_str(more.trim());
        }
        return Some(value);
    }
    None
}

/// Parameters of a header, as pairs of a name in small letters and a value without its quotes.
pub(super) struct Parameters<'a>(&'a str);

impl<'a> Parameters<'a> {
    /// The parameters in `text`, which begins behind the first semicolon.
    pub(super) const fn of(text: &'a str) -> Self {
        Self(text)
    }
}

impl Iterator for Parameters<'_> {
    type Item = (String, String);

    fn next(&mut self) -> Option<(String, String)> {
        let (name, value) = self.0.split_once('=')?;
        let value = value.trim_start();
        let (value, after) = match value.strip_prefix('"') {
            Some(quoted) => unquote(quoted)?,
            None => {
                let (value, after) = value.split_at(value.find(';').unwrap_or(value.len()));
                (value.trim_end().to_owned(), after)
            }
        };
        self.0 = after;
        Some((name.trim_matches([' ', '\t', ';']).to_ascii_lowercase(), value))
    }
}

/// A quoted text up to its closing quote, and what follows.
fn unquote(quoted: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &quoted[at + 1..])),
            '\\' => value.push(characters.next()?.1),
            other => value.push(other),
        }
    }
    None
}
