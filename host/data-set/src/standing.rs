//! The standing of a data set: its units and specimens.

use std::{
    collections::{BTreeMap, HashSet},
    mem,
    path::{Path, PathBuf},
};

use refiner_text::UntrustedText;

use crate::{DataSetError, SpecimenEntry, Terms, Unit, unit::UnitKey};

/// The units and specimens of a data set.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// Units whose files are there.
    units: BTreeMap<UnitKey, Unit>,
    /// Specimens of these units, by chain and height.
    specimens: BTreeMap<(u64, u64), (UnitKey, SpecimenEntry)>,
    /// Runs that ended in another verdict than `produced`, by chain and height.
    otherwise: BTreeMap<(u64, u64), usize>,
    /// Number of rules, each of which has a run over each specimen.
    rules: usize,
    /// Files of units in whose place others came.
    replaced: Vec<String>,
    /// Units out of which a file is not there. They count as not done, and yet stay in the manifest until their blocks are made again: their
    /// other files would otherwise be files of no unit, beside the new ones.
    damaged_units: BTreeMap<UnitKey, Unit>,
    /// The first such file of each of them.
    pub damaged: Vec<Damage>,
}

/// A file that is missing or has another length than the manifest states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Its path or URL.
    pub path: PathBuf,
    /// Chain of its unit's blocks.
    pub chain_id: u64,
    /// Height of the first of them.
    pub first: u64,
    /// Height of the last of them.
    pub last: u64,
}

impl Standing {
    /// The units of these groups, the later ones in the place of the earlier, as long as their terms are those that are asked for.
    pub(crate) fn of_units(
        place: &Path,
        asked: &Terms,
        groups: impl IntoIterator<Item = (Terms, Vec<Unit>)>,
    ) -> Result<Self, DataSetError> {
        let mut standing = Self { rules: asked.rules.len(), ..Self::default() };
        for (there, units) in groups {
            // Without a unit there is nothing that could be mixed.
            if let Some(difference) = there.difference(asked).filter(|_| !units.is_empty()) {
                return Err(DataSetError::OtherTerms { place: place.to_owned(), difference });
            }
            for unit in units {
                if let Some(file) = unit.files.iter().find(|file| !is_of_unit(&file.path, &unit)) {
                    let name = UntrustedText::new(&file.path);
                    return Err(DataSetError::OtherFile { place: place.to_owned(), name });
                }
                standing.insert(unit);
            }
        }
        Ok(standing)
    }

    /// The specimen of this height.
    pub fn specimen(&self, chain_id: u64, height: u64) -> Option<&SpecimenEntry> {
        self.specimens.get(&(chain_id, height)).map(|(_, specimen)| specimen)
    }

    /// The unit that has the specimen of this height.
    pub fn unit_of(&self, chain_id: u64, height: u64) -> Option<&Unit> {
        self.specimens.get(&(chain_id, height)).and_then(|(key, _)| self.units.get(key))
    }

    /// True when a run over the specimen of this height ended in another verdict than `produced`.
    pub fn has_other_verdict(&self, chain_id: u64, height: u64) -> bool {
        self.otherwise.contains_key(&(chain_id, height))
    }

    /// True when all of them did, so that no file has anything of it.
    pub fn has_only_other_verdicts(&self, chain_id: u64, height: u64) -> bool {
        self.otherwise.get(&(chain_id, height)).is_some_and(|runs| *runs >= self.rules)
    }

    /// The units by chain and height.
    pub fn units(&self) -> impl Iterator<Item = &Unit> {
        self.units.values()
    }

    /// The units out of which a file is not there.
    pub fn damaged_units(&self) -> impl Iterator<Item = &Unit> {
        self.damaged_units.values()
    }

    /// Inserts a unit, in the place of an earlier one of the same blocks. One of which only some blocks are the same stays beside it.
    pub(crate) fn insert(&mut self, unit: Unit) {
        let key = unit.key();
        if let Some(earlier) = self.units.remove(&key) {
            for block in earlier.blocks() {
                self.otherwise.remove(&block);
            }
            self.replaced.extend(earlier.files.into_iter().map(|file| file.path));
        }
        self.index(key, &unit);
        self.units.insert(key, unit);
    }

    fn index(&mut self, key: UnitKey, unit: &Unit) {
        self.specimens.extend(unit.blocks().zip(unit.specimens.iter().map(|specimen| (key, specimen.clone()))));
        for verdict in &unit.verdicts {
            *self.otherwise.entry((unit.chain_id, verdict.height)).or_default() += 1;
        }
    }

    /// True where the data set has a unit of these blocks, whole or damaged.
    pub(crate) fn has(&self, key: &UnitKey) -> bool {
        self.units.contains_key(key) || self.damaged_units.contains_key(key)
    }

    /// The unit of these blocks whose files are there.
    pub(crate) fn whole(&self, key: &UnitKey) -> Option<&Unit> {
        self.units.get(key)
    }

    /// Takes units out of which a file is not whole.
    pub(crate) fn without_damage(mut self, place: &Path, is_whole: impl Fn(&str, u64) -> bool) -> Self {
        let missing = |unit: &Unit| unit.files.iter().find(|file| !is_whole(&file.path, file.bytes)).cloned();
        let damaged = |(key, unit): (&UnitKey, &Unit)| Some((*key, place.join(missing(unit)?.path)));
        let damaged: Vec<_> = self.units.iter().filter_map(damaged).collect();
        if damaged.is_empty() {
            return self;
        }
        for (key, path) in damaged {
            let UnitKey { chain_id, first, last, .. } = key;
            self.damaged.push(Damage { path, chain_id, first, last });
            self.damaged_units.extend(self.units.remove(&key).map(|unit| (key, unit)));
        }
        // From the start: of units that overlap, one had the other's entries.
        (self.specimens, self.otherwise) = Default::default();
        let units = mem::take(&mut self.units);
        units.iter().for_each(|(key, unit)| self.index(*key, unit));
        Self { units, ..self }
    }

    /// True where a block of a unit is in one whose files are there.
    fn is_made_again(&self, unit: &Unit) -> bool {
        unit.blocks().any(|block| self.specimens.contains_key(&block))
    }

    /// A height that two units of the manifest would have, where there is one.
    pub(crate) fn doubled(&self) -> Option<(u64, u64)> {
        let damaged = self.damaged_units.values().filter(|unit| !self.is_made_again(unit));
        let mut blocks: Vec<_> = self.units.values().chain(damaged).flat_map(Unit::blocks).collect();
        blocks.sort_unstable();
        blocks.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
    }

    /// A block of a unit that came to damage after a run `opened` the data set, and that is in another unit now: a run at the same time
    /// wrote files of the same names over some of its blocks.
    pub(crate) fn overwritten_since(&self, opened: &Self) -> Option<(u64, u64)> {
        let since = self.damaged_units.iter().filter(|(key, _)| !opened.damaged_units.contains_key(key));
        since.flat_map(|(_, unit)| unit.blocks()).find(|block| self.specimens.contains_key(block))
    }

    /// The units of the manifest by chain and height, and the files that none of them has any more.
    pub(crate) fn into_manifest(mut self) -> (Vec<Unit>, Vec<String>) {
        for (key, unit) in mem::take(&mut self.damaged_units) {
            if self.is_made_again(&unit) {
                self.replaced.extend(unit.files.into_iter().map(|file| file.path));
            } else {
                self.units.insert(key, unit);
            }
        }
        let units: Vec<_> = self.units.into_values().collect();
        if self.replaced.is_empty() {
            return (units, Vec::new());
        }
        let listed: HashSet<_> = units.iter().flat_map(|unit| &unit.files).map(|file| &file.path).collect();
        let left_over: Vec<_> = self.replaced.into_iter().filter(|path| !listed.contains(path)).collect();
        (units, left_over)
    }
}

/// True for a path that a file of this unit can have. A run may remove files of units, also over a link that leads out of the directory: so
/// a manifest names none but those with the unit's blocks in their names.
pub(crate) fn is_of_unit(path: &str, unit: &Unit) -> bool {
    let Unit { chain_id, first, last, .. } = unit;
    let is_plain = |part: &str| !matches!(part, "" | "." | "..") && !part.contains('\0');
    if path.starts_with('_') || !path.split('/').all(is_plain) {
        return false;
    }
    let Some((_, name)) = path.rsplit_once('/') else { return path.starts_with(&format!("{chain_id}-{first}.")) };
    let heights = name.split('.').next().and_then(|stem| stem.strip_prefix("blocks_")?.split_once('_'));
    heights.is_some_and(|(from, to)| from.parse() == Ok(*first) && to.parse() == Ok(*last))
}
