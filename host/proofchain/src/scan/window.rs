//! The newest blocks, which are read again: a node that was behind when it answered has caught up when they are deep.

use super::span::Span;
use crate::announcement::BlockRef;

/// The trailing window of a scan.
#[derive(Clone, Debug)]
pub struct Window {
    /// Length of the window. A block is read once more when it is so deep under the newest one.
    blocks: u64,
    /// Blocks up to this one are not read again. `None` before the first reading.
    settled: Option<u64>,
}

impl Window {
    pub const fn new(blocks: u64) -> Self {
        Self { blocks, settled: None }
    }

    /// The last block that is not read again.
    pub const fn settled(&self) -> Option<u64> {
        self.settled
    }

    /// The next blocks to read, at most `most`: new ones after `cursor` up to `confirmed`, together with those of the window before
    /// them. Where so many are not answered at once, either new ones or old ones. `None` when there is nothing to read.
    ///
    /// `floor` is the block after which the scan began. Within the window, at most `near` blocks are new.
    pub fn next(&mut self, cursor: BlockRef, floor: u64, confirmed: u64, most: u64, near: u64) -> Option<Span> {
        // Whatever an earlier process had settled, it was not more than two windows behind.
        let unread = cursor.number.saturating_sub(self.blocks.saturating_mul(2));
        let settled = self.settled.unwrap_or(unread).clamp(floor.min(cursor.number), cursor.number);
        self.settled = Some(settled);
        let of = |first, last| Some(Span { first, last, cursor: Some(cursor) });
        let deep = confirmed.saturating_sub(self.blocks);
        let confirmed = confirmed.min(deep.max(cursor.number.saturating_add(near)));
        let until = settled.saturating_add(most);
        if until > cursor.number && confirmed > cursor.number {
            return of(settled + 1, confirmed.min(until));
        }
        if until <= deep.min(cursor.number) {
            return of(settled + 1, until);
        }
        if confirmed <= cursor.number {
            return None;
        }
        let last = confirmed.min(cursor.number.saturating_add(most));
        of((settled + 1).max((last + 1).saturating_sub(most)), last)
    }

    /// Takes note of a span that was read, by a node that knows of a block `head`.
    pub fn read(&mut self, span: &Span, head: u64) {
        if let Some(settled) = &mut self.settled
            && span.first <= *settled + 1
        {
            *settled = (*settled).max(span.last.min(head.saturating_sub(self.blocks)));
        }
    }

    /// Forgets what is above a common ancestor.
    pub fn rewind(&mut self, ancestor: u64) {
        self.settled = self.settled.map(|settled| settled.min(ancestor));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use alloy_primitives::B256;

    use super::*;

    const WINDOW: u64 = 128;

    fn at(number: u64) -> BlockRef {
        BlockRef { number, hash: B256::ZERO }
    }

    /// Follows a head to its end with spans of at most `most` blocks. The depth at which each block was read last, and the number
    /// of readings.
    fn follow(start: u64, heads: impl Iterator<Item = u64>, most: u64) -> (BTreeMap<u64, u64>, u64) {
        const NEAR: u64 = 16;
        let (mut window, mut cursor, mut depths, mut readings) = (Window::new(WINDOW), at(start), BTreeMap::new(), 0);
        for head in heads {
            while let Some(span) = window.next(cursor, start, head, most, NEAR) {
                assert!(span.blocks() <= most && span.first > start && span.last <= head, "{span:?}");
                assert!(span.first <= cursor.number + 1, "{span:?} leaves blocks after {cursor:?} out");
                let is_near = span.last > head.saturating_sub(WINDOW);
                assert!(!is_near || (span.last + 1).saturating_sub(span.first_new()) <= WINDOW.max(NEAR), "{span:?}");
                depths.extend((span.first..=span.last).map(|block| (block, head - block)));
                window.read(&span, head);
                cursor = at(cursor.number.max(span.last));
                readings += 1;
                assert!(readings < 100_000, "it does not end");
            }
            assert_eq!(cursor.number, head);
        }
        (depths, readings)
    }

    #[test]
    fn every_block_is_read_when_it_is_new_and_again_when_it_is_deep_whatever_a_provider_allows() {
        for most in [1, 2, 10, 127, 128, 129, 130, 1_024, 16_384] {
            let (depths, _) = follow(1_000, 1_001..=2_000, most);
            assert!(depths.keys().copied().eq(1_001..=2_000), "{most}");
            for (block, depth) in depths {
                // Short ranges wait until they are full.
                let is_due = most > WINDOW || 2_000 - block >= WINDOW + most;
                let due = WINDOW.min(2_000 - block);
                assert!(!is_due || depth >= due, "{most}: block {block} was read last at depth {depth}");
            }
        }
    }

    #[test]
    fn old_blocks_are_read_once() {
        let (_, readings) = follow(0, [100_000].into_iter(), 10_000);
        // The window in pieces of 16 blocks.
        assert_eq!(readings, 10 + 128 / 16);
    }

    #[test]
    fn new_block_takes_one_reading_where_the_window_is_answered_at_once() {
        let (_, readings) = follow(1_000, 1_001..=2_000, 1_024);
        assert_eq!(readings, 1_000);
        // Otherwise a tenth more, after the first two windows.
        let (_, readings) = follow(1_000, 1_001..=2_000, 10);
        assert!((1_000..1_110).contains(&readings), "{readings}");
    }

    #[test]
    fn new_process_reads_the_window_again_but_nothing_before_the_start() {
        assert_eq!(Window::new(WINDOW).next(at(5_000), 0, 5_001, 1_024, 16).map(|span| span.first), Some(4_745));
        assert_eq!(Window::new(WINDOW).next(at(5_000), 4_999, 5_001, 1_024, 16).map(|span| span.first), Some(5_000));
        assert_eq!(Window::new(0).next(at(5_000), 0, 5_001, 1_024, 16).map(|span| span.first), Some(5_001));
    }

    #[test]
    fn reorganisation_unsettles_what_is_above_its_ancestor() {
        let mut window = Window::new(WINDOW);
        let span = window.next(at(5_000), 0, 9_000, 16_384, 16).unwrap();
        window.read(&span, 9_000);
        assert_eq!(window.settled(), Some(8_872));
        window.rewind(8_800);
        assert_eq!(window.next(at(8_800), 0, 9_000, 16_384, 16).map(|span| span.first), Some(8_801));
    }
}
