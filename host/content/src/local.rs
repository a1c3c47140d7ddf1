//! Content in a directory.
//!
//! ```text
//! format         "refiner content store 1\n"
//! kept/<id>      the content, whole; the id is CIDv1 in base32, by the network's UnixFS profile
//! named/<id>     the id of the content that a DAS root names, or of which a block is a part, with the part's begin and end
//! partial/*      being written
//! aside/<id>.<n> found damaged
//! lock           empty; held alone while one file is pruned
//! ```
//!
//! Directories have mode 0700 and files 0600. A file is written under `partial`, synced, and renamed: it is under its final name whole or not at all. Several processes may
//! use one directory.

use std::{
    fs::{self, File},
    io::{self, Read, Seek as _},
    ops::Range,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use refiner_diagnostics::{Diagnostic, ExitCode, Hint};

use refiner_atomic_file::{Durability, Terms, directory_of};
use refiner_buffers::Buffers;
use refiner_permissions::{private_directory, private_file, tighten};

use crate::{
    Accept, Codec, Content, ContentId, ContentStore, FetchBackend, FetchError, KeepError, Origin,
    blocking::{Interrupt, blocking},
};

use self::memory::Memory;
pub use self::prune::{Pruned, Retention, Stored};

mod memory;
mod named;
mod prune;

const FORMAT: &str = "refiner content store 1\n";
/// Damaged files of one content that are kept for inspection.
const ASIDE_MAX: u32 = 8;

/// Content in a directory. Clones share it.
#[derive(Clone, Debug)]
pub struct LocalStore {
    root: Arc<Path>,
    origin: Origin,
    limit_bytes: usize,
    memory: Arc<Mutex<Memory>>,
}

/// Errors of opening a directory as a store.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It cannot be read or made.
    #[error("cannot open the content store {}", path.display())]
    File {
        /// The directory or a file in it.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Another version of this program wrote it.
    #[error("{} is not of format 1", path.display())]
    Format {
        /// Its `format` file.
        path: PathBuf,
    },
}

impl Diagnostic for OpenError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Host
    }

    fn hint(&self) -> Option<Hint> {
        None
    }
}

impl LocalStore {
    /// Opens the store in `root`, or makes one. Content above `limit_bytes` is neither kept nor read.
    ///
    /// # Errors
    ///
    /// [`OpenError`]
    pub fn open(root: impl AsRef<Path>, limit_bytes: usize) -> Result<Self, OpenError> {
        let root = root.as_ref();
        for path in ["", "kept", "named", "partial", "aside"].map(|name| root.join(name)) {
            private_directory(&path).map_err(|source| OpenError::File { path, source })?;
        }
        for path in [root.join("format"), root.join("lock")] {
            tighten(&path).map_err(|source| OpenError::File { path, source })?;
        }
        let store = Self { origin: Origin::of_path(root), root: root.into(), limit_bytes, memory: Arc::default() };
        let path = root.join("format");
        match fs::read(&path) {
            Ok(found) if found == FORMAT.as_bytes() => {}
            // Empty: the power went before the file was on the disk.
            Ok(found) if !found.is_empty() => return Err(OpenError::Format { path }),
            Err(source) if source.kind() != io::ErrorKind::NotFound => return Err(OpenError::File { path, source }),
            Ok(_) | Err(_) => {
                store.write_whole(&path, FORMAT.as_bytes()).map_err(|source| OpenError::File { path, source })?;
            }
        }
        Ok(store)
    }

    /// Gives memory for reading back to the system where nothing was read for `unused`. What is still looked at follows when it is dropped.
    pub fn release_memory(&self, unused: Duration) {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner).release(unused);
    }

    fn buffers(&self) -> Buffers {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner).lend()
    }

    /// Where content of this id is, or would be.
    #[must_use]
    pub fn path(&self, id: &ContentId) -> PathBuf {
        self.root.join("kept").join(id.to_string())
    }

    /// Length of content that is there. It is checked only when it is read.
    #[must_use]
    pub fn length(&self, id: &ContentId) -> Option<usize> {
        fs::metadata(self.path(id)).ok().filter(fs::Metadata::is_file).and_then(|file| usize::try_from(file.len()).ok())
    }

    /// Whether content of this id is there. It is checked only when it is read.
    #[must_use]
    pub fn has(&self, id: &ContentId) -> bool {
        self.path(id).is_file()
    }

    /// Reads and checks content. [`FetchBackend::fetch`] for callers that may block.
    ///
    /// # Errors
    ///
    /// [`FetchError::NotFound`], [`FetchError::TooLarge`], [`FetchError::File`], and [`FetchError::Damaged`] when the bytes are not those
    /// of the id: the file is then moved to `aside`.
    pub fn read(&self, id: &ContentId) -> Result<Content, FetchError> {
        match id.codec() {
            Codec::DagCbor => self.read_named(id),
            Codec::Raw | Codec::DagPb => match self.unchecked(id) {
                Err(FetchError::NotFound { .. }) => self.read_named(id),
                read => self.checked(id, read?),
            },
        }
    }

    /// Reads content that `accept` takes, which is then all that is checked: the id was when it was kept.
    fn read_accepted(&self, id: &ContentId, accept: &Accept) -> Result<Content, FetchError> {
        if id.codec() == Codec::DagCbor {
            let content = self.read_named(id)?;
            let is_accepted = accept(content.bytes());
            return is_accepted.then_some(content).ok_or(FetchError::NotAccepted { from: self.origin.clone() });
        }
        let bytes = self.unchecked(id)?;
        if accept(&bytes) {
            return Ok(Content::kept(*id, bytes));
        }
        // Not what is wanted, or not what was kept.
        self.checked(id, bytes)?;
        Err(FetchError::NotAccepted { from: self.origin.clone() })
    }

    fn unchecked(&self, id: &ContentId) -> Result<Bytes, FetchError> {
        let path = self.path(id);
        self.read_bounded(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => FetchError::NotFound { from: self.origin.clone() },
            io::ErrorKind::FileTooLarge => {
                FetchError::TooLarge { from: self.origin.clone(), limit_bytes: self.limit_bytes }
            }
            _ => FetchError::File { path, source: error },
        })
    }

    fn checked(&self, id: &ContentId, bytes: Bytes) -> Result<Content, FetchError> {
        Content::check(*id, bytes, &Interrupt::default()).map_err(|_| {
            let path = self.path(id);
            match self.set_aside(id, &path) {
                Ok(aside) => FetchError::Damaged { path, aside },
                Err(source) => FetchError::File { path, source },
            }
        })
    }

    /// Writes content. [`ContentStore::keep`] for callers that may block.
    ///
    /// # Errors
    ///
    /// [`KeepError::TooLarge`], [`KeepError::DiskFull`], [`KeepError::File`]. Nothing remains of what was not written whole.
    pub fn write(&self, content: &Content) -> Result<ContentId, KeepError> {
        self.write_lasting(content, Durability::Name)
    }

    /// Writes content that can be made again: a power failure may take it, or leave a part that [`read`](Self::read) finds damaged. Blocks.
    ///
    /// # Errors
    ///
    /// Those of [`write`](Self::write).
    pub fn write_unsynced(&self, content: &Content) -> Result<ContentId, KeepError> {
        self.write_lasting(content, Durability::None)
    }

    fn write_lasting(&self, content: &Content, durability: Durability) -> Result<ContentId, KeepError> {
        let (id, bytes) = (content.unixfs_id(), content.bytes());
        if bytes.len() > self.limit_bytes {
            return Err(KeepError::TooLarge { to: self.origin.clone(), bytes: bytes.len() });
        }
        let path = self.path(&id);
        match self.keep_again(&id, &path, bytes, durability) {
            Ok(true) => return Ok(id),
            Ok(false) => {}
            Err(source) => return Err(KeepError::File { path, source }),
        }
        match self.write_as(&path, bytes, durability) {
            Ok(()) => Ok(id),
            Err(source) => Err(keep_error(path, bytes.len(), source)),
        }
    }

    /// True where the content is there already; then it counts as kept now, and lasts as asked for. Other bytes in its place are moved
    /// away. A file that cannot be read may be the content, and is an error.
    fn keep_again(&self, id: &ContentId, path: &Path, bytes: &[u8], durability: Durability) -> io::Result<bool> {
        let lock = self.lock_file()?;
        lock.lock_shared()?;
        match self.read_bounded(path) {
            Ok(there) if there == bytes => {
                let file = File::open(path)?;
                file.set_modified(SystemTime::now())?;
                if durability != Durability::None {
                    // It may have been written without.
                    file.sync_data()?;
                    File::open(directory_of(path))?.sync_all()?;
                }
                Ok(true)
            }
            Ok(_) => self.set_aside(id, path).map(|_| false),
            Err(error) => match error.kind() {
                io::ErrorKind::NotFound => Ok(false),
                io::ErrorKind::FileTooLarge | io::ErrorKind::UnexpectedEof => self.set_aside(id, path).map(|_| false),
                _ => Err(error),
            },
        }
    }

    /// Keeping again and pruning both look at a file and then act on it, perhaps in two processes. The first shares this lock, the
    /// second holds it alone; it ends with the file.
    fn lock_file(&self) -> io::Result<File> {
        private_file(&self.root.join("lock"))
    }

    fn write_whole(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.write_as(path, bytes, Durability::Name)
    }

    fn write_as(&self, path: &Path, bytes: &[u8], durability: Durability) -> io::Result<()> {
        let partial = self.root.join("partial");
        refiner_atomic_file::write(path, bytes, &Terms { partial: Some(&partial), durability, ..Terms::PRIVATE })
    }

    fn read_bounded(&self, path: &Path) -> io::Result<Bytes> {
        let mut file = File::open(path)?;
        let length = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
        if length > self.limit_bytes {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.buffers().bytes(length, |buffer| file.read_exact(buffer).map(|()| length))
    }

    fn read_part(&self, path: &Path, part: Range<usize>) -> io::Result<Bytes> {
        let mut file = File::open(path)?;
        file.seek(io::SeekFrom::Start(part.start as u64))?;
        self.buffers().bytes(part.len(), |buffer| file.read_exact(buffer).map(|()| part.len()))
    }

    fn set_aside(&self, id: &ContentId, path: &Path) -> io::Result<PathBuf> {
        let name = |number| self.root.join("aside").join(format!("{id}.{number}"));
        let free = (0..ASIDE_MAX).map(name).find(|aside| !aside.exists()).unwrap_or_else(|| name(ASIDE_MAX));
        fs::rename(path, &free)?;
        Ok(free)
    }
}

impl FetchBackend for LocalStore {
    fn origin(&self) -> &Origin {
        &self.origin
    }

    fn fetch<'a>(&'a self, id: &'a ContentId) -> BoxFuture<'a, Result<Content, FetchError>> {
        let (store, id) = (self.clone(), *id);
        Box::pin(blocking(move || store.read(&id)))
    }

    fn fetch_accepted<'a>(&'a self, id: &'a ContentId, accept: Accept) -> BoxFuture<'a, Result<Content, FetchError>> {
        let (store, id) = (self.clone(), *id);
        Box::pin(blocking(move || store.read_accepted(&id, &accept)))
    }
}

impl ContentStore for LocalStore {
    fn keep<'a>(&'a self, content: &'a Content) -> BoxFuture<'a, Result<ContentId, KeepError>> {
        let (store, content) = (self.clone(), content.clone());
        Box::pin(blocking(move || store.write(&content)))
    }
}

fn keep_error(path: PathBuf, needed_bytes: usize, source: io::Error) -> KeepError {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    match source.kind() {
        StorageFull | QuotaExceeded | FileTooLarge => KeepError::DiskFull { path, needed_bytes },
        _ => KeepError::File { path, source },
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_full_disk_is_an_error_with_the_path_and_the_bytes() {
        let mut full = File::options().write(true).open("/dev/full").unwrap();
        let refused = full.write_all(b"hello").unwrap_err();
        let error = keep_error("/kept/id".into(), 5, refused);
        assert!(matches!(&error, KeepError::DiskFull { needed_bytes: 5, .. }), "{error:?}");
        assert_eq!(error.to_string(), "no room for 5 bytes at /kept/id");
        let denied = keep_error("/kept/id".into(), 5, io::ErrorKind::PermissionDenied.into());
        assert!(matches!(denied, KeepError::File { .. }), "{denied:?}");
    }
}
