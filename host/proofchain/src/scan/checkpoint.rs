//! Blocks that were scanned, remembered so that a reorganisation can be undone.

use crate::announcement::BlockRef;

/// The number of blocks that are remembered. With gaps that grow with age they reach back to the first one.
const CAPACITY: usize = 64;

/// The depth at which no reorganisation is expected. Chains with finality have it after some ten blocks.
const DEEP_BLOCKS: u64 = 256;

/// Scanned blocks in ascending order: dense near the cursor, sparse before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checkpoints {
    blocks: Vec<BlockRef>,
}

impl Checkpoints {
    /// Remembers a block; later ones that it replaces are forgotten.
    pub fn push(&mut self, block: BlockRef) {
        self.rewind_below(block.number);
        self.blocks.push(block);
        if self.blocks.len() > CAPACITY {
            self.thin();
        }
    }

    /// Forgets what is above a common ancestor.
    pub fn rewind(&mut self, ancestor: BlockRef) {
        self.rewind_below(ancestor.number.saturating_add(1));
    }

    /// The remembered blocks in ascending order, to be stored.
    pub fn blocks(&self) -> &[BlockRef] {
        &self.blocks
    }

    /// The newest block that is too deep to be reorganised, else the first: every node of the chain has it.
    pub fn deep(&self) -> Option<BlockRef> {
        let newest = self.blocks.last()?.number;
        let is_deep = |block: &&BlockRef| block.number.saturating_add(DEEP_BLOCKS) <= newest;
        self.blocks.iter().rev().find(is_deep).or(self.blocks.first()).copied()
    }

    fn rewind_below(&mut self, number: u64) {
        let keep = self.blocks.partition_point(|block| block.number < number);
        self.blocks.truncate(keep);
    }

    /// Drops the block whose neighbours are closest together in proportion to their age. The first stays.
    fn thin(&mut self) {
        let newest = self.blocks.last().map_or(0, |block| block.number);
        let crowding = |index: usize| {
            let gap = self.blocks[index + 1].number - self.blocks[index - 1].number;
            let age = newest - self.blocks[index].number + 1;
            // Parts per million: whole numbers, the same on every machine.
            u128::from(gap) * 1_000_000 / u128::from(age)
        };
        if let Some(index) = (1..self.blocks.len() - 1).min_by_key(|&index| crowding(index)) {
            self.blocks.remove(index);
        }
    }
}

impl FromIterator<BlockRef> for Checkpoints {
    fn from_iter<I: IntoIterator<Item = BlockRef>>(blocks: I) -> Self {
        let mut checkpoints = Self::default();
        blocks.into_iter().for_each(|block| checkpoints.push(block));
        checkpoints
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::B256;

    use super::*;

    fn block(number: u64) -> BlockRef {
        BlockRef { number, hash: B256::with_last_byte(1) }
    }

    #[test]
    fn memory_is_bounded_and_still_reaches_from_the_first_block_to_the_last() {
        let checkpoints: Checkpoints = (10..100_000).map(block).collect();
        let blocks = checkpoints.blocks();
        assert_eq!(blocks.len(), CAPACITY);
        assert_eq!((blocks[0], blocks[CAPACITY - 1]), (block(10), block(99_999)));
        let newest: Vec<_> = blocks.iter().rev().take(4).map(|block| block.number).collect();
        assert_eq!(newest, [99_999, 99_998, 99_997, 99_996]);
    }

    #[test]
    fn a_gap_is_never_longer_than_the_age_of_its_end() {
        let checkpoints: Checkpoints = (10..50_000).map(block).collect();
        for pair in checkpoints.blocks().windows(2).take(CAPACITY - 2) {
            assert!(pair[1].number - pair[0].number <= 50_000 - pair[1].number, "{pair:?}");
        }
    }

    #[test]
    fn deep_block_is_the_newest_at_its_depth_or_the_first() {
        let deep = |last| (10..=last).map(block).collect::<Checkpoints>().deep();
        assert_eq!(Checkpoints::default().deep(), None);
        assert_eq!(deep(10), Some(block(10)));
        assert_eq!(deep(265), Some(block(10)));
        let deep = deep(50_000).unwrap();
        assert!((49_000..=50_000 - DEEP_BLOCKS).contains(&deep.number), "{deep:?}");
    }

    #[test]
    fn what_is_above_a_common_ancestor_is_forgotten() {
        let mut checkpoints: Checkpoints = (1..10).map(block).collect();
        checkpoints.rewind(block(7));
        assert_eq!(checkpoints.blocks().last(), Some(&block(7)));
        checkpoints.push(block(5));
        assert_eq!(checkpoints.blocks().len(), 5);
    }
}
