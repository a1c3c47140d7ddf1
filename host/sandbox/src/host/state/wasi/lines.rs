//! Lines of output that are not finished yet.

use refiner_rule_model::UntrustedText;

/// Bytes of an unfinished line that are kept: one more than a line of the log has, so that the log can tell that it was cut.
const LINE_BYTES_MAX: usize = UntrustedText::BYTES_MAX + 1;
/// The three streams. A stream's number is one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::host) enum Stream {
    In,
    Out,
    Err,
}

/// The lines that are not finished yet.
#[derive(Default)]
pub(in crate::host) struct Stdio {
    out: Line,
    err: Line,
}

#[derive(Default)]
pub(in crate::host) struct Line(pub(in crate::host) Vec<u8>);

impl Line {
    /// Takes bytes in and gives every line that they finish, its end cut off.
    pub(in crate::host) fn push(&mut self, bytes: &[u8], mut finished: impl FnMut(&str)) {
        let mut pieces = bytes.split(|byte| *byte == b'\n').peekable();
        while let Some(piece) = pieces.next() {
            let room = LINE_BYTES_MAX - self.0.len();
            self.0.extend_from_slice(&piece[..room.min(piece.len())]);
            if pieces.peek().is_some() {
                self.finish(&mut finished);
            }
        }
    }

    pub(in crate::host) fn finish(&mut self, mut finished: impl FnMut(&str)) {
        let line = self.0.strip_suffix(b"\r").unwrap_or(&self.0);
        // A tab of a stack trace would be shown escaped; two spaces are shown as they are.
        finished(&String::from_utf8_lossy(line).replace('\t', "  "));
        self.0.clear();
    }
}

impl Stdio {
    pub(in crate::host) fn line(&mut self, stream: Stream) -> Option<&mut Line> {
        match stream {
            Stream::In => None,
            Stream::Out => Some(&mut self.out),
            Stream::Err => Some(&mut self.err),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_cut_into_lines_of_bounded_length() {
        let check = |writes: &[&str], expected: &[&str], unfinished: &str| {
            let (mut line, mut lines) = (Line::default(), Vec::new());
            for bytes in writes {
                line.push(bytes.as_bytes(), |text| lines.push(text.to_owned()));
            }
            assert_eq!(lines, expected, "{writes:?}");
            assert_eq!(String::from_utf8_lossy(&line.0), unfinished, "{writes:?}");
        };
        check(&[], &[], "");
        check(&["one"], &[], "one");
        check(&["one\n"], &["one"], "");
        check(&["\tat\n"], &["  at"], "");
        check(&["o", "ne\r\ntw", "o\n\n"], &["one", "two", ""], "");
        let long = "x".repeat(LINE_BYTES_MAX);
        check(&[&long, "y", "\nz"], &[&long], "z");
        check(&[&format!("{long}y\n")], &[&long], "");
    }
}
