//! Compiled code on disk.
//!
//! A file is 8 bytes `RFNCODE1`, sha256 of the code (32 bytes), and the code to the end. Its name is the component's sha256
//! and the engine's compatibility hash, `<64 hex>-<64 hex>.code`. The directory belongs to the user alone: who can write to it
//! can make the workers run anything.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use alloy_primitives::{B256, Bytes, hex};
use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use refiner_directory_cache::{DirectoryCache, Durability};
use refiner_specimen::sha256;
use rustix::{fs::OFlags, process::geteuid};
use tracing::warn;

use crate::CODE_BYTES_MAX;

/// First bytes of a file, its version included.
const MAGIC: &[u8; 8] = b"RFNCODE1";
/// Magic and hash.
const HEADER_BYTES: usize = 40;
/// Bytes of all files together; the oldest go when a new one does not fit. Some hundred rules.
const CACHE_BYTES_MAX: u64 = 2 << 30;
/// Access for the owner only.
const DIRECTORY_MODE: u32 = 0o700;
/// Any access for others.
const OTHERS: u32 = 0o077;

/// A directory of compiled code.
#[derive(Debug)]
pub struct CodeCache {
    files: DirectoryCache,
}

/// A directory that code is not loaded from.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// It cannot be made or looked at.
    #[error("cannot use the code cache {path}: {error}")]
    Io {
        /// Path of the file or directory.
        path: PathBuf,
        /// The cause of the failure.
        #[source]
        error: io::Error,
    },
    /// A link, or no directory.
    #[error("the code cache {path} is not a directory")]
    NotADirectory {
        /// Path of the file or directory.
        path: PathBuf,
    },
    /// The file belongs to another user.
    #[error("the code cache {path} belongs to user {owner}, and this is user {user}")]
    Owner {
        /// Path of the file or directory.
        path: PathBuf,
        /// Whose.
        owner: u32,
        /// User id of this process.
        user: u32,
    },
    /// Open to others.
    #[error("the code cache {path} has mode {mode:o}, and only its owner may have access: chmod 700")]
    Mode {
        /// Path of the file or directory.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
}

impl Diagnostic for CacheError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Host
    }

    fn hint(&self) -> Option<Hint> {
        None
    }
}

/// The key of compiled code in the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeKey {
    /// sha256 of the component.
    pub component: B256,
    /// Name of the code that an engine makes and loads: a child states it, and so does the sandbox of a process that has one.
    pub compatibility: B256,
}

impl CodeCache {
    /// Opens a directory, made if it is not there, and refuses one that others could write to or that is a link.
    pub fn open(directory: impl Into<PathBuf>) -> Result<Self, CacheError> {
        let path = directory.into();
        let failed = |error| CacheError::Io { path: path.clone(), error };
        match DirBuilder::new().mode(DIRECTORY_MODE).create(&path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(error)),
            _ => {}
        }
        let found = fs::symlink_metadata(&path).map_err(failed)?;
        let (owner, user, mode) = (found.uid(), geteuid().as_raw(), found.mode() & 0o7777);
        if !found.is_dir() {
            return Err(CacheError::NotADirectory { path });
        }
        if owner != user {
            return Err(CacheError::Owner { path, owner, user });
        }
        if mode & OTHERS != 0 {
            return Err(CacheError::Mode { path, mode });
        }
        Ok(Self { files: DirectoryCache::new(path, CACHE_BYTES_MAX) })
    }

    /// The code, if it is there and whole. A file that is neither is removed.
    pub fn get(&self, key: &CodeKey) -> Option<Bytes> {
        let path = self.path(key);
        match read(&path) {
            Ok(code) => Some(code),
            Err(Unreadable::Io(error)) if error.kind() == io::ErrorKind::NotFound => None,
            Err(reason) => {
                warn!(path = %path.display(), %reason, "kept code cannot be used, compiled again");
                // What cannot be removed is replaced by the next `put`.
                let _ = fs::remove_file(&path);
                None
            }
        }
    }

    /// Keeps code. The file appears under its name when it is whole.
    pub fn put(&self, key: &CodeKey, code: &[u8]) -> io::Result<()> {
        self.files.put(&file_name(key), Durability::Bytes, |file| write(file, code))
    }

    fn path(&self, key: &CodeKey) -> PathBuf {
        self.files.path(&file_name(key))
    }
}

fn file_name(key: &CodeKey) -> String {
    format!("{}-{}.code", hex::encode(key.component), hex::encode(key.compatibility))
}

/// Reasons why a cached file is no code.
#[derive(Debug, thiserror::Error)]
enum Unreadable {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("not a file of this user alone")]
    NotOurs,
    #[error("{0} bytes")]
    Length(u64),
    #[error("not of this format")]
    Magic,
    #[error("another sha256 than stated")]
    Hash,
}

fn read(path: &Path) -> Result<Bytes, Unreadable> {
    let no_link = OFlags::NOFOLLOW.bits().cast_signed();
    let mut file = OpenOptions::new().read(true).custom_flags(no_link).open(path)?;
    let found = file.metadata()?;
    if !found.is_file() || found.uid() != geteuid().as_raw() || found.mode() & OTHERS != 0 {
        return Err(Unreadable::NotOurs);
    }
    if found.len() < HEADER_BYTES as u64 || found.len() > CODE_BYTES_MAX {
        return Err(Unreadable::Length(found.len()));
    }
    let mut header = [0; HEADER_BYTES];
    file.read_exact(&mut header)?;
    let (magic, hash) = header.split_at(MAGIC.len());
    if magic != MAGIC {
        return Err(Unreadable::Magic);
    }
    let mut code = Vec::new();
    file.take(CODE_BYTES_MAX).read_to_end(&mut code)?;
    if sha256(&code)[..] != *hash {
        return Err(Unreadable::Hash);
    }
    Ok(code.into())
}

fn write(file: &mut File, code: &[u8]) -> io::Result<()> {
    file.write_all(MAGIC)?;
    file.write_all(sha256(code).as_slice())?;
    file.write_all(code)
}
