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

use std::{
    fs, io,
    io::Read as _,
    path::{Path, PathBuf},
};

use refiner_atomic_file::{Durability, Terms};
use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use serde::{Deserialize, Serialize};

use crate::Sha256;

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
    /// In order of source.
    rules: Vec<Locked>,
}

/// The resolution of one source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Locked {
    /// The source without its pin.
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
        let mut lock = Self::default();
        written.rules.into_iter().for_each(|rule| lock.set(rule));
        Ok(lock)
    }

    /// Writes the lock; it is there whole or as it was.
    pub fn write(&self, path: &Path) -> Result<(), LockError> {
        let text = toml::to_string(&Written { version: VERSION, rules: self.rules.clone() })?;
        let whole = format!("{HEADER}{text}");
        let terms = Terms { durability: Durability::Bytes, ..Terms::ORDINARY };
        refiner_atomic_file::write(path, whole.as_bytes(), &terms)
            .map_err(|source| LockError::Io { path: path.to_owned(), source })
    }

    /// The resolution of a source.
    pub fn get(&self, unpinned: &str) -> Option<&Locked> {
        self.rules.iter().find(|rule| rule.source == unpinned)
    }

    /// Adds what a source was resolved to, in place of what it was before.
    pub fn set(&mut self, rule: Locked) {
        self.rules.retain(|other| other.source != rule.source);
        let position = self.rules.partition_point(|other| other.source < rule.source);
        self.rules.insert(position, rule);
    }
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
        let mut lock = Lock::default();
        lock.set(locked("b", b"1"));
        lock.set(Locked { manifest_sha256: Some(Sha256::of(b"manifest")), ..locked("a", b"2") });
        lock.set(locked("b", b"3"));
        lock.write(&path).expect("the directory is there");
        assert_eq!(Lock::read(&path).expect("it was written"), lock);
        assert_eq!(lock.get("b").map(|rule| rule.sha256), Some(Sha256::of(b"3")));
        let text = fs::read_to_string(&path).expect("it was written");
        assert!(text.find("\"a\"") < text.find("\"b\""), "{text}");
        assert_eq!(fs::read_dir(directory.path()).expect("it is there").count(), 1);
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
