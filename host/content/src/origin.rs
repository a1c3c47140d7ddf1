//! Places and answers, as messages may show them.

use std::{fmt, path::Path, sync::Arc};

use url::Url;

/// Most bytes of a foreign text that a message repeats, and most characters it then has.
const EXCERPT_BYTES_MAX: usize = 200;

/// A place content comes from, fit for logs: of a URL scheme, host and port only, as user names, paths and queries can be secrets.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Origin(Arc<str>);

impl Origin {
    /// The place of a URL.
    #[must_use]
    pub fn of_url(url: &Url) -> Self {
        let host = url.host_str().unwrap_or("?");
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        Self(format!("{}://{host}{port}", url.scheme()).into())
    }

    /// A directory of this machine.
    #[must_use]
    pub fn of_path(path: &Path) -> Self {
        Self(path.display().to_string().into())
    }

    /// The place as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The beginning of another party's text, on one line and without control characters.
#[derive(Clone, PartialEq, Eq)]
pub struct Excerpt(Box<str>);

impl Excerpt {
    /// The first bytes of a text, made fit to print.
    pub fn of(bytes: &[u8]) -> Self {
        let (start, cut) = match bytes.split_at_checked(EXCERPT_BYTES_MAX) {
            Some((start, _)) => (start, true),
            None => (bytes, false),
        };
        let text = match str::from_utf8(start) {
            Ok(text) => text,
            // Cut within a character.
            Err(error) if cut && error.error_len().is_none() => {
                str::from_utf8(&start[..error.valid_up_to()]).unwrap_or("")
            }
            Err(_) => return Self("bytes that are no text".into()),
        };
        let mut shown: String = text.trim().chars().flat_map(char::escape_debug).take(EXCERPT_BYTES_MAX).collect();
        if cut {
            shown.push('…');
        }
        Self(shown.into())
    }

    /// The text of the excerpt.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { f.write_str("nothing") } else { write!(f, "“{}”", self.0) }
    }
}

impl fmt::Debug for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}
