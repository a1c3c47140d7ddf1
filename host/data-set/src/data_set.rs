//! A data set: opened, continued, closed.

use crate::{DataSetError, Destination, Manifest, Staging, Standing, Terms, Unit, directory::Directory, store::Store};

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

    /// The standing of the data set of a destination for these terms. Changes nothing.
    ///
    /// # Errors
    ///
    /// Results of other terms are there, or a manifest that cannot be read.
    pub fn standing_of(destination: &Destination, terms: &Terms) -> Result<Standing, DataSetError> {
        match destination {
            Destination::Directory(directory) => Directory::standing(directory, terms),
            Destination::Store { folder, .. } => Store::standing(folder, terms),
        }
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
            Kept::Store(store) => store.commit(&self.terms, &unit, self.standing.has(&unit.key()))?,
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
            Kept::Store(store) => store.finish(&self.terms, &self.standing),
        }
    }
}
