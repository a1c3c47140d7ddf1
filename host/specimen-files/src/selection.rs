//! Selections of blocks by height, in the grammar that cryo made known.

use std::{fmt, ops::Range, str::FromStr};

use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use refiner_text::UntrustedText;

/// Most heights that `/N` may name.
const SAMPLES_MAX: u64 = 1_000_000;

/// Heights to take: `17000000`, `17000000:17001000` (without the last), `:700`, `15M:`, `15M:+1000`, `-100:`, every tenth by
/// `100:200:10`, and five of them by `100:200/5`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockSelection {
    start: Start,
    end: End,
    spacing: Spacing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    Height(u64),
    BeforeEnd(u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Height(u64),
    AfterStart(u64),
    Highest,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spacing {
    Every(u64),
    Samples(u64),
}

/// A text that selects no blocks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    /// A part that should be a number.
    #[error("expected a height such as 17000000, 17_000_000 or 15.5M, found '{found}'")]
    Number {
        /// The part.
        found: UntrustedText,
    },
    /// More parts than are allowed.
    #[error("expected START:END, START:END:STEP or START:END/COUNT, found '{found}'")]
    Form {
        /// The whole text.
        found: UntrustedText,
    },
    /// A range without a height in it.
    #[error("the range '{found}' is empty: its end comes after its start, and is not part of it")]
    Empty {
        /// The whole text.
        found: UntrustedText,
    },
    /// A step or number of samples that cannot be.
    #[error("expected a step or a count from 1 to {SAMPLES_MAX}, found {found}")]
    Spacing {
        /// The number.
        found: u64,
    },
}

impl Diagnostic for SelectionError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }

    fn hint(&self) -> Option<Hint> {
        None
    }
}

impl FromStr for BlockSelection {
    type Err = SelectionError;

    fn from_str(text: &str) -> Result<Self, SelectionError> {
        let form = || SelectionError::Form { found: UntrustedText::new(text) };
        let (range, samples) = match text.split_once('/') {
            Some((range, count)) => (range, Some(number(count)?)),
            None => (text, None),
        };
        let parts: Vec<_> = range.split(':').collect();
        let (start, end, step) = match parts[..] {
            [one] if samples.is_none() => {
                let height = number(one)?;
                return Ok(Self {
                    start: Start::Height(height),
                    end: End::Height(height.saturating_add(1)),
                    spacing: Spacing::Every(1),
                });
            }
            [start, end] => (start, end, None),
            [start, end, step] if samples.is_none() => (start, end, Some(number(step)?)),
            _ => return Err(form()),
        };
        let start = match start.strip_prefix('-') {
            Some(before) => Start::BeforeEnd(number(before)?),
            None if start.is_empty() => Start::Height(0),
            None => Start::Height(number(start)?),
        };
        let end = match end.strip_prefix('+') {
            Some(_) if matches!(start, Start::BeforeEnd(_)) => return Err(form()),
            Some(after) => End::AfterStart(number(after)?),
            None if end.is_empty() => End::Highest,
            None => End::Height(number(end)?),
        };
        let empty = match (start, end) {
            (Start::Height(start), End::Height(end)) => start >= end,
            (_, End::AfterStart(0)) | (Start::BeforeEnd(0), _) => true,
            _ => false,
        };
        if empty {
            return Err(SelectionError::Empty { found: UntrustedText::new(text) });
        }
        let spacing = match (step, samples) {
            (_, Some(count)) if (1..=SAMPLES_MAX).contains(&count) => Spacing::Samples(count),
            (_, Some(found)) | (Some(found @ 0), None) => return Err(SelectionError::Spacing { found }),
            (step, None) => Spacing::Every(step.unwrap_or(1)),
        };
        Ok(Self { start, end, spacing })
    }
}

/// `17000000`, `17_000_000`, `15.5M`.
fn number(text: &str) -> Result<u64, SelectionError> {
    let refuse = || SelectionError::Number { found: UntrustedText::new(text) };
    let digits: String = text.chars().filter(|character| *character != '_').collect();
    let (digits, unit) = match digits.char_indices().next_back() {
        Some((at, 'k' | 'K')) => (&digits[..at], 1_000),
        Some((at, 'm' | 'M')) => (&digits[..at], 1_000_000),
        Some((at, 'b' | 'B')) => (&digits[..at], 1_000_000_000),
        _ => (&digits[..], 1_u64),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !plain(whole) || !plain(part) || (digits.contains('.') && part.is_empty()) {
        return Err(refuse());
    }
    let whole = whole.parse::<u64>().ok().and_then(|whole| whole.checked_mul(unit)).ok_or_else(refuse)?;
    if part.is_empty() {
        return Ok(whole);
    }
    let scale = u32::try_from(part.len()).ok().and_then(|digits| 10_u64.checked_pow(digits)).ok_or_else(refuse)?;
    let part = part.parse::<u64>().ok().and_then(|part| part.checked_mul(unit)).ok_or_else(refuse)?;
    if !part.is_multiple_of(scale) {
        return Err(refuse());
    }
    whole.checked_add(part / scale).ok_or_else(refuse)
}

impl BlockSelection {
    /// True when a height is selected, where `highest` is the highest that there is.
    pub fn contains(&self, height: u64, highest: u64) -> bool {
        let range = self.range(highest);
        if !range.contains(&height) {
            return false;
        }
        let offset = height - range.start;
        match self.spacing {
            Spacing::Every(step) => offset.is_multiple_of(step),
            Spacing::Samples(count) => is_sample(offset, range.end - range.start, count),
        }
    }

    fn range(&self, highest: u64) -> Range<u64> {
        let end = |start: u64| match self.end {
            End::Height(end) => end,
            End::AfterStart(blocks) => start.saturating_add(blocks),
            End::Highest => highest.saturating_add(1),
        };
        let start = match self.start {
            Start::Height(start) => start,
            Start::BeforeEnd(blocks) => end(0).saturating_sub(blocks),
        };
        start..end(start)
    }
}

/// True when an offset is one of `count` that are spread over `length`, the first and the last among them.
fn is_sample(offset: u64, length: u64, count: u64) -> bool {
    if count >= length {
        return true;
    }
    let at = |index: u64| -> u64 {
        let spread = u128::from(index) * u128::from(length - 1) / u128::from((count - 1).max(1));
        u64::try_from(spread).unwrap_or(u64::MAX)
    };
    // The samples ascend, so the one in question lies at its share of the length, or beside it.
    let near = u128::from(offset) * u128::from(count.saturating_sub(1)) / u128::from(length - 1);
    let near = u64::try_from(near).unwrap_or(u64::MAX);
    (near..=near.saturating_add(1)).any(|index| index < count && at(index) == offset)
}

/// True when any of several selections takes a height; no selection takes all.
pub fn selects(selections: &[BlockSelection], height: u64, highest: u64) -> bool {
    selections.is_empty() || selections.iter().any(|selection| selection.contains(height, highest))
}

impl fmt::Display for BlockSelection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.start {
            Start::Height(start) => write!(f, "{start}:")?,
            Start::BeforeEnd(blocks) => write!(f, "-{blocks}:")?,
        }
        match self.end {
            End::Height(end) => write!(f, "{end}")?,
            End::AfterStart(blocks) => write!(f, "+{blocks}")?,
            End::Highest => {}
        }
        match self.spacing {
            Spacing::Every(1) => Ok(()),
            Spacing::Every(step) => write!(f, ":{step}"),
            Spacing::Samples(count) => write!(f, "/{count}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HIGHEST: u64 = 17_000_999;

    fn heights(text: &str, among: Range<u64>) -> Vec<u64> {
        let selection: BlockSelection = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        among.filter(|height| selection.contains(*height, HIGHEST)).collect()
    }

    #[test]
    fn range_ends_before_its_last_number() {
        assert_eq!(heights("10:13", 0..20), [10, 11, 12]);
        assert_eq!(heights("10", 0..20), [10]);
        assert_eq!(heights(":3", 0..20), [0, 1, 2]);
        assert_eq!(heights("10:+2", 0..20), [10, 11]);
    }

    #[test]
    fn range_without_an_end_goes_to_the_highest_block() {
        assert_eq!(heights("17000998:", 17_000_990..17_001_100).len(), 2);
        assert_eq!(heights("-100:", 17_000_000..17_001_100).len(), 100);
        assert_eq!(heights("-3:20", 0..40), [17, 18, 19]);
    }

    #[test]
    fn step_and_number_of_samples_are_as_in_cryo() {
        assert_eq!(heights("2000:5000:1000", 0..9_000), [2000, 3000, 4000]);
        assert_eq!(heights("100:200/5", 0..300), [100, 124, 149, 174, 199]);
        assert_eq!(heights("100:102/5", 0..300), [100, 101]);
        assert_eq!(heights("100:200/1", 0..300), [100]);
    }

    #[test]
    fn numbers_may_be_written_short() {
        for text in ["15.5M", "15_500K", "15500000", "15_500_000", "0.0155B"] {
            assert_eq!(number(text), Ok(15_500_000), "{text}");
        }
    }

    #[test]
    fn text_that_selects_nothing_is_refused_with_what_was_found() {
        for (text, message) in [
            ("", "found ''"),
            ("a:b", "found 'a'"),
            ("1.2345K", "found '1.2345K'"),
            ("1.:2", "found '1.'"),
            ("10:10", "is empty"),
            ("20:10", "is empty"),
            ("-0:", "is empty"),
            ("1:2:3:4", "expected START:END"),
            ("-5:+3", "expected START:END"),
            ("1:9/0", "expected a step or a count"),
            ("1:9:0", "expected a step or a count"),
            ("99999999999999999999", "expected a height"),
        ] {
            let error = text.parse::<BlockSelection>().unwrap_err().to_string();
            assert!(error.contains(message), "{text}: {error}");
        }
    }
}
