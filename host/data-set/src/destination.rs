//! Where a data set is kept.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use refiner_remote_files::StoreFolder;

/// Where a data set is kept.
#[derive(Clone, Debug)]
pub enum Destination {
    /// A directory of this machine.
    Directory(PathBuf),
    /// A prefix of an object store.
    Store {
        /// The prefix.
        folder: StoreFolder,
        /// The directory in which files are made before they are sent. One run at a time uses it.
        staging: PathBuf,
    },
}

impl Destination {
    /// Its path or URL.
    pub(crate) fn place(&self) -> PathBuf {
        match self {
            Self::Directory(directory) => directory.clone(),
            Self::Store { folder, .. } => folder.name().into(),
        }
    }
}

impl From<&Path> for Destination {
    fn from(directory: &Path) -> Self {
        Self::Directory(directory.to_owned())
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.place().display().fmt(f)
    }
}
