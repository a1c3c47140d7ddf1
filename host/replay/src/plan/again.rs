//! Units of a data set that are made again. What was produced stays, and another verdict holds for the bytes and conditions it was
//! found with: a download that was broken is rejected until the sound file is there, a chain is unsupported until it is named.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use alloy_primitives::B256;
use refiner_data_set::{SpecimenEntry, Standing, Unit};
use refiner_specimen::specimen_hash;
use refiner_specimen_files::{headings::Heading, input::Input};

use super::PlanError;
use crate::conditions::Conditions;

/// Chain and first height of a unit.
pub type Key = (u64, u64);

/// The key of a unit.
pub const fn key(unit: &Unit) -> Key {
    (unit.chain_id, unit.first)
}

/// The units that are to be made again from these inputs.
///
/// # Errors
///
/// The data set has another specimen of a height, whose rows cannot be taken out of its files.
pub fn units_again(
    known: &[(Heading, Input)],
    standing: &Standing,
    directory: &Path,
    conditions: &Conditions,
) -> Result<BTreeSet<Key>, PlanError> {
    let there: BTreeSet<_> = known.iter().map(|(heading, _)| (heading.chain_id, heading.height)).collect();
    let is_whole =
        |unit: &Unit| unit.specimens.iter().all(|specimen| there.contains(&(unit.chain_id, specimen.height)));
    for unit in standing.damaged_units() {
        let Unit { chain_id, first, last, .. } = *unit;
        let blocks = unit.specimens.len();
        let named = unit.specimens.iter().filter(|specimen| there.contains(&(chain_id, specimen.height))).count();
        if named > 0 && named < blocks {
            let directory = directory.to_owned();
            return Err(PlanError::PartOfDamagedUnit { directory, chain_id, first, last, named, blocks });
        }
    }
    let mut again = BTreeSet::new();
    for (heading, input) in known {
        let Heading { chain_id, height, .. } = *heading;
        let unit = standing.unit_of(chain_id, height);
        let Some((unit, specimen)) = unit.zip(standing.specimen(chain_id, height)) else { continue };
        let is_another = if is_alike(heading, input, specimen) {
            standing.has_other_verdict(chain_id, height) && has_another_hash(input, specimen)
        } else if standing.has_only_other_verdicts(chain_id, height) {
            true
        } else {
            let (directory, input) = (directory.to_owned(), input.clone());
            return Err(PlanError::OtherSpecimen { directory, chain_id, height, input });
        };
        if is_another && !is_whole(unit) {
            let (directory, input) = (directory.to_owned(), input.clone());
            let (first, last) = (unit.first, unit.last);
            return Err(PlanError::PartOfUnit { directory, chain_id, height, first, last, input });
        }
        if is_another {
            again.insert(key(unit));
        }
    }
    let is_under_others = |unit: &&Unit| {
        let heights = unit.specimens.iter().map(|specimen| specimen.height);
        !unit.verdicts.is_empty() && unit.conditions != conditions.of_blocks(unit.chain_id, heights) && is_whole(unit)
    };
    again.extend(standing.units().filter(is_under_others).map(key));
    Ok(again)
}

/// The inputs by chain and height.
pub fn by_block(known: &[(Heading, Input)]) -> BTreeMap<(u64, u64), &Input> {
    known.iter().map(|(heading, input)| ((heading.chain_id, heading.height), input)).collect()
}

/// True where an input is the specimen by all that costs no reading.
fn is_alike(heading: &Heading, input: &Input, specimen: &SpecimenEntry) -> bool {
    specimen.block_hash == heading.block_hash && input.length().is_none_or(|own| own == specimen.bytes)
}

/// True where the bytes are others. Of an input that cannot be read nothing is known.
fn has_another_hash(input: &Input, specimen: &SpecimenEntry) -> bool {
    specimen.specimen_hash != B256::ZERO
        && input.read().is_ok_and(|bytes| specimen_hash(&bytes) != specimen.specimen_hash)
}
