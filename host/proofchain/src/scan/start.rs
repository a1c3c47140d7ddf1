//! Where a scan begins.

use std::str::FromStr;

/// The first block to look at, before there is a cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartBlock {
    /// The block after the newest confirmed one.
    Latest,
    /// This block and what comes after it.
    Number(u64),
    /// The first block that is at most so many days older than the head.
    DaysBack(u32),
}

/// Not a start block.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not `latest`, a block number, or days as `7d`")]
pub struct UnknownStartBlock;

impl FromStr for StartBlock {
    type Err = UnknownStartBlock;

    /// Reads `latest`, `6000000`, `7d`, `1 day` or `7 days`.
    fn from_str(text: &str) -> Result<Self, UnknownStartBlock> {
        let text = text.trim();
        if text == "latest" {
            return Ok(Self::Latest);
        }
        let days = ["days", "day", "d"].iter().find_map(|unit| text.strip_suffix(unit));
        match days {
            Some(days) => days.trim_end().parse().map(Self::DaysBack),
            None => text.parse().map(Self::Number),
        }
        .map_err(|_| UnknownStartBlock)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_block_is_latest_a_number_or_days_back() {
        for (text, expected) in [
            ("latest", Ok(StartBlock::Latest)),
            ("0", Ok(StartBlock::Number(0))),
            (" 6000000 ", Ok(StartBlock::Number(6_000_000))),
            ("7d", Ok(StartBlock::DaysBack(7))),
            ("1 day", Ok(StartBlock::DaysBack(1))),
            ("30 days", Ok(StartBlock::DaysBack(30))),
            ("", Err(UnknownStartBlock)),
            ("d", Err(UnknownStartBlock)),
            ("-1", Err(UnknownStartBlock)),
            ("7 weeks", Err(UnknownStartBlock)),
            ("18446744073709551616", Err(UnknownStartBlock)),
        ] {
            assert_eq!(text.parse(), expected, "{text:?}");
        }
    }
}
