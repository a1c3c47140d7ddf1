//! Removal of old content from a local store.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use super::LocalStore;
use crate::{ContentId, KeepError};

/// The content that remains when a store is pruned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Bytes of all content together; the oldest goes first.
    pub total_bytes: u64,
    /// Time since content was last kept.
    pub age: Duration,
    /// Content that was kept within this time stays, whatever the other two limits are.
    pub grace: Duration,
}

impl Default for Retention {
    /// Some 3,000 specimens and a month, and half an hour in which a result is being proved.
    fn default() -> Self {
        Self { total_bytes: 10 << 30, age: Duration::from_secs(30 * 24 * 60 * 60), grace: Duration::from_secs(30 * 60) }
    }
}

/// Content of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Id of the content.
    pub id: ContentId,
    /// Length of the content.
    pub bytes: u64,
    /// When it was last kept.
    pub kept: SystemTime,
}

/// The outcome of pruning a store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Files removed, damaged and unfinished ones included.
    pub removed: usize,
    /// Bytes of the removed files.
    pub removed_bytes: u64,
    /// Bytes of the content that remains.
    pub left_bytes: u64,
}

impl LocalStore {
    /// The content that is there, the one kept longest ago first.
    ///
    /// # Errors
    ///
    /// [`KeepError::File`]
    pub fn list(&self) -> Result<Vec<Stored>, KeepError> {
        let mut stored: Vec<_> = files(&self.root.join("kept"))?
            .into_iter()
            .filter_map(|file| {
                let id = file.path.file_name()?.to_str()?.parse().ok()?;
                Some(Stored { id, bytes: file.bytes, kept: file.modified })
            })
            .collect();
        stored.sort_by_key(|stored| (stored.kept, stored.id));
        Ok(stored)
    }

    /// Removes what `retention` does not cover at the time `now`, except content that is `in_use`.
    ///
    /// # Errors
    ///
    /// [`KeepError::File`]. What was removed until then stays removed.
    pub fn prune(
        &self,
        retention: &Retention,
        now: SystemTime,
        in_use: impl Fn(&ContentId) -> bool,
    ) -> Result<Pruned, KeepError> {
        let age = |modified| now.duration_since(modified).unwrap_or(Duration::ZERO);
        let mut pruned = Pruned::default();
        for (directory, limit) in [("partial", retention.grace), ("aside", retention.age)] {
            for file in files(&self.root.join(directory))? {
                if age(file.modified) > limit {
                    pruned.remove(&file.path, file.bytes)?;
                }
            }
        }
        // A name lives as long as content may, so that no look at what it leads to is needed.
        for name in files(&self.root.join("named"))? {
            if age(name.modified) > retention.age {
                pruned.remove(&name.path, name.bytes)?;
            }
        }
        let stored = self.list()?;
        pruned.left_bytes = stored.iter().map(|stored| stored.bytes).sum();
        for Stored { id, bytes, kept } in stored {
            let age = age(kept);
            let unwanted = age > retention.age || pruned.left_bytes > retention.total_bytes;
            if unwanted && age > retention.grace && !in_use(&id) && self.take_away(&id, kept)? {
                pruned.removed += 1;
                pruned.removed_bytes += bytes;
                pruned.left_bytes -= bytes;
            }
        }
        Ok(pruned)
    }
}

impl LocalStore {
    /// Removes content that is needed no more, unless it was kept within the last half hour. Returns whether it was there.
    ///
    /// # Errors
    ///
    /// [`KeepError::File`]
    pub fn remove(&self, id: &ContentId, now: SystemTime) -> Result<bool, KeepError> {
        let path = self.path(id);
        let kept = match fs::metadata(&path).and_then(|metadata| metadata.modified()) {
            Ok(kept) => kept,
            Err(error) => return found(Err(error)).map_err(|source| KeepError::File { path, source }),
        };
        let age = now.duration_since(kept).unwrap_or(Duration::ZERO);
        if age > Retention::default().grace { self.take_away(id, kept) } else { Ok(false) }
    }

    /// Removes content, unless it was kept again since `kept`.
    fn take_away(&self, id: &ContentId, kept: SystemTime) -> Result<bool, KeepError> {
        let path = self.path(id);
        let taken = || {
            let lock = self.lock_file()?;
            lock.lock()?;
            match fs::metadata(&path).and_then(|metadata| metadata.modified()) {
                Ok(modified) if modified == kept => found(fs::remove_file(&path)),
                Ok(_) => Ok(false),
                Err(error) => found(Err(error)),
            }
        };
        taken().map_err(|source| KeepError::File { path: path.clone(), source })
    }
}

impl Pruned {
    fn remove(&mut self, path: &Path, bytes: u64) -> Result<(), KeepError> {
        if found(fs::remove_file(path)).map_err(|source| KeepError::File { path: path.into(), source })? {
            self.removed += 1;
            self.removed_bytes += bytes;
        }
        Ok(())
    }
}

/// Whether there was a file; another process can have been faster.
fn found(done: io::Result<()>) -> io::Result<bool> {
    match done {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

struct FoundFile {
    path: PathBuf,
    bytes: u64,
    modified: SystemTime,
}

fn files(directory: &Path) -> Result<Vec<FoundFile>, KeepError> {
    let failed = |source| KeepError::File { path: directory.into(), source };
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        // A file can go while the directory is read.
        let Ok(metadata) = entry.metadata() else { continue };
        if metadata.is_file() {
            let modified = metadata.modified().map_err(failed)?;
            found.push(FoundFile { path: entry.path(), bytes: metadata.len(), modified });
        }
    }
    Ok(found)
}
