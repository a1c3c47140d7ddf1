//! Blocks of one reading, and the headers that show that the node has them.

use crate::announcement::BlockRef;

/// Most headers of one reading. A reading of no more new blocks than this has the header of each.
pub const HEADERS_MAX: u64 = 16;

/// Blocks whose logs are asked for together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first block.
    pub first: u64,
    /// The last block.
    pub last: u64,
    /// A block that was read before, to see that the chain still is the same; anything up to it is read again. It is within the
    /// span, just before it or, where all of the span is read again, after it.
    pub cursor: Option<BlockRef>,
}

impl Span {
    pub const fn blocks(&self) -> u64 {
        self.last - self.first + 1
    }

    /// The first block that was not read before; after [`Span::last`] where all were.
    pub fn first_new(&self) -> u64 {
        self.cursor.map_or(self.first, |cursor| self.first.max(cursor.number + 1))
    }

    /// Blocks whose headers are read: the last, and up to `most` evenly over the new ones.
    pub fn samples(&self, most: usize) -> Vec<u64> {
        let first = self.first_new();
        let new = (self.last + 1).saturating_sub(first);
        let count = new.min(HEADERS_MAX).min(most as u64).max(1);
        // From the last one back, so that one alone is the last.
        let mut samples: Vec<_> = (0..count).map(|index| self.last - new * index / count).collect();
        samples.reverse();
        samples
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::B256;

    use super::*;

    fn span(first: u64, last: u64, cursor: u64) -> Span {
        Span { first, last, cursor: Some(BlockRef { number: cursor, hash: B256::ZERO }) }
    }

    #[test]
    fn few_new_blocks_all_have_their_header_read() {
        assert_eq!(span(11, 14, 10).samples(16), [11, 12, 13, 14]);
        assert_eq!(span(1, 14, 12).samples(16), [13, 14]);
        assert_eq!(Span { cursor: None, ..span(11, 13, 0) }.samples(16), [11, 12, 13]);
    }

    #[test]
    fn many_new_blocks_have_some_and_always_the_last() {
        let samples = span(1, 2_000, 0).samples(16);
        assert_eq!((samples.len(), samples.last()), (16, Some(&2_000)));
        assert!(samples.windows(2).all(|pair| pair[1] - pair[0] == 125), "{samples:?}");
        assert_eq!(span(1, 2_000, 0).samples(1), [2_000]);
    }

    #[test]
    fn blocks_that_are_read_again_have_the_last_only() {
        assert_eq!(span(1, 10, 20).samples(16), [10]);
        assert_eq!(span(1, 10, 10).samples(16), [10]);
    }
}
