//! Parent links between the blocks of a data set.

use std::collections::BTreeMap;

use alloy_primitives::B256;

use crate::headings::Heading;

/// For a chain and a height, the parent that each block at that height names.
#[derive(Debug, Default)]
pub struct Neighbours(BTreeMap<(u64, u64), Vec<B256>>);

impl Neighbours {
    /// The links between blocks with these headings. One whose header is not that of its hash links nothing; why, its own run
    /// reports.
    pub fn of<'a>(headings: impl Iterator<Item = &'a Heading>) -> Self {
        let mut neighbours = Self::default();
        for heading in headings.filter(|heading| heading.is_consistent) {
            let parents = neighbours.0.entry((heading.chain_id, heading.height)).or_default();
            if !parents.contains(&heading.parent_hash) {
                parents.push(heading.parent_hash);
            }
        }
        neighbours
    }

    /// The hashes by which the blocks above this height know the block at it.
    pub fn parents(&self, chain: u64, height: u64) -> Vec<B256> {
        let above = height.checked_add(1).and_then(|above| self.0.get(&(chain, above)));
        above.cloned().unwrap_or_default()
    }
}
