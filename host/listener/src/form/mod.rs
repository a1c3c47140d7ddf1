//! Multipart forms that lie in memory (RFC 2046, RFC 7578), read as leniently as the Go servers of the network read them.
//!
//! A form is read where it lies: its parts share its memory. Line breaks may be CRLF or LF.

mod headers;
mod quoted_printable;

use axum::http::{HeaderMap, header::CONTENT_TYPE};
use bytes::Bytes;
use memchr::memmem::Finder;

use headers::Parameters;

/// Parts of one form.
pub const PARTS_MAX: usize = 1_024;
/// Bytes of the headers of one part.
const HEADERS_LIMIT_BYTES: usize = 64 << 10;

/// Reasons for which a request has no form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// Go's error `http.ErrNotMultipart`.
    #[error("request Content-Type isn't multipart/form-data")]
    ContentType,
    /// Go's error `http.ErrMissingBoundary`.
    #[error("no multipart boundary param in Content-Type")]
    NoBoundary,
}

/// Reasons for which a form cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BrokenForm {
    /// It ends before its first part begins, or within the headers of one.
    #[error("the form is cut off: it ends without its closing boundary")]
    CutOff,
    /// It ends within a part, where the Go servers have words of their own.
    #[error("unexpected EOF")]
    CutOffInPart,
    /// The headers of a part do not end.
    #[error("the headers of a part are longer than {HEADERS_LIMIT_BYTES} bytes")]
    Headers,
    /// It has too many parts.
    #[error("the form has more than {PARTS_MAX} parts")]
    Parts,
    /// A part that is announced as quoted-printable holds a byte that never stands there.
    #[error("byte {byte:#04x} in a quoted-printable part")]
    QuotedPrintable {
        /// The byte that was found.
        byte: u8,
    },
}

/// The delimiter between the parts of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Boundary(Vec<u8>);

/// A part of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    headers: Bytes,
    body: Bytes,
}

impl Part {
    /// Whether the part has a file name that is not empty, which makes it a file.
    #[must_use]
    pub fn has_file_name(&self) -> bool {
        let disposition = headers::value(&self.headers, "content-disposition");
        disposition.is_some_and(|disposition| {
            let parameters = disposition.split_once(';').map_or("", |(_, parameters)| parameters);
            Parameters::of(parameters).any(|(name, value)| match name.as_str() {
                "filename" | "filename*0" => !value.is_empty(),
                // RFC 5987: a character set, a language, and the name, between apostrophes.
                "filename*" | "filename*0*" => value.splitn(3, '\'').nth(2).is_some_and(|name| !name.is_empty()),
                _ => false,
            })
        })
    }

    /// The bytes as they stand in the form.
    #[must_use]
    pub fn into_raw(self) -> Bytes {
        self.body
    }

    /// The bytes that [`decoded`](Self::decoded) allocates at most.
    #[must_use]
    pub fn decoding_bytes(&self) -> usize {
        if self.is_quoted_printable() { self.body.len() } else { 0 }
    }

    /// The bytes of the part, decoded where it is quoted-printable.
    ///
    /// # Errors
    ///
    /// [`BrokenForm::QuotedPrintable`]
    pub fn decoded(self) -> Result<Bytes, BrokenForm> {
        if !self.is_quoted_printable() {
            return Ok(self.body);
        }
        quoted_printable::decode(&self.body).map(Bytes::from).map_err(|byte| BrokenForm::QuotedPrintable { byte })
    }

    fn is_quoted_printable(&self) -> bool {
        headers::value(&self.headers, "content-transfer-encoding")
            .is_some_and(|encoding| encoding.eq_ignore_ascii_case("quoted-printable"))
    }
}

impl Boundary {
    /// From the header that announces the form.
    ///
    /// # Errors
    ///
    /// [`FormError`]
    pub fn of(headers: &HeaderMap) -> Result<Self, FormError> {
        let text = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).ok_or(FormError::ContentType)?;
        let (kind, parameters) = text.split_once(';').unwrap_or((text, ""));
        let kind = kind.trim();
        if !kind.eq_ignore_ascii_case("multipart/form-data") && !kind.eq_ignore_ascii_case("multipart/mixed") {
            return Err(FormError::ContentType);
        }
        match Parameters::of(parameters).find(|(name, _)| name == "boundary") {
            Some((_, boundary)) if !boundary.is_empty() => Ok(Self([b"--", boundary.as_bytes()].concat())),
            _ => Err(FormError::NoBoundary),
        }
    }

    /// The parts of `form`, in their order.
    ///
    /// # Errors
    ///
    /// [`BrokenForm`]
    pub fn parts(&self, form: &Bytes) -> Result<Vec<Part>, BrokenForm> {
        let finder = Finder::new(&self.0);
        let mut parts = Vec::new();
        let mut line = self.find(&finder, form, 0).ok_or(BrokenForm::CutOff)?;
        while !line.is_last {
            if parts.len() == PARTS_MAX {
                return Err(BrokenForm::Parts);
            }
            let start = behind_headers(form, line.end)?;
            let next = self.find(&finder, form, start).ok_or(BrokenForm::CutOffInPart)?;
            // The line break before a boundary belongs to it. A part without one there is empty.
            let body = form.slice(start..line_break_before(form, next.start).max(start));
            parts.push(Part { headers: form.slice(line.end..start), body });
            line = next;
        }
        Ok(parts)
    }

    /// The next line that is a boundary, from `from` on.
    fn find(&self, finder: &Finder<'_>, form: &[u8], from: usize) -> Option<Line> {
        let candidates = finder.find_iter(&form[from..]).map(|at| at + from);
        candidates.filter(|at| *at == 0 || form[at - 1] == b'\n').find_map(|start| {
            let end = start + self.0.len();
            match &form[end..] {
                [b'-', b'-', ..] => Some(Line { start, end: end + 2, is_last: true }),
                rest => {
                    let blanks = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
                    let end = end + blanks;
                    line_break_at(form, end).map(|length| Line { start, end: end + length, is_last: false })
                }
            }
        })
    }
}

/// A line that is a boundary.
struct Line {
    start: usize,
    /// The begin of what follows.
    end: usize,
    is_last: bool,
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

/// The begin of a part's content: behind the first empty line.
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn boundary(content_type: &str) -> Result<Boundary, FormError> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, content_type.parse().unwrap());
        Boundary::of(&headers)
    }

    fn parts(form: &str) -> Result<Vec<Part>, BrokenForm> {
        boundary("multipart/form-data; boundary=B").unwrap().parts(&form.to_owned().into())
    }

    fn contents(form: &str) -> Result<String, BrokenForm> {
        Ok(parts(form)?.into_iter().map(|part| String::from_utf8(part.into_raw().to_vec()).unwrap()).collect())
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
    fn parts_are_read_with_both_kinds_of_line_breaks() {
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
    fn a_file_is_a_part_with_a_file_name_in_any_spelling() {
        let is_file = |header: &str| parts(&format!("--B\r\n{header}\r\n\r\n\r\n--B--")).unwrap()[0].has_file_name();
        for header in [
            "Content-Disposition: form-data; name=\"filedata\"; filename=\"x\"",
            "CONTENT-DISPOSITION: FORM-DATA; NAME=\"filedata\"; FILENAME=\"x\"",
            "content-disposition:form-data;filename=x",
            "Content-Disposition: form-data; name=a; filename*=UTF-8''na%C3%AFve%20name",
            "Content-Disposition: form-data; filename*0=\"a\"; filename*1=\"b\"",
            "Content-Disposition: form-data; name=\"a\";\r\n filename=\"x\"",
            "Content-Type: text/plain\r\nContent-Disposition: attachment; filename=\"; name=\"",
        ] {
            assert!(is_file(header), "{header:?}");
        }
        for header in [
            "Content-Disposition: form-data; name=\"filedata\"",
            "Content-Disposition: form-data; name=\"filename=x\"",
            "Content-Disposition: form-data; filename=\"\"",
            "Content-Disposition: form-data; filename*=UTF-8''",
            "X-Content-Disposition: form-data; filename=x",
            "Content-Type: text/plain; filename=x",
        ] {
            assert!(!is_file(header), "{header:?}");
        }
    }

    #[test]
    fn a_quoted_printable_part_is_decoded_and_no_other() {
        let decoded = |header: &str| {
            let form = format!("--B\r\n{header}\r\n\r\nna=C3=AFve=\r\n\r\n--B--");
            parts(&form).unwrap().remove(0).decoded().unwrap()
        };
        assert_eq!(decoded("Content-Transfer-Encoding: Quoted-Printable"), "naïve");
        assert_eq!(decoded("Content-Transfer-Encoding: binary"), "na=C3=AFve=\r\n");
        let broken =
            parts("--B\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\x01\r\n--B--").unwrap().remove(0);
        assert_eq!(broken.decoded(), Err(BrokenForm::QuotedPrintable { byte: 1 }));
    }

    #[test]
    fn broken_forms_are_distinguished_from_whole_ones() {
        for (form, expected) in [
            ("", BrokenForm::CutOff),
            ("{}", BrokenForm::CutOff),
            ("--B\r\n\r\n{}", BrokenForm::CutOffInPart),
            ("--B\r\na: b\r\n", BrokenForm::CutOff),
            ("--B\r\n\r\n{}\r\n--B", BrokenForm::CutOffInPart),
            (&format!("--B\r\na: {}\r\n\r\n--B--", "b".repeat(HEADERS_LIMIT_BYTES)), BrokenForm::Headers),
            (&"--B\r\n\r\n\r\n".repeat(PARTS_MAX + 1), BrokenForm::Parts),
        ] {
            assert_eq!(contents(form), Err(expected), "{} bytes", form.len());
        }
    }
}
