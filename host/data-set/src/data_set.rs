//! A data set: opened, continued, closed.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Component, Path, PathBuf},
};

use refiner_text::UntrustedText;

use crate::{
    DataSetError, Destination, Manifest, SpecimenEntry, Staging, Terms, Unit, directory::Directory, store::Store,
};

/// A data set that is written.
#[derive(Debug)]
pub struct DataSet {
    pub(crate) kept: Kept,
    terms: Terms,
    standing: Standing,
}

/// The place of its files.
#[derive(Debug)]
pub(crate) enum Kept {
    Directory(Directory),
    Store(Box<Store>),
}

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
    /// The standing of the data set of a destination for these terms. Changes nothing.
    ///
    /// # Errors
    ///
    /// Results of other terms are there, or a manifest that cannot be read.
    pub fn of(destination: &Destination, terms: &Terms) -> Result<Self, DataSetError> {
        match destination {
            Destination::Directory(directory) => Directory::standing(directory, terms),
            Destination::Store { folder, .. } => Store::standing(folder, terms),
        }
    }

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

impl DataSet {
    /// Opens the data set of a destination, which is made where it does not exist, and finishes what a killed run had committed.
    ///
    /// # Errors
    ///
    /// Another process holds it, results of other terms are there, or the operating system or the store refuses.
    pub fn open(destination: impl Into<Destination>, terms: Terms) -> Result<Self, DataSetError> {
        let (kept, standing) = match destination.into() {
            Destination::Directory(directory) => {
                let (directory, standing) = Directory::open(directory, &terms)?;
                (Kept::Directory(directory), standing)
            }
            Destination::Store { folder, staging } => {
                let (store, standing) = Store::open(folder, staging, &terms)?;
                (Kept::Store(Box::new(store)), standing)
            }
        };
        Ok(Self { kept, terms, standing })
    }

    /// Its units and specimens.
    pub const fn standing(&self) -> &Standing {
        &self.standing
    }

    /// The place for files that are to become part of it.
    pub fn staging(&self) -> Staging {
        match &self.kept {
            Kept::Directory(directory) => directory.staging(),
            Kept::Store(store) => store.staging(),
        }
    }

    /// Makes staged files part of the data set, together. In a store they are there when the data set is finished, at the latest.
    ///
    /// # Errors
    ///
    /// The operating system or the store refuses. The run must end then: the next one finds either all of the unit or nothing.
    pub fn commit(&mut self, unit: Unit) -> Result<(), DataSetError> {
        match &mut self.kept {
            Kept::Directory(directory) => directory.commit(&self.terms, &unit)?,
            Kept::Store(store) => store.commit(&self.terms, &unit)?,
        }
        self.standing.insert(unit);
        Ok(())
    }

    /// Writes the manifest, and removes what leads to it. Also the end of a run that was interrupted.
    ///
    /// # Errors
    ///
    /// The operating system or the store refuses; the next run then continues from what is there.
    pub fn finish(self) -> Result<Manifest, DataSetError> {
        match self.kept {
            Kept::Directory(directory) => directory.finish(self.terms, self.standing),
            Kept::Store(store) => store.finish(&self.terms),
        }
    }
}
