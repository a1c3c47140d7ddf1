//! A data set in a directory: staged files get their names by renames, and a line of a log decides about them.

use std::{
    fs::{self, File, TryLockError},
    io::{self, BufWriter},
    path::{Path, PathBuf},
};

use crate::{
    DataSetError, Manifest, Staging, Standing, Terms, Unit,
    log::{self, LOG, Log, Logged},
    manifest::MANIFEST,
    staging::{self, STAGING},
};

/// Names of the temporary files that earlier builds left: `.tmp` and six letters or digits.
const EARLIER_TEMPORARY: &str = ".tmp";
const EARLIER_SUFFIX_BYTES: usize = 6;

/// A directory that this process alone writes.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    pub(crate) log: Log,
    has_manifest: bool,
    /// Held as long as the data set is open. The lock is the kernel's: it ends with the process, however that ends.
    _lock: File,
}

/// The content of a directory, read.
struct Found {
    standing: Standing,
    logged: Option<Logged>,
    has_manifest: bool,
}

impl Found {
    fn read(directory: &Path, terms: &Terms) -> Result<Self, DataSetError> {
        let manifest = Manifest::read(&directory.join(MANIFEST))?;
        let logged = log::read(&directory.join(LOG))?;
        let has_manifest = manifest.as_ref().is_some_and(|manifest| manifest.terms == *terms);
        let from_manifest = manifest.map(|manifest| (manifest.terms, manifest.units));
        let from_log = logged.as_ref().map(|logged| (logged.terms.clone(), logged.units.clone()));
        let standing = Standing::of_units(directory, terms, from_manifest.into_iter().chain(from_log))?;
        let staging = Staging { root: directory.join(STAGING) };
        let logged = logged.filter(|logged| logged.terms == *terms);
        let is_whole = |path: &Path, bytes| fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.len() == bytes);
        // A committed file of a killed run gets its name when the data set is opened.
        let is_there =
            |path: &str, bytes| is_whole(&directory.join(path), bytes) || is_whole(&staging.path(path), bytes);
        Ok(Self { standing: standing.without_damage(directory, is_there), logged, has_manifest })
    }
}

impl Directory {
    /// The standing of a directory. Changes nothing.
    pub(crate) fn standing(path: &Path, terms: &Terms) -> Result<Standing, DataSetError> {
        Ok(Found::read(path, terms)?.standing)
    }

    /// Opens a directory, which is created where it does not exist, and finishes what a killed run had committed.
    pub(crate) fn open(path: PathBuf, terms: &Terms) -> Result<(Self, Standing), DataSetError> {
        fs::create_dir_all(&path).map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => DataSetError::NoDirectory(path.clone()),
            _ => DataSetError::Io { path: path.clone(), source },
        })?;
        let lock = lock(&path)?;
        let Found { standing, logged, has_manifest } = Found::read(&path, terms)?;
        let log = Log::after(path.join(LOG), logged.as_ref());
        let directory = Self { path, log, has_manifest, _lock: lock };
        for unit in logged.iter().flat_map(|logged| &logged.units) {
            directory.name_committed(unit)?;
        }
        directory.clean().map_err(|source| DataSetError::Io { path: directory.path.clone(), source })?;
        Ok((directory, standing))
    }

    pub(crate) fn staging(&self) -> Staging {
        Staging { root: self.path.join(STAGING) }
    }

    pub(crate) fn commit(&mut self, terms: &Terms, unit: &Unit) -> Result<(), DataSetError> {
        // This line decides: without it the files stay unnamed, and with it a killed run's successor names them.
        self.log.append(terms, unit)?;
        unit.files.iter().try_for_each(|file| self.name(&file.path))
    }

    /// Writes the manifest. The log stays where that fails, and the next run continues from it.
    pub(crate) fn finish(self, terms: Terms, standing: Standing) -> Result<Manifest, DataSetError> {
        let is_new = self.log.is_there() || !self.has_manifest;
        let (units, left_over) = standing.into_manifest();
        // As long as the log has the unit in whose place another came.
        for path in left_over {
            remove(&self.path.join(path), |path| fs::remove_file(path))?;
        }
        let manifest = Manifest::of(terms, units);
        let staging = self.staging();
        if is_new {
            let refuse = |source| DataSetError::Io { path: staging.path(MANIFEST), source };
            let mut out = BufWriter::new(staging.create(MANIFEST)?);
            manifest.write(&mut out).map_err(refuse)?;
            let file = out.into_inner().map_err(|error| refuse(error.into_error()))?;
            file.sync_all().map_err(refuse)?;
            rename(&staging.path(MANIFEST), &self.path.join(MANIFEST))?;
        }
        remove(&self.path.join(LOG), |path| fs::remove_file(path))?;
        // A thread of an interrupted run may still write there; the next run removes what stays.
        let _ = fs::remove_dir_all(&staging.root);
        Ok(manifest)
    }

    pub(crate) fn name(&self, path: &str) -> Result<(), DataSetError> {
        rename(&self.staging().path(path), &self.path.join(path))
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
        for entry in fs::read_dir(&self.path)? {
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

/// Locks a directory for this process.
pub(crate) fn lock(path: &Path) -> Result<File, DataSetError> {
    let refuse = |source| DataSetError::Io { path: path.to_owned(), source };
    let lock = File::open(path).map_err(refuse)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(DataSetError::Locked(path.to_owned())),
        Err(TryLockError::Error(source)) => Err(refuse(source)),
    }
}
