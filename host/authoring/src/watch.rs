//! Waiting for changes of a rule's sources.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    thread,
    time::{Duration, SystemTime},
};

/// Time between two looks at the files.
const INTERVAL: Duration = Duration::from_millis(200);
/// Most files that are looked at. A rule with its SDK has a hundred.
pub const FILES_MAX: usize = 10_000;
/// Directories that hold what toolchains make and fetch.
const SKIPPED: [&str; 6] = ["target", "node_modules", ".venv", "venv", "__pycache__", ".git"];
/// The ending of what is built.
const BUILT: &str = "wasm";

/// Errors of looking at a rule's sources.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// The directory cannot be read.
    #[error("{}: {source}", .path.display())]
    Read {
        /// Path of the directory.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// More files than a rule has.
    #[error("{} has more than {FILES_MAX} files beside those of toolchains", .0.display())]
    TooMany(PathBuf),
}

/// When a file was written, and its length.
type Stamp = (SystemTime, u64);

/// The sources of a rule as they were last seen.
#[derive(Debug)]
pub struct Sources {
    directory: PathBuf,
    seen: BTreeMap<PathBuf, Stamp>,
}

impl Sources {
    /// Looks at the sources in a directory and below.
    ///
    /// # Errors
    ///
    /// A directory cannot be read, or there are too many files.
    pub fn of(directory: &Path) -> Result<Self, WatchError> {
        Ok(Self { directory: directory.to_owned(), seen: stamps(directory)? })
    }

    /// Waits until a file has changed, came or went, and then until none does for a moment. Returns one of them.
    ///
    /// # Errors
    ///
    /// Those of [`Sources::of`].
    pub fn wait(&mut self) -> Result<PathBuf, WatchError> {
        let mut changed = None;
        loop {
            thread::sleep(INTERVAL);
            let now = stamps(&self.directory)?;
            let first = difference(&self.seen, &now);
            self.seen = now;
            match (first, &changed) {
                (None, Some(_)) => break,
                (Some(path), None) => changed = Some(path),
                (Some(_), Some(_)) | (None, None) => {}
            }
        }
        Ok(changed.unwrap_or_default())
    }
}

/// The first path that is in one alone or differs.
fn difference(before: &BTreeMap<PathBuf, Stamp>, now: &BTreeMap<PathBuf, Stamp>) -> Option<PathBuf> {
    let differs = |(path, stamp): &(&PathBuf, &Stamp)| before.get(*path) != Some(*stamp);
    let gone = || before.keys().find(|path| !now.contains_key(*path));
    now.iter().find(differs).map(|(path, _)| path).or_else(gone).cloned()
}

fn stamps(directory: &Path) -> Result<BTreeMap<PathBuf, Stamp>, WatchError> {
    let mut found = BTreeMap::new();
    let mut open = vec![directory.to_owned()];
    while let Some(path) = open.pop() {
        let entries = match fs::read_dir(&path) {
            // One that went between two looks.
            Err(error) if error.kind() == io::ErrorKind::NotFound && path != directory => continue,
            entries => entries.map_err(|source| WatchError::Read { path: path.clone(), source })?,
        };
        for entry in entries.filter_map(Result::ok) {
            // Links are not followed, so no loop is.
            let Ok(metadata) = entry.metadata() else { continue };
            if metadata.is_dir() {
                if !SKIPPED.contains(&entry.file_name().to_string_lossy().as_ref()) {
                    open.push(entry.path());
                }
            } else if entry.path().extension().is_none_or(|extension| extension != BUILT) {
                found.insert(entry.path(), (metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH), metadata.len()));
            }
            if found.len() > FILES_MAX {
                return Err(WatchError::TooMany(directory.to_owned()));
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(files: &[&str], change: impl FnOnce(&Path)) -> Option<String> {
        let directory = tempfile::tempdir().expect("a directory");
        let write = |name: &&str| {
            let path = directory.path().join(name);
            fs::create_dir_all(path.parent().expect("a directory")).expect("made");
            fs::write(path, "before").expect("written");
        };
        files.iter().for_each(write);
        let before = stamps(directory.path()).expect("readable");
        change(directory.path());
        let path = difference(&before, &stamps(directory.path()).expect("readable"))?;
        Some(path.strip_prefix(directory.path()).expect("below").display().to_string())
    }

    #[test]
    fn change_of_a_source_is_seen_and_what_toolchains_make_is_not() {
        let write = |name: &'static str| {
            move |directory: &Path| fs::write(directory.join(name), "other text").expect("written")
        };
        let files = ["src/lib.rs", "target/a.rs", "node_modules/a.js", "rule.wasm"];
        assert_eq!(changed(&files, write("src/lib.rs")).as_deref(), Some("src/lib.rs"));
        assert_eq!(changed(&files, write("src/new.rs")).as_deref(), Some("src/new.rs"));
        let remove = |directory: &Path| fs::remove_file(directory.join("src/lib.rs")).expect("removed");
        assert_eq!(changed(&files, remove).as_deref(), Some("src/lib.rs"));
        for made in ["target/a.rs", "node_modules/a.js", "rule.wasm"] {
            assert_eq!(changed(&files, write(made)), None, "{made}");
        }
    }

    #[test]
    fn wait_ends_once_the_files_are_still() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("lib.rs");
        fs::write(&path, "a").expect("written");
        let mut sources = Sources::of(directory.path()).expect("readable");
        thread::scope(|scope| {
            scope.spawn(|| {
                (0..3).for_each(|round| {
                    thread::sleep(INTERVAL / 2);
                    fs::write(&path, "a".repeat(round + 2)).expect("written");
                });
            });
            assert_eq!(sources.wait().expect("readable"), path);
        });
        assert_eq!(
            difference(&sources.seen, &stamps(directory.path()).expect("readable")),
            None,
            "seen to its last form"
        );
    }

    #[test]
    fn directory_that_is_not_there_is_an_error() {
        let error = Sources::of(Path::new("/nowhere/at/all")).expect_err("not there").to_string();
        assert!(error.starts_with("/nowhere/at/all: "), "{error}");
    }
}
