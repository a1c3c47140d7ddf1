//! Walks through directories that end: each is entered once, whatever links lead to it.

use std::{
    collections::{BTreeMap, HashSet},
    ffi::{OsStr, OsString},
    fs, io,
    os::unix::{ffi::OsStrExt as _, fs::MetadataExt as _},
    path::{Component, Path, PathBuf},
};

use glob::{Pattern, PatternError};

use super::{
    Input, InputError,
    limits::{DEPTH_MAX, NAMES_MAX},
};

/// The number of the error of a link that leads in a circle (`ELOOP` of Linux), which has no stable name in the standard library.
const TOO_MANY_LINKS: i32 = 40;

/// A component of a pattern.
#[derive(Debug)]
pub(super) enum Step {
    /// `**`: any number of directories.
    AnyDirectories,
    /// Names that match.
    Matching(Pattern),
    /// One name.
    Name(OsString),
    /// Files that are called as specimens are.
    SpecimenName,
}

impl Step {
    /// Splits a pattern into the directory that it begins in, and the steps from there.
    pub(super) fn of_pattern(pattern: &OsStr) -> Result<(PathBuf, Vec<Self>), PatternError> {
        Pattern::new(&pattern.to_string_lossy())?;
        let mut base = PathBuf::new();
        let mut steps = Vec::new();
        for component in Path::new(pattern).components() {
            let name = component.as_os_str();
            let is_pattern = matches!(component, Component::Normal(_)) && has_wildcard(name);
            match is_pattern {
                false if steps.is_empty() => base.push(component),
                false => steps.push(Self::Name(name.to_owned())),
                true if name == "**" => steps.push(Self::AnyDirectories),
                true => steps.push(Self::Matching(Pattern::new(&name.to_string_lossy())?)),
            }
        }
        if base.as_os_str().is_empty() {
            base.push(".");
        }
        Ok((base, steps))
    }

    /// True when an entry of a directory is one that the step means.
    fn takes(&self, name: &OsStr) -> bool {
        match self {
            Self::AnyDirectories => true,
            Self::Matching(pattern) => pattern.matches(&name.to_string_lossy()),
            Self::Name(own) => own == name,
            Self::SpecimenName => is_specimen_name(name),
        }
    }
}

fn has_wildcard(name: &OsStr) -> bool {
    name.as_bytes().iter().any(|byte| b"*?[".contains(byte))
}

/// True when a file is called as specimens are: `*.avro` in any case, also compressed, or without ending as the network writes them,
/// `1-17090940-replica-0x…`, or as a content id.
pub fn is_specimen_name(name: &OsStr) -> bool {
    let name = name.as_bytes().to_ascii_lowercase();
    let plain = [&b".gz"[..], b".zst"].iter().find_map(|end| name.strip_suffix(*end)).unwrap_or(&name);
    plain.ends_with(b".avro") || is_network_name(plain) || is_content_id(plain)
}

/// `chain-height`, or `chain-height-…` without a point.
fn is_network_name(name: &[u8]) -> bool {
    let mut parts = name.splitn(3, |byte| *byte == b'-');
    let is_number =
        |part: Option<&[u8]>| part.is_some_and(|part| !part.is_empty() && part.iter().all(u8::is_ascii_digit));
    is_number(parts.next()) && is_number(parts.next()) && !name.contains(&b'.')
}

/// The two forms in which content of the network is named.
fn is_content_id(name: &[u8]) -> bool {
    let form = (name.starts_with(b"qm") && name.len() == 46) || (name.starts_with(b"baf") && name.len() >= 59);
    form && name.iter().all(u8::is_ascii_alphanumeric)
}

/// One walk.
#[derive(Default)]
pub(super) struct Walk {
    files: Vec<PathBuf>,
    /// One error of a name, whatever number of steps led to it.
    refused: BTreeMap<PathBuf, InputError>,
    /// Directories with the steps that are left in them.
    entered: HashSet<(u64, u64, usize)>,
    /// Links to directories: they come after all real ones, so that a file is known by its real name.
    links: Vec<(PathBuf, usize, usize)>,
    names: usize,
}

impl Walk {
    /// The files that steps lead to, in name order, and the directories that could not be read.
    pub(super) fn files(base: &Path, steps: &[Step]) -> Result<(Vec<PathBuf>, Vec<InputError>), InputError> {
        let mut walk = Self::default();
        walk.enter(base, steps, 0)?;
        while let Some((path, left, depth)) = walk.links.pop() {
            walk.enter(&path, &steps[steps.len() - left..], depth)?;
        }
        walk.files.sort();
        walk.files.dedup();
        Ok((walk.files, walk.refused.into_values().collect()))
    }

    fn enter(&mut self, directory: &Path, steps: &[Step], depth: usize) -> Result<(), InputError> {
        let Some((step, rest)) = steps.split_first() else { return Ok(()) };
        let meta = match fs::metadata(directory) {
            Ok(meta) => meta,
            // A pattern may begin where nothing is, and matches no file.
            Err(error) if depth == 0 && leads_nowhere(&error) => return Ok(()),
            Err(source) => return self.refuse(directory, source),
        };
        if !meta.is_dir() || self.entered.contains(&(meta.dev(), meta.ino(), steps.len())) {
            return Ok(());
        }
        if depth > DEPTH_MAX {
            self.refused.insert(directory.to_owned(), InputError::TooDeep { directory: directory.to_owned() });
            return Ok(());
        }
        self.entered.insert((meta.dev(), meta.ino(), steps.len()));
        if matches!(step, Step::AnyDirectories) && rest.is_empty() {
            return Ok(());
        }
        if matches!(step, Step::AnyDirectories) {
            self.enter(directory, rest, depth)?;
        }
        let entries = match fs::read_dir(directory) {
            Ok(entries) => entries,
            Err(source) => return self.refuse(directory, source),
        };
        for entry in entries {
            let entry = match entry {
                Ok(entry) => entry,
                Err(source) => return self.refuse(directory, source),
            };
            self.names += 1;
            if self.names > NAMES_MAX {
                return Err(InputError::TooManyNames { directory: directory.to_owned() });
            }
            if step.takes(&entry.file_name()) {
                self.entry(&entry, step, steps, depth)?;
            }
        }
        Ok(())
    }

    fn entry(&mut self, entry: &fs::DirEntry, step: &Step, steps: &[Step], depth: usize) -> Result<(), InputError> {
        let path = entry.path();
        let kind = match entry.file_type() {
            Ok(kind) => kind,
            Err(source) => return self.refuse(&path, source),
        };
        let left = if matches!(step, Step::AnyDirectories) { steps } else { &steps[1..] };
        let target = match kind.is_symlink().then(|| fs::metadata(&path)) {
            None => kind,
            Some(Ok(target)) => target.file_type(),
            Some(Err(error)) if leads_nowhere(&error) => return Ok(()),
            Some(Err(source)) => return self.refuse(&path, source),
        };
        if left.is_empty() {
            if target.is_file() {
                self.files.push(path);
            }
        } else if kind.is_dir() {
            self.enter(&path, left, depth + 1)?;
        } else if target.is_dir() {
            self.links.push((path, left.len(), depth + 1));
        }
        Ok(())
    }

    /// Keeps the error of a name that is not walked into, so that the others are.
    fn refuse(&mut self, path: &Path, source: io::Error) -> Result<(), InputError> {
        self.refused.insert(path.to_owned(), InputError::Read { input: Input::File(path.to_owned()), source });
        Ok(())
    }
}

/// True for the errors of a name behind which nothing is: a link may have lost its file, or lead in a circle.
fn leads_nowhere(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
        || error.raw_os_error() == Some(TOO_MANY_LINKS)
}
