//! A data set in an object store: an object for each unit decides about its files, until the manifest has it.
//!
//! Runs of the same terms can write at once: what they write is the same bytes, and the one that writes the manifest later takes in
//! what the others have. Objects of units are below the digest of their terms, by which runs of other terms find each other.

use std::{
    collections::{HashMap, VecDeque},
    fs::{self, File},
    path::{Path, PathBuf},
};

use refiner_remote_files::{Condition, Mark, Sending, StoreFolder};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::{
    DataSetError, Difference, Manifest, Staging, Standing, Terms, Unit, directory::lock, error::MANIFEST_BYTES_MAX,
    manifest::MANIFEST,
};

/// Objects that lead to the manifest: below it the digest of their terms, and there the terms and the units.
const PENDING: &str = "_manifest/";
const TERMS: &str = "terms.json";
const UNITS: &str = "units/";
/// Bytes of a digest in a name.
const DIGEST_BYTES: usize = 8;
/// Largest of these objects that is read: a unit of some fifty thousand specimens.
const UNIT_BYTES_MAX: u64 = 64 << 20;
/// Units on their way.
const SENDING_MAX: usize = 32;
/// Times that a manifest which others changed meanwhile is made again.
const ATTEMPTS_MAX: usize = 16;

/// A prefix of a store that is written.
#[derive(Debug)]
pub(crate) struct Store {
    folder: StoreFolder,
    /// The prefix of this run's objects.
    pending: String,
    staging: PathBuf,
    sending: VecDeque<Sending>,
    /// The terms are there, and no others.
    has_terms: bool,
    /// Held as long as the data set is open.
    _lock: File,
}

/// The content of a store, read.
struct Found {
    standing: Standing,
    /// The manifest that is there, and its state.
    manifest: Option<(Vec<u8>, Mark)>,
    /// Paths of the objects of units.
    units: Vec<String>,
}

impl Found {
    fn read(folder: &StoreFolder, terms: &Terms) -> Result<Self, DataSetError> {
        let place = Path::new(folder.name());
        // The manifest first: files of what it names were there before it. What another run adds after this changes the manifest, and
        // then its condition does not hold.
        let manifest = folder.read(MANIFEST, MANIFEST_BYTES_MAX)?;
        let listed = folder.list()?;
        refuse_others(folder, terms, &listed)?;
        let own = format!("{}{UNITS}", prefix(terms));
        let units: Vec<_> =
            listed.iter().filter(|(path, _)| path.starts_with(&own)).map(|(path, _)| path.clone()).collect();
        let mut pending = Vec::new();
        for unit in folder.read_all(&units, UNIT_BYTES_MAX)? {
            let malformed = |source| DataSetError::Malformed { path: place.join(&own), source };
            pending.push(serde_json::from_slice(&unit).map_err(malformed)?);
        }
        let mut groups = Vec::new();
        if let Some((text, _)) = &manifest {
            let Manifest { terms, units, .. } = Manifest::parse(&place.join(MANIFEST), text)?;
            groups.push((terms, units));
        }
        groups.push((terms.clone(), pending));
        let lengths: HashMap<_, _> = listed.into_iter().collect();
        let standing = Standing::of_units(place, terms, groups)?;
        let standing = standing.without_damage(place, |path, bytes| lengths.get(path) == Some(&bytes));
        Ok(Self { standing, manifest: manifest.map(|(text, mark)| (text.into(), mark)), units })
    }
}

/// The prefix of objects of these terms.
fn prefix(terms: &Terms) -> String {
    let digest = Sha256::digest(serde_json::to_vec(terms).unwrap_or_default());
    format!("{PENDING}{}/", alloy_primitives::hex::encode(&digest[..DIGEST_BYTES]))
}

/// Refuses a prefix in which a run of other terms has begun.
fn refuse_others(folder: &StoreFolder, terms: &Terms, listed: &[(String, u64)]) -> Result<(), DataSetError> {
    let own = prefix(terms);
    let Some((path, _)) = listed.iter().find(|(path, _)| path.starts_with(PENDING) && !path.starts_with(&own)) else {
        return Ok(());
    };
    let digest = path[PENDING.len()..].split('/').next().unwrap_or_default();
    let place = PathBuf::from(folder.name());
    let there = folder.read(&format!("{PENDING}{digest}/{TERMS}"), UNIT_BYTES_MAX)?;
    let there = there.and_then(|(there, _)| serde_json::from_slice::<Terms>(&there).ok());
    let difference = there
        .and_then(|there| there.difference(terms))
        .unwrap_or_else(|| Difference::new("terms", digest, own[PENDING.len()..].trim_end_matches('/')));
    Err(DataSetError::OtherTerms { place, difference })
}

impl Store {
    /// The standing of a prefix. Changes nothing.
    pub(crate) fn standing(folder: &StoreFolder, terms: &Terms) -> Result<Standing, DataSetError> {
        Ok(Found::read(folder, terms)?.standing)
    }

    /// Opens a prefix, whose files are made in the directory `staging`.
    pub(crate) fn open(folder: StoreFolder, staging: PathBuf, terms: &Terms) -> Result<(Self, Standing), DataSetError> {
        let refuse = |source| DataSetError::Io { path: staging.clone(), source };
        fs::create_dir_all(&staging).map_err(refuse)?;
        let lock = lock(&staging).map_err(|error| match error {
            DataSetError::Locked(_) => DataSetError::PrefixLocked(folder.name().into()),
            error => error,
        })?;
        for left in fs::read_dir(&staging).map_err(refuse)? {
            let left = left.map_err(refuse)?;
            let is_directory = left.file_type().map_err(refuse)?.is_dir();
            let removed = if is_directory { fs::remove_dir_all(left.path()) } else { fs::remove_file(left.path()) };
            removed.map_err(refuse)?;
        }
        let Found { standing, .. } = Found::read(&folder, terms)?;
        let pending = prefix(terms);
        let store = Self { folder, pending, staging, sending: VecDeque::new(), has_terms: false, _lock: lock };
        Ok((store, standing))
    }

    pub(crate) fn staging(&self) -> Staging {
        Staging { root: self.staging.clone() }
    }

    /// Sends the files of a unit, and its object after them.
    pub(crate) fn commit(&mut self, terms: &Terms, unit: &Unit) -> Result<(), DataSetError> {
        self.write_terms(terms)?;
        while self.sending.len() >= SENDING_MAX {
            self.wait()?;
        }
        let object = self.json(unit)?;
        let path = format!("{}{UNITS}{}-{:020}.json", self.pending, unit.chain_id, unit.first);
        let staging = self.staging();
        let files = unit.files.iter().map(|file| (staging.path(&file.path), file.path.clone())).collect();
        self.sending.push_back(self.folder.send(files, (path, object.into())));
        Ok(())
    }

    /// Waits for what is on its way, and writes the manifest. Another run may have written one meanwhile.
    pub(crate) fn finish(mut self, terms: &Terms) -> Result<Manifest, DataSetError> {
        self.wait_for_all()?;
        let place = PathBuf::from(self.folder.name());
        for _ in 0..ATTEMPTS_MAX {
            let Found { standing, manifest: there, units } = Found::read(&self.folder, terms)?;
            if let Some((chain_id, height)) = standing.doubled() {
                return Err(DataSetError::Doubled { place, chain_id, height });
            }
            let left_over = standing.left_over();
            let manifest = Manifest::of(terms.clone(), standing.into_units());
            let mut text = Vec::new();
            manifest.write(&mut text).map_err(|source| DataSetError::Io { path: place.join(MANIFEST), source })?;
            let is_written = match there {
                Some((there, _)) if there == text => true,
                there => {
                    let condition = there.map_or(Condition::New, |(_, mark)| Condition::Unchanged(mark));
                    self.folder.write(MANIFEST, &text.into(), &condition)?
                }
            };
            if is_written {
                self.folder.remove(&left_over)?;
                self.folder.remove(&units)?;
                self.folder.remove(&[format!("{}{TERMS}", self.pending)])?;
                let _ = fs::remove_dir_all(&self.staging);
                return Ok(manifest);
            }
        }
        Err(DataSetError::Contended(place))
    }

    /// Waits for what is on its way.
    pub(crate) fn wait_for_all(&mut self) -> Result<(), DataSetError> {
        while !self.sending.is_empty() {
            self.wait()?;
        }
        Ok(())
    }

    fn wait(&mut self) -> Result<(), DataSetError> {
        let waited = self.sending.pop_front().map_or(Ok(()), |sending| self.folder.wait(sending));
        if waited.is_err() {
            // What comes after the first fault is not waited for: the store had its time.
            self.sending.clear();
        }
        Ok(waited?)
    }

    /// Writes the terms before the first unit, and looks for others after it: of two runs that begin at once, one sees the other.
    fn write_terms(&mut self, terms: &Terms) -> Result<(), DataSetError> {
        if !self.has_terms {
            let object = self.json(terms)?;
            self.folder.write(&format!("{}{TERMS}", self.pending), &object.into(), &Condition::Always)?;
            refuse_others(&self.folder, terms, &self.folder.list()?)?;
            self.has_terms = true;
        }
        Ok(())
    }

    fn json(&self, value: &impl Serialize) -> Result<Vec<u8>, DataSetError> {
        serde_json::to_vec(value).map_err(|error| DataSetError::Io { path: self.staging.clone(), source: error.into() })
    }
}
