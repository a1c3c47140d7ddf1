//! The parts of a form, one after the other, as the Go server reads them.
//!
//! The network's refiner sends one part that has neither name nor file name, curl one that has both; neither matters, only
//! what the parts hold. A form is read where it lies: one part, which is every form met so far, is not copied.

use axum::http::{HeaderMap, header::CONTENT_TYPE};
use bytes::Bytes;
use memchr::memmem::Finder;

/// Parts in one form.
const PARTS_LIMIT: usize = 1_024;
/// Bytes of the headers of one part.
const HEADERS_LIMIT_BYTES: usize = 64 << 10;

/// Reasons for which a request has no form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum FormError {
    /// Go's error `http.ErrNotMultipart`.
    #[error("request Content-Type isn't multipart/form-data")]
    ContentType,
    /// Go's error `http.ErrMissingBoundary`.
    #[error("no multipart boundary param in Content-Type")]
    NoBoundary,
}

/// Reasons for which a form cannot be read; the Go server panicked at each but one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BrokenForm {
    /// It ends before its first part begins, or within the headers of one.
    #[error("the form is cut off: it ends without its closing boundary")]
    CutOff,
    /// It ends within a part, where the Go server has words of its own.
    #[error("unexpected EOF")]
    CutOffInPart,
    /// The headers of a part do not end.
    #[error("the headers of a part are longer than {HEADERS_LIMIT_BYTES} bytes")]
    Headers,
    /// It has too many parts.
    #[error("the form has more than {PARTS_LIMIT} parts")]
    Parts,
}

/// The delimiter between the parts of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Boundary(Vec<u8>);

impl Boundary {
    /// From the header that announces the form.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, FormError> {
        let text = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).ok_or(FormError::ContentType)?;
        let (kind, parameters) = text.split_once(';').unwrap_or((text, ""));
        let kind = kind.trim();
        if !kind.eq_ignore_ascii_case("multipart/form-data") && !kind.eq_ignore_ascii_case("multipart/mixed") {
            return Err(FormError::ContentType);
        }
        match boundary_parameter(parameters) {
            Some(boundary) if !boundary.is_empty() => Ok(Self([b"--", boundary.as_bytes()].concat())),
            _ => Err(FormError::NoBoundary),
        }
    }

    /// The contents of the parts of `form`, one after the other.
    pub(super) fn contents(&self, form: &Bytes) -> Result<Bytes, BrokenForm> {
        let finder = Finder::new(&self.0);
        let mut parts = Vec::new();
        let mut line = self.find(&finder, form, 0).ok_or(BrokenForm::CutOff)?;
        while !line.last {
            if parts.len() == PARTS_LIMIT {
                return Err(BrokenForm::Parts);
            }
            let start = behind_headers(form, line.end)?;
            let next = self.find(&finder, form, start).ok_or(BrokenForm::CutOffInPart)?;
            // The line break before a boundary belongs to it. A part without one there is empty.
            parts.push(form.slice(start..line_break_before(form, next.start).max(start)));
            line = next;
        }
        Ok(match &*parts {
            [] => Bytes::new(),
            [only] => only.clone(),
            several => several.concat().into(),
        })
    }

    /// The next line that is a boundary, from `from` on.
    fn find(&self, finder: &Finder<'_>, form: &[u8], from: usize) -> Option<Line> {
        let candidates = finder.find_iter(&form[from..]).map(|at| at + from);
        candidates.filter(|at| *at == 0 || form[at - 1] == b'\n').find_map(|start| {
            let end = start + self.0.len();
            match &form[end..] {
                [b'-', b'-', ..] => Some(Line { start, end: end + 2, last: true }),
                rest => {
                    let blanks = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
                    let end = end + blanks;
                    line_break_at(form, end).map(|length| Line { start, end: end + length, last: false })
                }
            }
        })
    }
}

/// A line that is a boundary.
struct Line {
    start: usize,
    /// Where what follows begins.
    end: usize,
    last: bool,
}

/// Bytes of the line break that stands there.
fn line_break_at(form: &[u8], at: usize) -> Option<usize> {
    match &form[at..] {
        [b'\r', b'\n', ..] => Some(2),
        [b'\n', ..] => Some(1),
        _ => None,
    }
}

fn line_break_before(form: &[u8], at: usize) -> usize {
    match &form[..at] {
        [.., b'\r', b'\n'] => at - 2,
        [.., b'\n'] => at - 1,
        _ => at,
    }
}

/// Where a part's content begins: behind the first empty line.
fn behind_headers(form: &[u8], from: usize) -> Result<usize, BrokenForm> {
    let limit = form.len().min(from + HEADERS_LIMIT_BYTES);
    let mut at = from;
    loop {
        if let Some(length) = line_break_at(form, at) {
            return Ok(at + length);
        }
        match memchr::memchr(b'\n', &form[at..limit]) {
            Some(end) => at += end + 1,
            None if limit == form.len() => return Err(BrokenForm::CutOff),
            None => return Err(BrokenForm::Headers),
        }
    }
}

/// The value of `boundary`, without its quotes.
fn boundary_parameter(parameters: &str) -> Option<String> {
    let mut rest = parameters;
    loop {
        let (name, value) = rest.split_once('=')?;
        let value = value.trim_start();
        let (value, after) = match value.strip_prefix('"') {
            Some(quoted) => unquote(quoted)?,
            None => {
                let (value, after) = value.split_at(value.find(';').unwrap_or(value.len()));
                (value.trim_end().to_owned(), after)
            }
        };
        if name.trim_matches([' ', '\t', ';']).eq_ignore_ascii_case("boundary") {
            return Some(value);
        }
        rest = after;
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn boundary(content_type: &str) -> Result<Boundary, FormError> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, content_type.parse().unwrap());
        Boundary::of(&headers)
    }

    fn contents(form: &str) -> Result<String, BrokenForm> {
        let contents = boundary("multipart/form-data; boundary=B").unwrap().contents(&form.to_owned().into())?;
        Ok(String::from_utf8(contents.to_vec()).unwrap())
    }

    #[test]
    fn the_boundary_is_found_as_clients_write_it() {
        for content_type in [
            "multipart/form-data; boundary=B",
            "Multipart/Form-Data;boundary=\"B\"",
            "multipart/mixed; charset=utf-8; Boundary = B ; x=y",
            "multipart/form-data; x=\"a;boundary=C\"; boundary=\"\\B\"",
        ] {
            assert_eq!(boundary(content_type), Ok(Boundary(b"--B".to_vec())), "{content_type}");
        }
        assert_eq!(boundary("application/json"), Err(FormError::ContentType));
        assert_eq!(boundary("multipart/form-data"), Err(FormError::NoBoundary));
        assert_eq!(boundary("multipart/form-data; boundary="), Err(FormError::NoBoundary));
        assert_eq!(Boundary::of(&HeaderMap::new()), Err(FormError::ContentType));
    }

    #[test]
    fn parts_are_read_with_names_and_without() {
        for (form, expected) in [
            ("--B\r\nContent-Disposition: form-data; name=\"filedata\"; filename=\"x\"\r\n\r\n{}\r\n--B--\r\n", "{}"),
            ("--B\r\ncontent-length: 2\r\n\r\n{}\r\n--B--", "{}"),
            ("--B\r\n\r\n{}\r\n--B--\r\n", "{}"),
            ("--B\n\n{}\n--B--\n", "{}"),
            ("before\r\n--B \t\r\n\r\n{\r\n--B\r\na: b\r\n\r\n}\r\n--B--after", "{}"),
            ("--B\r\n\r\n--Bx\r\n x--B\r\n--B--", "--Bx\r\n x--B"),
            ("--B\r\n\r\n--B--\r\n", ""),
            ("--B--", ""),
        ] {
            assert_eq!(contents(form).as_deref(), Ok(expected), "{form:?}");
        }
    }

    #[test]
    fn broken_forms_are_told_from_whole_ones() {
        for (form, expected) in [
            ("", BrokenForm::CutOff),
            ("{}", BrokenForm::CutOff),
            ("--B\r\n\r\n{}", BrokenForm::CutOffInPart),
            ("--B\r\na: b\r\n", BrokenForm::CutOff),
            ("--B\r\n\r\n{}\r\n--B", BrokenForm::CutOffInPart),
            (&format!("--B\r\na: {}\r\n\r\n--B--", "b".repeat(HEADERS_LIMIT_BYTES)), BrokenForm::Headers),
            (&"--B\r\n\r\n\r\n".repeat(PARTS_LIMIT + 1), BrokenForm::Parts),
        ] {
            assert_eq!(contents(form), Err(expected), "{} bytes", form.len());
        }
    }
}
