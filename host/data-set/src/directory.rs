//! The directory of a data set: opened, continued, closed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File, TryLockError},
    io::{self, BufWriter},
    path::{Component, Path, PathBuf},
};

use refiner_text::UntrustedText;

use crate::{
    DataSetError, Manifest, SpecimenEntry, Staging, Terms, Unit,
    log::{self, LOG, Log, Logged},
    manifest::MANIFEST,
    staging::{self, STAGING},
};

/// Names of the temporary files that earlier builds left: `.tmp` and six letters or digits.
const EARLIER_TEMPORARY: &str = ".tmp";
const EARLIER_SUFFIX_BYTES: usize = 6;

/// A data set that this process alone writes.
#[derive(Debug)]
pub struct DataSet {
    directory: PathBuf,
    terms: Terms,
    standing: Standing,
    log: Log,
    has_manifest: bool,
    /// Held as long as the data set is open. The lock is the kernel's: it ends with the process, however that ends.
    _lock: File,
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
    /// The standing of the data set in a directory for these terms. Changes nothing.
    ///
    /// # Errors
    ///
    /// Results of other terms are there, or a manifest that cannot be read.
    pub fn of(directory: &Path, terms: &Terms) -> Result<Self, DataSetError> {
        let (found, ..) = Found::read(directory, terms)?;
        Ok(found)
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

    fn insert(&mut self, unit: Unit) {
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

    /// Takes units out of which a file is not there as it was written.
    fn without_damage(mut self, directory: &Path, staging: &Staging) -> Self {
        let mut damaged = Vec::new();
        for (key, unit) in &self.units {
            let is_whole =
                |path: &Path, bytes| fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.len() == bytes);
            let missing = unit.files.iter().find(|file| {
                // A committed file of a killed run gets its name when the data set is opened.
                let whole = directory.join(&file.path);
                !is_whole(&whole, file.bytes) && !is_whole(&staging.path(&file.path), file.bytes)
            });
            if let Some(file) = missing {
                damaged.push((*key, directory.join(&file.path)));
            }
        }
        for (key, path) in damaged {
            self.remove(key);
            self.damaged.push(path);
        }
        self
    }
}

/// The content of a directory, read.
struct Found;

impl Found {
    fn read(directory: &Path, terms: &Terms) -> Result<(Standing, Option<Logged>, bool), DataSetError> {
        let manifest = Manifest::read(&directory.join(MANIFEST))?;
        let logged = log::read(&directory.join(LOG))?;
        let has_manifest = manifest.as_ref().is_some_and(|manifest| manifest.terms == *terms);
        let from_manifest = manifest.map(|manifest| (manifest.terms, manifest.units));
        let from_log = logged.as_ref().map(|logged| (logged.terms.clone(), logged.units.clone()));
        let mut standing = Standing::default();
        for (there, units) in from_manifest.into_iter().chain(from_log) {
            // Without a unit there is nothing that could be mixed.
            if let Some(difference) = there.difference(terms).filter(|_| !units.is_empty()) {
                return Err(DataSetError::OtherTerms { directory: directory.to_owned(), difference });
            }
            for unit in units {
                if let Some(file) = unit.files.iter().find(|file| !is_inside(&file.path)) {
                    let name = UntrustedText::new(&file.path);
                    return Err(DataSetError::Outside { directory: directory.to_owned(), name });
                }
                standing.insert(unit);
            }
        }
        let staging = Staging { root: directory.join(STAGING) };
        let logged = logged.filter(|logged| logged.terms == *terms);
        Ok((standing.without_damage(directory, &staging), logged, has_manifest))
    }
}

/// True when a path of a manifest stays within its directory.
fn is_inside(path: &str) -> bool {
    let plain = |component| matches!(component, Component::Normal(_));
    !path.is_empty() && Path::new(path).components().all(plain) && !path.starts_with('_')
}

impl DataSet {
    /// Opens the data set of a directory, which is created where it does not exist, and finishes what a killed run had committed.
    ///
    /// # Errors
    ///
    /// Another process holds it, results of other terms are there, or the operating system refuses.
    pub fn open(directory: &Path, terms: Terms) -> Result<Self, DataSetError> {
        let refuse = |source| DataSetError::Io { path: directory.to_owned(), source };
        fs::create_dir_all(directory).map_err(refuse)?;
        let lock = File::open(directory).map_err(refuse)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(DataSetError::Locked(directory.to_owned())),
            Err(TryLockError::Error(source)) => return Err(refuse(source)),
        }
        let (standing, logged, has_manifest) = Found::read(directory, &terms)?;
        let log = Log::after(directory.join(LOG), logged.as_ref());
        let data_set = Self { directory: directory.to_owned(), terms, standing, log, has_manifest, _lock: lock };
        for unit in logged.iter().flat_map(|logged| &logged.units) {
            data_set.name_committed(unit)?;
        }
        data_set.clean().map_err(refuse)?;
        Ok(data_set)
    }

    /// Its units and specimens.
    pub const fn standing(&self) -> &Standing {
        &self.standing
    }

    /// The place for files that are to become part of it.
    pub fn staging(&self) -> Staging {
        Staging { root: self.directory.join(STAGING) }
    }

    /// The path of a file of the data set.
    pub fn path(&self, path: &str) -> PathBuf {
        self.directory.join(path)
    }

    /// Makes staged files part of the data set, together.
    ///
    /// # Errors
    ///
    /// The operating system refuses. The run must end then: the next one finds either all of the unit or nothing.
    pub fn commit(&mut self, unit: Unit) -> Result<(), DataSetError> {
        // This line decides: without it the files stay unnamed, and with it a killed run's successor names them.
        self.log.append(&self.terms, &unit)?;
        for file in &unit.files {
            self.name(&file.path)?;
        }
        self.standing.insert(unit);
        Ok(())
    }

    /// Writes the manifest, and removes the log and what is left of staged files. Also the end of a run that was interrupted.
    ///
    /// # Errors
    ///
    /// The operating system refuses; the log then stays, and the next run continues from it.
    pub fn finish(self) -> Result<Manifest, DataSetError> {
        let is_new = self.log.is_there() || !self.has_manifest || !self.standing.damaged.is_empty();
        let manifest = Manifest::of(self.terms, self.standing.units.into_values().collect());
        let staging = Staging { root: self.directory.join(STAGING) };
        if is_new {
            let refuse = |source| DataSetError::Io { path: staging.path(MANIFEST), source };
            let mut out = BufWriter::new(staging.create(MANIFEST)?);
            manifest.write(&mut out).map_err(refuse)?;
            let file = out.into_inner().map_err(|error| refuse(error.into_error()))?;
            file.sync_all().map_err(refuse)?;
            rename(&staging.path(MANIFEST), &self.directory.join(MANIFEST))?;
        }
        remove(&self.directory.join(LOG), |path| fs::remove_file(path))?;
        // A thread of an interrupted run may still write there; the next run removes what stays.
        let _ = fs::remove_dir_all(&staging.root);
        Ok(manifest)
    }

    fn name(&self, path: &str) -> Result<(), DataSetError> {
        rename(&self.staging().path(path), &self.directory.join(path))
    }

    /// Names the files of a unit that was committed before its run was killed. Files that are staged for a later attempt have other
    /// bytes, or are not whole.
    fn name_committed(&self, unit: &Unit) -> Result<(), DataSetError> {
        for file in &unit.files {
            let staged = self.staging().path(&file.path);
            if staged.is_file() {
                let digest = staging::digest(&staged);
                if digest.map_err(|source| DataSetError::Io { path: staged, source })? == (file.bytes, file.sha256) {
                    self.name(&file.path)?;
                }
            }
        }
        Ok(())
    }

    /// Removes what a killed run left.
    fn clean(&self) -> io::Result<()> {
        match fs::remove_dir_all(self.staging().root) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            let name = entry.file_name();
            let suffix = name.as_encoded_bytes().strip_prefix(EARLIER_TEMPORARY.as_bytes());
            let is_ours =
                |suffix: &[u8]| suffix.len() == EARLIER_SUFFIX_BYTES && suffix.iter().all(u8::is_ascii_alphanumeric);
            if suffix.is_some_and(is_ours) && entry.file_type()?.is_file() {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

fn rename(from: &Path, to: &Path) -> Result<(), DataSetError> {
    let refuse = |source| DataSetError::Io { path: to.to_owned(), source };
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent).map_err(refuse)?;
    }
    fs::rename(from, to).map_err(refuse)
}

fn remove(path: &Path, by: impl FnOnce(&Path) -> io::Result<()>) -> Result<(), DataSetError> {
    match by(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(DataSetError::Io { path: path.to_owned(), source })
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests;
