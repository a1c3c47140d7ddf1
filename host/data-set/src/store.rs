//! A data set in an object store: an object for each unit decides about its files, until the manifest has it.
//!
//! Runs of the same terms can write at once: what they write is the same bytes, and the one that writes the manifest later takes in
//! what the others have. Objects of units are below the digest of their terms, by which runs of other terms find each other. Their names
//! have the heights of all blocks in a digest: units of which only some blocks are the same do not take each other's place unseen.

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    fs::{self, File},
    path::{Path, PathBuf},
};

use alloy_primitives::hex;
use refiner_remote_files::{Condition, Mark, Sending, StoreFolder};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::{
    DataSetError, Difference, FileEntry, Manifest, Staging, Standing, Terms, Unit,
    directory::lock,
    error::MANIFEST_BYTES_MAX,
    manifest::MANIFEST,
    unit::{DIGEST_BYTES, UnitKey},
};

/// Objects that lead to the manifest: below it the digest of their terms, and there the terms and the units.
const PENDING: &str = "_manifest/";
const TERMS: &str = "terms.json";
const UNITS: &str = "units/";
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
    sending: VecDeque<(UnitKey, Sending)>,
    /// Units of this run, each with a digest of its object.
    committed: BTreeMap<UnitKey, [u8; 32]>,
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
    /// Paths of the objects of units that were read.
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
        let units = listed.iter().map(|(path, _)| path).filter(|path| path.starts_with(&own)).cloned();
        let mut units: Vec<_> = units.collect();
        // Those of earlier builds first: what took the place of one comes after it.
        units.sort_by_cached_key(|path| (has_digest(path), path.clone()));
        let (mut read, mut pending) = (Vec::new(), Vec::new());
        for (path, unit) in units.iter().zip(folder.read_all(&units, UNIT_BYTES_MAX)?) {
            // One that is gone is in a manifest that another run has written meanwhile.
            let Some(unit) = unit else { continue };
            let malformed = |source| DataSetError::Malformed { path: place.join(path), source };
            pending.push(serde_json::from_slice(&unit).map_err(malformed)?);
            read.push(path.clone());
        }
        let mut groups = Vec::new();
        if let Some((text, _)) = &manifest {
            let Manifest { terms, units, .. } = Manifest::parse(&place.join(MANIFEST), text)?;
            groups.push((terms, units));
        }
        groups.push((terms.clone(), pending));
        let standing = Standing::of_units(place, terms, groups)?;
        let lengths: HashMap<_, _> = listed.into_iter().collect();
        let is_listed = |path: &str, bytes| lengths.get(path) == Some(&bytes);
        let unlisted = there_unlisted(folder, &standing, is_listed)?;
        let standing = standing.without_damage(place, |path, bytes| is_listed(path, bytes) || unlisted.contains(path));
        if let Some((chain_id, height)) = standing.doubled() {
            return Err(DataSetError::Doubled { place: place.to_owned(), chain_id, height });
        }
        Ok(Self { standing, manifest: manifest.map(|(text, mark)| (text.into(), mark)), units: read })
    }
}

/// The files of units that are there, and that the listing does not have: one of several pages is no snapshot, and another run can have
/// written files after their page and the object of their unit before its own.
fn there_unlisted(
    folder: &StoreFolder,
    standing: &Standing,
    is_listed: impl Fn(&str, u64) -> bool,
) -> Result<HashSet<String>, DataSetError> {
    let missing = |unit: &Unit| -> Vec<FileEntry> {
        unit.files.iter().filter(|file| !is_listed(&file.path, file.bytes)).cloned().collect()
    };
    let there = |asked: Vec<FileEntry>| -> Result<HashSet<String>, DataSetError> {
        let paths: Vec<_> = asked.iter().map(|file| file.path.clone()).collect();
        let lengths = folder.lengths(&paths)?;
        let found = asked.into_iter().zip(lengths).filter(|(file, length)| *length == Some(file.bytes));
        Ok(found.map(|(file, _)| file.path).collect())
    };
    // One file of each unit, and the others where that one is there: of a unit whose files were removed one request tells all.
    let missing: Vec<_> = standing.units().map(missing).filter(|files| !files.is_empty()).collect();
    let mut found = there(missing.iter().filter_map(|files| files.first()).cloned().collect())?;
    let others = missing.into_iter().filter(|files| found.contains(&files[0].path));
    found.extend(there(others.flat_map(|files| files.into_iter().skip(1)).collect())?);
    Ok(found)
}

/// The name of the object of a unit.
fn name(UnitKey { chain_id, first, last, heights }: &UnitKey) -> String {
    format!("{chain_id}-{first:020}-{last:020}-{}.json", hex::encode(heights))
}

/// False for the name of an object of an earlier build, `<chain>-<first>.json`.
fn has_digest(path: &str) -> bool {
    path.rsplit('/').next().unwrap_or_default().split('-').count() > 2
}

/// The prefix of objects of these terms.
fn prefix(terms: &Terms) -> String {
    let digest = Sha256::digest(serde_json::to_vec(terms).unwrap_or_default());
    format!("{PENDING}{}/", hex::encode(&digest[..DIGEST_BYTES]))
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
        let (sending, committed) = (VecDeque::new(), BTreeMap::new());
        let store = Self { folder, pending, staging, sending, committed, has_terms: false, _lock: lock };
        Ok((store, standing))
    }

    pub(crate) fn staging(&self) -> Staging {
        Staging { root: self.staging.clone() }
    }

    /// Sends the files of a unit, and its object after them. Where `replaces`, there can be an object of the same blocks; otherwise one
    /// with other bytes is of a run over these blocks at the same time.
    pub(crate) fn commit(&mut self, terms: &Terms, unit: &Unit, replaces: bool) -> Result<(), DataSetError> {
        self.write_terms(terms)?;
        while self.sending.len() >= SENDING_MAX {
            self.wait()?;
        }
        let object = self.json(unit)?;
        let key = unit.key();
        self.committed.insert(key, Sha256::digest(&object).into());
        let path = format!("{}{UNITS}{}", self.pending, name(&key));
        let staging = self.staging();
        let files = unit.files.iter().map(|file| (staging.path(&file.path), file.path.clone())).collect();
        let condition = if replaces { Condition::Always } else { Condition::New };
        self.sending.push_back((key, self.folder.send(files, (path, object.into()), condition)));
        Ok(())
    }

    /// Waits for what is on its way, and writes the manifest. Another run may have written one since this one `opened` the data set.
    pub(crate) fn finish(mut self, terms: &Terms, opened: &Standing) -> Result<Manifest, DataSetError> {
        self.wait_for_all()?;
        let place = PathBuf::from(self.folder.name());
        let mut lacked = None;
        for _ in 0..ATTEMPTS_MAX {
            let Found { standing, manifest: there, units } = Found::read(&self.folder, terms)?;
            if let Some((chain_id, height)) = standing.overwritten_since(opened) {
                return Err(DataSetError::Doubled { place, chain_id, height });
            }
            if let Some(key) = self.lacking(&standing)? {
                let UnitKey { chain_id, first, last, .. } = key;
                if lacked == Some(key) {
                    return Err(DataSetError::Lost { place, chain_id, first, last });
                }
                // Its object may have gone into a manifest that is newer than the one that was read.
                lacked = Some(key);
                continue;
            }
            let (in_manifest, left_over) = standing.into_manifest();
            let manifest = Manifest::of(terms.clone(), in_manifest);
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

    /// A unit of this run that is not there as it was committed.
    fn lacking(&self, standing: &Standing) -> Result<Option<UnitKey>, DataSetError> {
        for (key, digest) in &self.committed {
            let there = standing.whole(key).map(|unit| self.json(unit)).transpose()?;
            if there.is_none_or(|there| <[u8; 32]>::from(Sha256::digest(there)) != *digest) {
                return Ok(Some(*key));
            }
        }
        Ok(None)
    }

    /// Waits for what is on its way.
    pub(crate) fn wait_for_all(&mut self) -> Result<(), DataSetError> {
        while !self.sending.is_empty() {
            self.wait()?;
        }
        Ok(())
    }

    fn wait(&mut self) -> Result<(), DataSetError> {
        let Some((key, sending)) = self.sending.pop_front() else { return Ok(()) };
        let doubled =
            || DataSetError::Doubled { place: self.folder.name().into(), chain_id: key.chain_id, height: key.first };
        let waited = self.folder.wait(sending).map_err(DataSetError::from);
        let waited = waited.and_then(|is_there| is_there.then_some(()).ok_or_else(doubled));
        if waited.is_err() {
            // What comes after the first fault is not waited for: the store had its time.
            self.sending.clear();
        }
        waited
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
