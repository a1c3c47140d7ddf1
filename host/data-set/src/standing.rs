//! The standing of a data set: its units and specimens.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    path::{Component, Path, PathBuf},
};

use refiner_text::UntrustedText;

use crate::{DataSetError, SpecimenEntry, Terms, Unit};

/// The units and specimens of a data set.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// By chain and first height.
    units: BTreeMap<(u64, u64), Unit>,
    /// By chain and height, with the first height of the unit.
    specimens: BTreeMap<(u64, u64), (u64, SpecimenEntry)>,
    /// Runs that ended in another verdict than `produced`, by chain and height.
    otherwise: BTreeMap<(u64, u64), usize>,
    /// Number of rules, each of which has a run over each specimen.
    rules: usize,
    /// Files of units in whose place others came.
    replaced: Vec<String>,
    /// Files that are missing or have another length than the manifest states. Their units count as not done.
    pub damaged: Vec<PathBuf>,
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
                if let Some(file) = unit.files.iter().find(|file| !is_inside(&file.path)) {
                    let name = UntrustedText::new(&file.path);
                    return Err(DataSetError::Outside { place: place.to_owned(), name });
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
        self.specimens.get(&(chain_id, height)).and_then(|(first, _)| self.units.get(&(chain_id, *first)))
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

    /// Inserts a unit, in the place of an earlier one with the same first height.
    pub(crate) fn insert(&mut self, unit: Unit) {
        if let Some(earlier) = self.remove((unit.chain_id, unit.first)) {
            let has = |height| unit.specimens.iter().any(|specimen| specimen.height == height);
            // One with other heights is of a run that wrote at once, and was not replaced on purpose.
            if earlier.specimens.len() == unit.specimens.len() && earlier.specimens.iter().all(|one| has(one.height)) {
                self.replaced.extend(earlier.files.into_iter().map(|file| file.path));
            }
        }
        let specimens = unit.specimens.iter();
        self.specimens
            .extend(specimens.map(|specimen| ((unit.chain_id, specimen.height), (unit.first, specimen.clone()))));
        for verdict in &unit.verdicts {
            *self.otherwise.entry((unit.chain_id, verdict.height)).or_default() += 1;
        }
        self.units.insert((unit.chain_id, unit.first), unit);
    }

    fn remove(&mut self, key: (u64, u64)) -> Option<Unit> {
        let unit = self.units.remove(&key)?;
        for specimen in &unit.specimens {
            self.specimens.remove(&(unit.chain_id, specimen.height));
            self.otherwise.remove(&(unit.chain_id, specimen.height));
        }
        Some(unit)
    }

    /// Files of replaced units that no unit has any more.
    pub(crate) fn left_over(&self) -> Vec<String> {
        if self.replaced.is_empty() {
            return Vec::new();
        }
        let listed: HashSet<_> = self.units.values().flat_map(|unit| &unit.files).map(|file| &file.path).collect();
        self.replaced.iter().filter(|path| !listed.contains(path)).cloned().collect()
    }

    /// Takes units out of which a file is not whole.
    pub(crate) fn without_damage(mut self, place: &Path, is_whole: impl Fn(&str, u64) -> bool) -> Self {
        let missing = |unit: &Unit| unit.files.iter().find(|file| !is_whole(&file.path, file.bytes)).cloned();
        let damaged: Vec<_> =
            self.units.iter().filter_map(|(key, unit)| Some((*key, place.join(missing(unit)?.path)))).collect();
        for (key, path) in damaged {
            self.remove(key);
            self.damaged.push(path);
        }
        self
    }

    /// A height that two units have, where there is one.
    pub(crate) fn doubled(&self) -> Option<(u64, u64)> {
        let mut seen = BTreeSet::new();
        let heights =
            self.units.values().flat_map(|unit| unit.specimens.iter().map(|specimen| (unit.chain_id, specimen.height)));
        heights.into_iter().find(|height| !seen.insert(*height))
    }

    pub(crate) fn into_units(self) -> Vec<Unit> {
        self.units.into_values().collect()
    }
}

/// True when a path of a manifest stays within its directory.
pub(crate) fn is_inside(path: &str) -> bool {
    let plain = |component| matches!(component, Component::Normal(_));
    !path.is_empty() && Path::new(path).components().all(plain) && !path.starts_with('_')
}
