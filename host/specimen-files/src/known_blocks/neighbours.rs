//! Parent links between the blocks of a data set.

use std::{collections::BTreeMap, fs::File, io::Read as _};

use alloy_primitives::B256;
use refiner_specimen::{HeaderPeek, peek_header};

use crate::input::Input;

/// Bytes of each file that are read: a heading has some two thousand, whatever follows it.
const HEAD_BYTES: u64 = 64 << 10;

/// For a chain and a height, the parent that each block at that height names.
#[derive(Debug, Default)]
pub struct Neighbours(BTreeMap<(u64, u64), Vec<B256>>);

impl Neighbours {
    /// Reads the heading of every file. One that has none, or whose header is not that of its hash, links nothing; why, its own run
    /// reports. Standard input is read once, by its run.
    pub fn of(inputs: &[Input]) -> Self {
        let mut neighbours = Self::default();
        // One block has no neighbour.
        if inputs.len() > 1 {
            for HeaderPeek { network_id, header, .. } in inputs.iter().filter_map(consistent_heading) {
                let parents = neighbours.0.entry((network_id, header.number)).or_default();
                if !parents.contains(&header.parent_hash) {
                    parents.push(header.parent_hash);
                }
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

fn consistent_heading(input: &Input) -> Option<HeaderPeek> {
    let Input::File(path) = input else { return None };
    let mut head = Vec::new();
    File::open(path).ok()?.take(HEAD_BYTES).read_to_end(&mut head).ok()?;
    peek_header(&head).ok().filter(|peek_header| peek_header.header_hash == peek_header.hash)
}
