//! A data set as it was made, compared with what is computed again.

use std::{
    fs::{self, File},
    io::{self, BufReader, Read as _},
    path::{Path, PathBuf},
};

use refiner_config::Values;
use refiner_data_set::{DataSetError, FileEntry, LOG, MANIFEST_BYTES_MAX, Manifest, Unit};
use refiner_diagnostics::Failure;
use refiner_remote_files::{StoreFolder, is_url};

use super::finding::{Finding, Values as Differing};
use crate::run::remote_files;

/// Bytes that are compared at once.
const BUFFER_BYTES: usize = 256 << 10;
/// The copy of a file of a store, beside what is computed.
const COPY: &str = "_copy";

/// The data set as it was made.
pub enum Made {
    Directory(PathBuf),
    Store {
        folder: StoreFolder,
        /// The manifest's name in it.
        name: String,
    },
}

impl Made {
    /// The data set of a manifest, by its path or URL.
    pub fn at(manifest: &Path, settings: &Values) -> Result<Self, Failure> {
        let Some(url) = manifest.to_str().filter(|manifest| is_url(manifest)) else {
            return Ok(Self::Directory(manifest.parent().unwrap_or(Path::new("")).to_owned()));
        };
        let (folder, name) = url.rsplit_once('/').unwrap_or((url, ""));
        Ok(Self::Store { folder: remote_files(settings).folder(folder)?, name: name.to_owned() })
    }

    /// The directory, where a run has not finished the data set.
    pub fn unfinished(&self) -> Option<PathBuf> {
        match self {
            Self::Directory(directory) => directory.join(LOG).exists().then(|| directory.clone()),
            Self::Store { .. } => None,
        }
    }

    pub fn manifest(&self, path: &Path) -> Result<Option<Manifest>, DataSetError> {
        match self {
            Self::Directory(_) => Manifest::read(path),
            Self::Store { folder, name } => {
                let read = folder.read(name, MANIFEST_BYTES_MAX)?;
                read.map(|(text, _)| Manifest::parse(path, &text)).transpose()
            }
        }
    }
}

/// Counts of equal units and files.
#[derive(Default)]
pub struct Compared {
    pub units: u64,
    pub files: u64,
    /// The options give conditions of verdicts.
    pub has_conditions: bool,
    /// Units with conditions, where they do not.
    pub without_conditions: u64,
}

impl Compared {
    /// The first difference of a unit. The files that were computed are removed.
    pub fn unit(
        &mut self,
        stated: &Unit,
        computed: &Unit,
        made: &Made,
        place: &Path,
    ) -> Result<Option<Finding>, DataSetError> {
        let Unit { chain_id, first, last, .. } = *stated;
        if computed.specimens.len() < stated.specimens.len() {
            // One of them is unusable, or a run failed on this machine: the exit code tells, and the unit is not among the same.
            computed.files.iter().for_each(|file| drop(fs::remove_file(place.join(&file.path))));
            return Ok(None);
        }
        if (chain_id, first, last) != (computed.chain_id, computed.first, computed.last) {
            return Ok(Some(Finding::Heights { chain_id, first, last }));
        }
        let mut specimens = stated.specimens.iter().zip(&computed.specimens);
        if let Some((stated, computed)) = specimens.find(|(stated, computed)| stated != computed) {
            let values = Differing::of_specimens(stated, computed);
            return Ok(Some(Finding::Specimen { chain_id, height: stated.height, values }));
        }
        if stated.verdicts != computed.verdicts {
            return Ok(Some(Finding::Verdicts { chain_id, first, last }));
        }
        if stated.conditions != computed.conditions {
            // Without verdicts there is nothing that conditions could be of.
            if self.has_conditions || stated.verdicts.is_empty() {
                let values = Differing::of_conditions(stated, computed);
                return Ok(Some(Finding::Conditions { chain_id, first, last, values }));
            }
            self.without_conditions += 1;
        }
        let names = |unit: &Unit| unit.files.iter().map(|file| file.path.clone()).collect::<Vec<_>>();
        if names(stated) != names(computed) {
            return Ok(Some(Finding::Files { chain_id, first, last }));
        }
        for (stated, computed) in stated.files.iter().zip(&computed.files) {
            if let Some(finding) = file(stated, computed, made, place)? {
                return Ok(Some(finding));
            }
            self.files += 1;
        }
        self.units += 1;
        Ok(None)
    }
}

fn file(stated: &FileEntry, computed: &FileEntry, made: &Made, place: &Path) -> Result<Option<Finding>, DataSetError> {
    let again = place.join(&computed.path);
    let name = || stated.path.clone();
    if stated != computed {
        return Ok(Some(Finding::Stated { path: name(), values: Differing::of_files(stated, computed) }));
    }
    let path = match made {
        Made::Directory(directory) => directory.join(&stated.path),
        Made::Store { folder, .. } => {
            let copy = place.join(COPY);
            if !folder.fetch(&stated.path, &copy)? {
                return Ok(Some(Finding::Absent { path: name() }));
            }
            copy
        }
    };
    // A pipe would be waited for.
    if fs::metadata(&path).is_ok_and(|meta| !meta.is_file()) {
        return Ok(Some(Finding::NotAFile { path: name() }));
    }
    let differs = match first_difference(&path, &again) {
        Ok(differs) => differs,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Some(Finding::Absent { path: name() })),
        Err(source) => return Err(DataSetError::Io { path, source }),
    };
    // Temporary, so what cannot be removed now goes with its directory.
    let _ = fs::remove_file(&again);
    let is_text = [".csv", ".ndjson", ".json"].iter().any(|end| stated.path.ends_with(end));
    Ok(differs.map(|(at, line)| Finding::Bytes { path: name(), at, line: is_text.then_some(line) }))
}

/// The first byte in which two files differ, counted from 0, and its line, counted from 1.
fn first_difference(one: &Path, other: &Path) -> io::Result<Option<(u64, u64)>> {
    let open = |path| Ok::<_, io::Error>(BufReader::with_capacity(BUFFER_BYTES, File::open(path)?).bytes());
    let (mut one, mut other) = (open(one)?, open(other)?);
    let (mut at, mut line) = (0, 1);
    loop {
        let (left, right) = (one.next().transpose()?, other.next().transpose()?);
        match (left, right) {
            (None, None) => return Ok(None),
            (Some(left), Some(right)) if left == right => {
                at += 1;
                line += u64::from(left == b'\n');
            }
            _ => return Ok(Some((at, line))),
        }
    }
}
