//! The work of a verification: units of a manifest whose specimens are there.

use std::collections::{BTreeMap, BTreeSet};

use refiner_data_set::Manifest;
use refiner_specimen_files::input::{Input, InputError};

use crate::plan::{Inputs, Item};

/// The work of a verification.
#[derive(Default)]
pub struct Recomputation {
    pub items: Vec<Item>,
    /// For each unit its position in the manifest, and the number of its items.
    pub units: Vec<(usize, usize)>,
    /// Chain and height of specimens that no input is. A unit that lacks one is left out.
    pub missing: Vec<(u64, u64)>,
    /// Inputs of a height that the manifest covers and no unit has.
    pub uncovered: u64,
    /// Other inputs that no unit has.
    pub besides: u64,
    /// Inputs that cannot be read, so that any unit may have them.
    pub unread: Vec<(Input, InputError)>,
}

impl Recomputation {
    /// The units whose specimens are among the inputs.
    pub fn of(manifest: &Manifest, inputs: Inputs) -> Self {
        let mut work = Self::default();
        let mut by_block: BTreeMap<_, Input> = BTreeMap::new();
        for (input, heading) in inputs.inputs.into_iter().zip(inputs.headings) {
            match heading {
                Ok(Some(heading)) => {
                    by_block.entry((heading.chain_id, heading.height, heading.block_hash)).or_insert(input);
                }
                Ok(None) => work.besides += 1,
                Err(error) => work.unread.push((input, error)),
            }
        }
        let (mut blocks, mut heights) = (BTreeSet::new(), BTreeSet::new());
        for (position, unit) in manifest.units.iter().enumerate() {
            let mut found = Vec::new();
            for specimen in &unit.specimens {
                let block = (unit.chain_id, specimen.height, specimen.block_hash);
                blocks.insert(block);
                heights.insert((unit.chain_id, specimen.height));
                match by_block.get(&block) {
                    Some(input) => found.push(Item::of(input.clone(), work.units.len())),
                    None => work.missing.push((unit.chain_id, specimen.height)),
                }
            }
            if found.len() == unit.specimens.len() {
                work.units.push((position, found.len()));
                work.items.extend(found);
            }
        }
        for (chain_id, height, _) in by_block.into_keys().filter(|block| !blocks.contains(block)) {
            // Another block of a height that a unit has is none that the manifest claims.
            let is_claimed = manifest.covers(chain_id, height) && !heights.contains(&(chain_id, height));
            *(if is_claimed { &mut work.uncovered } else { &mut work.besides }) += 1;
        }
        work
    }
}
