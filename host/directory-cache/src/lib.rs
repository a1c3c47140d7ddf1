//! A directory of files that can be made again, bounded in bytes: the oldest go when a new one does not fit.
//!
//! * **Inputs**: names, and functions that write a file.
//! * **Outputs**: the paths of files, each whole or not there.
//! * **Invariants**: after each [`put`](DirectoryCache::put) the files have at most as many bytes as the bound, or there is the new one alone.
//!   Several processes may use one directory. What is read is the caller's to check: nothing here knows what a file should hold.
//!
//! ```
//! use std::io::Write as _;
//!
//! use refiner_directory_cache::{DirectoryCache, Durability};
//!
//! let directory = tempfile::tempdir()?;
//! let cache = DirectoryCache::new(directory.path(), 10);
//! for name in ["a", "b", "c"] {
//!     cache.put(name, Durability::None, |file| file.write_all(b"12345"))?;
//!     # std::thread::sleep(std::time::Duration::from_millis(20));
//! }
//! assert!(!cache.path("a").exists() && cache.path("b").exists() && cache.path("c").exists());
//! # Ok::<_, std::io::Error>(())
//! ```

use std::{
    fs::{self, DirBuilder, File},
    io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    time::SystemTime,
};

pub use refiner_atomic_file::Durability;
use refiner_atomic_file::{Partial, Terms};

/// Access for the owner alone: what is in a cache is used.
const DIRECTORY_MODE: u32 = 0o700;

/// A directory of files that can be made again.
#[derive(Clone, Debug)]
pub struct DirectoryCache {
    directory: PathBuf,
    bytes_max: u64,
}

impl DirectoryCache {
    /// A cache in a directory, which the first file makes where it is not there.
    pub fn new(directory: impl Into<PathBuf>, bytes_max: u64) -> Self {
        Self { directory: directory.into(), bytes_max }
    }

    /// The path of a file, whether it is there or not.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Keeps a file that `fill` writes, for its owner alone, in the place of another of that name.
    ///
    /// # Errors
    ///
    /// The system's, and those of `fill`.
    pub fn put(
        &self,
        name: &str,
        durability: Durability,
        fill: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(DIRECTORY_MODE).create(&self.directory)?;
        let path = self.path(name);
        let mut partial = Partial::begin(&path, &Terms { durability, ..Terms::PRIVATE })?;
        fill(partial.file())?;
        let bytes = partial.file().metadata()?.len();
        self.make_room(bytes, [partial.path(), &path])?;
        partial.finish()
    }

    /// Removes the oldest files until `bytes` more fit. Of these two one is the file that is being written, and the other the one that
    /// it replaces.
    fn make_room(&self, bytes: u64, own: [&Path; 2]) -> io::Result<()> {
        let mut files: Vec<(SystemTime, u64, PathBuf)> = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let path = entry?.path();
            if own.contains(&path.as_path()) {
                continue;
            }
            match fs::symlink_metadata(&path) {
                Ok(found) => files.push((found.modified()?, found.len(), path)),
                // Another process removed it.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        files.sort();
        let mut sum = files.iter().map(|(_, bytes, _)| bytes).sum::<u64>().saturating_add(bytes);
        for (_, bytes, path) in files {
            if sum <= self.bytes_max {
                break;
            }
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => sum -= bytes,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Write as _, time::Duration};

    use super::*;

    /// A file that was written so many seconds ago.
    fn put(cache: &DirectoryCache, name: &str, bytes: usize, ago_s: u64) {
        cache.put(name, Durability::None, |file| file.write_all(&vec![0; bytes])).unwrap();
        let file = File::open(cache.path(name)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(ago_s)).unwrap();
    }

    fn names(cache: &DirectoryCache) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(&cache.directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn oldest_files_go_until_the_new_one_fits() {
        let directory = tempfile::tempdir().unwrap();
        let cache = DirectoryCache::new(directory.path().join("made/here"), 100);
        put(&cache, "old", 40, 30);
        put(&cache, "older", 20, 60);
        put(&cache, "new", 40, 10);
        assert_eq!(names(&cache), ["new", "old", "older"], "they are as many bytes as the bound");
        put(&cache, "newest", 1, 0);
        assert_eq!(names(&cache), ["new", "newest", "old"]);
        put(&cache, "large", 60, 0);
        assert_eq!(names(&cache), ["large", "newest"].map(str::to_owned), "40, 1 and 60 are more than the bound");
    }

    #[test]
    fn file_that_is_replaced_counts_no_more() {
        let directory = tempfile::tempdir().unwrap();
        let cache = DirectoryCache::new(directory.path(), 100);
        put(&cache, "other", 50, 60);
        put(&cache, "same", 50, 30);
        put(&cache, "same", 50, 0);
        assert_eq!(names(&cache), ["other", "same"]);
    }

    #[test]
    fn file_above_the_bound_is_kept_alone() {
        let directory = tempfile::tempdir().unwrap();
        let cache = DirectoryCache::new(directory.path(), 100);
        put(&cache, "other", 50, 60);
        put(&cache, "large", 101, 0);
        assert_eq!(names(&cache), ["large"]);
    }

    #[test]
    fn failed_write_removes_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let cache = DirectoryCache::new(directory.path(), 100);
        put(&cache, "other", 100, 60);
        let failed = cache.put("new", Durability::Bytes, |file| {
            file.write_all(&[0; 100])?;
            Err(io::ErrorKind::StorageFull.into())
        });
        assert!(failed.is_err());
        assert_eq!(names(&cache), ["other"]);
    }
}
