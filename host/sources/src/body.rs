//! Bytes in place of a component that say themselves what they are.

use std::fmt;

/// Bytes of a body that are looked at.
const LOOKED_AT_BYTES: usize = 512;
/// First line of a pointer that Git LFS leaves in place of a file.
const LFS_POINTER: &[u8] = b"version https://git-lfs.github.com/spec/v1";

/// Something else that stands in place of a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instead {
    /// A page for people.
    HtmlPage,
    /// A pointer to a file of Git LFS.
    LfsPointer,
}

impl Instead {
    /// The kind of the bytes, where they are one of these.
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        let start = &bytes[..bytes.len().min(LOOKED_AT_BYTES)];
        if start.starts_with(LFS_POINTER) {
            return Some(Self::LfsPointer);
        }
        let start = String::from_utf8_lossy(start).trim_start_matches('\u{feff}').trim_start().to_ascii_lowercase();
        ["<!doctype html", "<html", "<head"].iter().any(|tag| start.starts_with(tag)).then_some(Self::HtmlPage)
    }

    /// Advice for the user of the source.
    pub(crate) const fn remedy(self) -> &'static str {
        match self {
            Self::HtmlPage => {
                "the address shows the file to people: take the address behind the download button, as \
                 https://raw.githubusercontent.com/… or …/releases/download/…"
            }
            Self::LfsPointer => {
                "run `git lfs pull` where it is a file, or take the address of the file itself, as \
                 https://media.githubusercontent.com/media/…"
            }
        }
    }
}

impl fmt::Display for Instead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HtmlPage => "an HTML page",
            Self::LfsPointer => "a Git LFS pointer",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_and_pointers_are_recognised_and_other_bytes_are_not() {
        let check = |bytes: &[u8], expected| assert_eq!(Instead::of(bytes), expected, "{}", bytes.escape_ascii());
        check(b"\n\n  <!DOCTYPE HTML>\n<html>", Some(Instead::HtmlPage));
        check(b"\xef\xbb\xbf<html lang=en>", Some(Instead::HtmlPage));
        check(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", Some(Instead::LfsPointer));
        check(b"version https://git-lfs.github.com/", None);
        check(b"\0asm\x0d\0\x01\0<html>", None);
        check(b"", None);
    }
}
