//! The standing of a data set: its units and specimens.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Component, Path, PathBuf},
};

use refiner_text::UntrustedText;

use crate::{DataSetError, SpecimenEntry, Terms, Unit};

/// The units and specimens of a data set.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// By chain and first height.
    units: BTreeMap<(u64, u64), Unit>,
    /// By chain and height.
    specimens: BTreeMap<(u64, u64), SpecimenEntry>,
    /// Those with a run that ended in another verdict than `produced`, by chain and height.
    otherwise: BTreeSet<(u64, u64)>,
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
        let mut standing = Self::default();
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
        self.specimens.get(&(chain_id, height))
    }

    /// True when a run over the specimen of this height ended in another verdict than `produced`.
    pub fn has_other_verdict(&self, chain_id: u64, height: u64) -> bool {
        self.otherwise.contains(&(chain_id, height))
    }

    /// The units by chain and height.
    pub fn units(&self) -> impl Iterator<Item = &Unit> {
        self.units.values()
    }

    pub(crate) fn insert(&mut self, unit: Unit) {
        let specimens = unit.specimens.iter();
        self.specimens.extend(specimens.map(|specimen| ((unit.chain_id, specimen.height), specimen.clone())));
        self.otherwise.extend(unit.verdicts.iter().map(|verdict| (unit.chain_id, verdict.height)));
        self.units.insert((unit.chain_id, unit.first), unit);
    }

    fn remove(&mut self, key: (u64, u64)) {
        if let Some(unit) = self.units.remove(&key) {
            for specimen in &unit.specimens {
                self.specimens.remove(&(unit.chain_id, specimen.height));
                self.otherwise.remove(&(unit.chain_id, specimen.height));
            }
        }
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
