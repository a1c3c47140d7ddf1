//! A part of a block result, for a client that asks for one: the Go server serves a file, with all that a file server does.

use std::ops::Range;

use axum::http::{HeaderMap, header::RANGE};

/// The part of a block result that a client requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All of its bytes.
    Whole,
    /// These bytes of it.
    Part(Range<usize>),
    /// Bytes that it does not have.
    Beyond,
    /// The range cannot be read.
    Unreadable,
}

impl Wanted {
    /// The part that these headers request of so many bytes. Several parts at once are answered with all, as a server may.
    pub(super) fn of(headers: &HeaderMap, length: usize) -> Self {
        let Some(header) = headers.get(RANGE) else { return Self::Whole };
        let ranges = header.to_str().ok().and_then(|text| text.strip_prefix("bytes="));
        match ranges {
            None => Self::Unreadable,
            Some(several) if several.contains(',') => Self::Whole,
            Some(one) => Self::one(one.trim(), length).unwrap_or(Self::Unreadable),
        }
    }

    fn one(range: &str, length: usize) -> Option<Self> {
        let (first, last) = range.split_once('-')?;
        let number = |text: &str| {
            let digits = text.bytes().all(|byte| byte.is_ascii_digit());
            if digits { text.parse::<usize>().ok() } else { None }
        };
        let start = match (first, last) {
            ("", last) => return Some(Self::Part(length.saturating_sub(number(last)?)..length)),
            (first, _) => number(first)?,
        };
        let end = if last.is_empty() { length } else { number(last)?.saturating_add(1).min(length) };
        match (start < length, last.is_empty() || number(last)? >= start) {
            (_, false) => None,
            (false, _) => Some(Self::Beyond),
            _ => Some(Self::Part(start..end)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn ranges_are_read_as_a_file_server_reads_them() {
        for (range, expected) in [
            ("bytes=0-0", Wanted::Part(0..1)),
            ("bytes=2-5", Wanted::Part(2..6)),
            ("bytes=2-", Wanted::Part(2..10)),
            ("bytes=9-99", Wanted::Part(9..10)),
            ("bytes=-3", Wanted::Part(7..10)),
            ("bytes=-99", Wanted::Part(0..10)),
            ("bytes=0-1,4-5", Wanted::Whole),
            ("bytes=10-", Wanted::Beyond),
            ("bytes=10-12", Wanted::Beyond),
            ("bytes=5-4", Wanted::Unreadable),
            ("bytes=-", Wanted::Unreadable),
            ("bytes=+1-2", Wanted::Unreadable),
            ("bytes=x", Wanted::Unreadable),
            ("items=0-1", Wanted::Unreadable),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(RANGE, range.parse().unwrap());
            assert_eq!(Wanted::of(&headers, 10), expected, "{range}");
        }
        assert_eq!(Wanted::of(&HeaderMap::new(), 10), Wanted::Whole);
    }
}
