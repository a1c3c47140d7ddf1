//! `rules.lock`: what sources were resolved to.
//!
//! ```toml
//! version = 1
//!
//! [[rule]]
//! source = "oci://ghcr.io/owner/rule:1.0.0"
//! resolved = "oci://ghcr.io/owner/rule:1.0.0@sha256:<manifest digest>"
//! sha256 = "<of the component>"
//! bytes = 26112
//! # Only for a component whose manifest lies beside it:
//! manifest-sha256 = "<of the manifest>"
//! ```
//!
//! Rules stand in order of their source, so that two people's changes merge.
//!
//! A file is one source however its path is spelled. Its name here is relative to the directory of the lock where it lies below it or was typed
//! as a relative path, and absolute otherwise. Locks of earlier versions have paths as they were typed, relative to the working directory: they
//! hold too.
//!
//! `source` and `resolved` have the query of a URL as it was typed, because a source is looked up by it: a token in it is readable by everybody who
//! can read the lock. Messages show `?…` in its place.

use std::{
    fs, io,
    io::Read as _,
    path::{Path, PathBuf},
};

use refiner_atomic_file::{Durability, Terms, directory_of, followed, write_through};
use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use serde::{Deserialize, Serialize};

use crate::{RuleSource, Sha256, place};

/// The name of the lock, in the directory where the program is started.
pub const LOCK_FILE: &str = "rules.lock";

/// The version of the format that is written and read.
const VERSION: u32 = 1;
/// Longest lock. A rule takes some 400 bytes.
const LOCK_BYTES_MAX: u64 = 1 << 20;

const HEADER: &str =
    "# What rules were resolved to. Written by `refiner rule lock`; keep it with your configuration.\n";

/// The resolved sources of a project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    /// The directory that paths are relative to, from the root.
    directory: PathBuf,
    /// In order of source.
    rules: Vec<Locked>,
}

/// The resolution of one source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Locked {
    /// The source without its pin, a query included.
    pub source: String,
    /// The source with its pin.
    pub resolved: String,
    /// sha256 of the component.
    pub sha256: Sha256,
    /// Bytes of the component.
    pub bytes: u64,
    /// sha256 of the manifest beside it, where it holds none itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manifest_sha256: Option<Sha256>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    version: u32,
    #[serde(default, rename = "rule")]
    rules: Vec<Locked>,
}

/// Errors of reading and writing the lock.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// It cannot be read or written.
    #[error("{}: {source}", .path.display())]
    Io {
        /// Path of the file or directory.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// More bytes than a lock has.
    #[error("{} has more than {LOCK_BYTES_MAX} bytes", .0.display())]
    TooLarge(PathBuf),
    /// Not a lock.
    #[error("{}: {source}", .path.display())]
    Syntax {
        /// Path of the file or directory.
        path: PathBuf,
        /// The cause of the failure.
        source: toml::de::Error,
    },
    /// A version that another program reads.
    #[error("{} has version {found}, and this program reads version {VERSION}", .path.display())]
    Version {
        /// Path of the file or directory.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// It cannot be put into words.
    #[error("the lock cannot be written as TOML")]
    Unwritable(#[from] toml::ser::Error),
}

impl Diagnostic for LockError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }

    fn hint(&self) -> Option<Hint> {
        match self {
            Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                Some("`refiner rule lock RULE...` writes it".into())
            }
            // `rule lock` reads the file as well before it writes one.
            Self::Io { path, source } if source.kind() == io::ErrorKind::InvalidData => Some(anew(path)),
            Self::TooLarge(path) | Self::Syntax { path, .. } | Self::Version { path, .. } => Some(anew(path)),
            Self::Io { .. } | Self::Unwritable(_) => None,
        }
    }
}

fn anew(path: &Path) -> Hint {
    format!("move {} away, then `refiner rule lock RULE...` writes a new one", path.display()).into()
}

impl Lock {
    /// Reads a lock. A file that is not there is an error: who named it relies on it.
    pub fn read(path: &Path) -> Result<Self, LockError> {
        let refuse = |source| LockError::Io { path: path.to_owned(), source };
        let mut text = String::new();
        let taken = fs::File::open(path).map_err(refuse)?.take(LOCK_BYTES_MAX + 1).read_to_string(&mut text);
        if taken.map_err(refuse)? as u64 > LOCK_BYTES_MAX {
            return Err(LockError::TooLarge(path.to_owned()));
        }
        let written: Written =
            toml::from_str(&text).map_err(|source| LockError::Syntax { path: path.to_owned(), source })?;
        if written.version != VERSION {
            return Err(LockError::Version { path: path.to_owned(), found: written.version });
        }
        let mut lock = Self::empty(path);
        written.rules.into_iter().for_each(|rule| lock.insert(rule));
        Ok(lock)
    }

    /// The lock in a file, or one without rules where no file is there.
    pub fn read_or_empty(path: &Path) -> Result<Self, LockError> {
        if path.exists() { Self::read(path) } else { Ok(Self::empty(path)) }
    }

    /// A lock without rules, for a file.
    pub fn empty(path: &Path) -> Self {
        Self { directory: place::absolute(Path::new(""), directory_of(path)), rules: Vec::new() }
    }

    /// Sets rules in the lock in a file, beside what other processes set meanwhile. Returns each as it was before and as it is now.
    pub fn update(path: &Path, rules: Vec<Locked>) -> Result<Vec<(Option<Locked>, Locked)>, LockError> {
        let refuse = |source| LockError::Io { path: path.to_owned(), source };
        // The file itself is replaced, so its directory is locked: that of the file which a link leads to, for all links to it.
        let directory = fs::File::open(directory_of(&followed(path).map_err(refuse)?)).map_err(refuse)?;
        // Some network file systems lock no directories. There, the second of two writes at the same moment undoes the first.
        let _ = directory.lock();
        let mut lock = Self::read_or_empty(path)?;
        let changes = rules.into_iter().map(|rule| lock.set(rule)).collect();
        lock.write(path)?;
        Ok(changes)
    }

    /// Writes the lock; it is there whole or as it was. A link stays one.
    pub fn write(&self, path: &Path) -> Result<(), LockError> {
        let text = toml::to_string(&Written { version: VERSION, rules: self.rules.clone() })?;
        let whole = format!("{HEADER}{text}");
        let terms = Terms { durability: Durability::Bytes, ..Terms::ORDINARY };
        write_through(path, whole.as_bytes(), &terms).map_err(|source| LockError::Io { path: path.to_owned(), source })
    }

    /// The resolution of a source. A file is found by any path that leads to it.
    pub fn get(&self, source: &RuleSource) -> Option<&Locked> {
        let RuleSource::File(path) = source else {
            let unpinned = source.unpinned();
            return self.rules.iter().find(|rule| rule.source == unpinned);
        };
        let working = Path::new("");
        let typed = place::absolute(working, path);
        let canonical = fs::canonicalize(path).ok();
        let leads_to = |place: &Path| canonical.is_some() && fs::canonicalize(place).ok() == canonical;
        // By its name first: where two links lead to one file, each has a resolution of its own.
        self.file(|rule| is_place(&typed, &self.directory, rule))
            .or_else(|| self.file(|rule| is_place(&typed, working, rule)))
            .or_else(|| self.file(|rule| leads_to(&self.directory.join(rule)) || leads_to(rule)))
    }

    /// The first rule that is a file whose path is one that is looked for.
    fn file(&self, is_meant: impl Fn(&Path) -> bool) -> Option<&Locked> {
        self.rules.iter().find(|rule| rule.is_file() && is_meant(Path::new(&rule.source)))
    }

    /// Sets what a source was resolved to, a path being one of the working directory. Returns what it was before and what it is now, by one name.
    pub fn set(&mut self, mut rule: Locked) -> (Option<Locked>, Locked) {
        if !rule.is_file() {
            let before = self.rules.iter().find(|other| other.source == rule.source).cloned();
            self.insert(rule.clone());
            return (before, rule);
        }
        let typed = place::absolute(Path::new(""), Path::new(&rule.source));
        rule.source = place::name(&self.directory, Path::new(&rule.source)).display().to_string();
        rule.resolved.clone_from(&rule.source);
        let is_same = |other: &Locked| other.is_file() && is_place(&typed, &self.directory, Path::new(&other.source));
        let before = self.rules.iter().find(|other| is_same(other)).cloned();
        let before =
            before.map(|before| Locked { source: rule.source.clone(), resolved: rule.resolved.clone(), ..before });
        self.rules.retain(|other| !is_same(other));
        self.insert(rule.clone());
        (before, rule)
    }

    fn insert(&mut self, rule: Locked) {
        self.rules.retain(|other| other.source != rule.source);
        let position = self.rules.partition_point(|other| other.source < rule.source);
        self.rules.insert(position, rule);
    }
}

impl Locked {
    fn is_file(&self) -> bool {
        !self.source.contains("://")
    }
}

/// True where a path of `directory` is this place, as texts: the lock has no other bytes than those of UTF-8.
fn is_place(place: &Path, directory: &Path, path: &Path) -> bool {
    place.to_string_lossy() == place::absolute(directory, path).to_string_lossy()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn locked(source: &str, content: &[u8]) -> Locked {
        Locked {
            source: source.to_owned(),
            resolved: source.to_owned(),
            sha256: Sha256::of(content),
            bytes: content.len() as u64,
            manifest_sha256: None,
        }
    }

    #[test]
    fn lock_reads_what_it_wrote_in_order_of_source() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join(LOCK_FILE);
        let mut lock = Lock::empty(&path);
        lock.set(locked("oci://b", b"1"));
        lock.set(Locked { manifest_sha256: Some(Sha256::of(b"manifest")), ..locked("oci://a", b"2") });
        let (before, now) = lock.set(locked("oci://b", b"3"));
        assert_eq!((before, now), (Some(locked("oci://b", b"1")), locked("oci://b", b"3")));
        lock.write(&path).expect("the directory is there");
        assert_eq!(Lock::read(&path).expect("it was written"), lock);
        let text = fs::read_to_string(&path).expect("it was written");
        assert!(text.find("\"oci://a\"") < text.find("\"oci://b\""), "{text}");
        assert_eq!(fs::read_dir(directory.path()).expect("it is there").count(), 1);
    }

    fn sha256_of(lock: &Lock, path: impl Into<PathBuf>) -> Option<Sha256> {
        lock.get(&RuleSource::File(path.into())).map(|rule| rule.sha256)
    }

    #[test]
    fn file_is_found_by_every_path_that_leads_to_it_and_has_one_entry() {
        let directory = tempfile::tempdir().expect("a directory");
        let at = |name: &str| directory.path().join(name);
        for name in ["a.wasm", "other.wasm"] {
            fs::write(at(name), name).expect("the directory is there");
        }
        std::os::unix::fs::symlink("a.wasm", at("link.wasm")).expect("the directory is there");
        let mut lock = Lock::empty(&at(LOCK_FILE));
        let set =
            |lock: &mut Lock, name: &str, content: &[u8]| lock.set(locked(&at(name).display().to_string(), content));
        set(&mut lock, "./a.wasm", b"1");
        let (before, now) = set(&mut lock, "b/../a.wasm", b"2");
        assert_eq!(before.map(|rule| rule.sha256), Some(Sha256::of(b"1")));
        assert_eq!((now.source.as_str(), now.resolved.as_str(), lock.rules.len()), ("a.wasm", "a.wasm", 1));
        for name in ["a.wasm", "./a.wasm", "b/../a.wasm", "link.wasm"] {
            assert_eq!(sha256_of(&lock, at(name)), Some(Sha256::of(b"2")), "{name}");
        }
        assert_eq!(sha256_of(&lock, at("other.wasm")), None);
        // A link that is locked itself is not what it leads to today.
        set(&mut lock, "link.wasm", b"3");
        assert_eq!(sha256_of(&lock, at("link.wasm")), Some(Sha256::of(b"3")));
        assert_eq!(sha256_of(&lock, at("a.wasm")), Some(Sha256::of(b"2")));
    }

    #[test]
    fn lock_of_an_earlier_version_holds_for_paths_as_they_were_typed() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join(LOCK_FILE);
        let mut earlier = Lock::empty(&path);
        earlier.insert(locked("./rules/../a.wasm", b"1"));
        earlier.write(&path).expect("the directory is there");
        let read = Lock::read(&path).expect("it was written");
        assert_eq!(sha256_of(&read, "a.wasm"), Some(Sha256::of(b"1")), "of the working directory");
        assert_eq!(
            sha256_of(&read, directory.path().join("a.wasm")),
            Some(Sha256::of(b"1")),
            "of the lock's directory"
        );
        assert_eq!(sha256_of(&read, "b.wasm"), None);
    }

    #[test]
    fn rules_set_at_the_same_time_are_all_in_the_file_that_a_link_leads_to() {
        let directory = tempfile::tempdir().expect("a directory");
        let (link, file) = (directory.path().join(LOCK_FILE), directory.path().join("shared.lock"));
        std::os::unix::fs::symlink("shared.lock", &link).expect("the directory is there");
        let start = std::sync::Barrier::new(8);
        std::thread::scope(|scope| {
            for number in 0..8 {
                let (link, start) = (&link, &start);
                scope.spawn(move || {
                    start.wait();
                    let changes = Lock::update(link, vec![locked(&format!("oci://{number}"), b"1")]).expect("written");
                    assert_eq!(changes, [(None, locked(&format!("oci://{number}"), b"1"))]);
                });
            }
        });
        assert_eq!(Lock::read(&file).expect("it was written").rules.len(), 8);
        assert!(fs::symlink_metadata(&link).expect("it is there").is_symlink());
    }

    #[test]
    fn file_that_is_no_lock_of_this_version_is_refused() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join(LOCK_FILE);
        let check = |text: &[u8], expected: &str| {
            fs::write(&path, text).expect("the directory is there");
            let error = Lock::read(&path).expect_err(expected);
            assert!(error.to_string().contains(expected), "{error}");
            // A hint that names a command alone would be of no use: the command reads this file first.
            let hint = error.hint().map(|hint| hint.to_string()).unwrap_or_default();
            assert!(hint.starts_with(&format!("move {} away, then `refiner rule lock", path.display())), "{hint}");
        };
        check(b"version = 2", "reads version 1");
        check(b"", "missing field `version`");
        check(b"version = 1\nrules = 3", "unknown field `rules`");
        check("#".repeat(1 << 20 | 1).as_bytes(), "more than");
        check(b"version = 1 # caf\xe9", "valid UTF-8");
        fs::write(&path, format!("version = 1\n{}", "#".repeat((1 << 20) - 12))).expect("the directory is there");
        Lock::read(&path).expect("a lock of the greatest length");
        fs::remove_file(&path).expect("it is there");
        let missing = Lock::read(&path).expect_err("it is not there");
        assert_eq!(
            missing.hint().map(|hint| hint.to_string()).as_deref(),
            Some("`refiner rule lock RULE...` writes it")
        );
    }
}
