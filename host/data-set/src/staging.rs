//! Files that are not yet part of a data set.

use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use alloy_primitives::B256;
use sha2::Digest as _;

use crate::DataSetError;

/// The folder of staged files, within the data set so that a rename moves them.
pub(crate) const STAGING: &str = "_staging";

/// A place for files that get their names together. Shared by the threads of a run.
#[derive(Clone, Debug)]
pub struct Staging {
    pub(crate) root: PathBuf,
}

impl Staging {
    /// Stages a whole file under the path that it will have in the data set, and returns its length and sha256.
    ///
    /// # Errors
    ///
    /// The operating system refuses the file.
    pub fn write(&self, path: &str, bytes: &[u8]) -> Result<(u64, B256), DataSetError> {
        self.write_hashed(path, bytes)?;
        Ok((bytes.len() as u64, sha256(bytes)))
    }

    /// The same of a file whose hash is known.
    ///
    /// # Errors
    ///
    /// The operating system refuses the file.
    pub fn write_hashed(&self, path: &str, bytes: &[u8]) -> Result<(), DataSetError> {
        let mut file = self.create(path)?;
        file.write_all(bytes).map_err(|source| self.refuse(path, source))
    }

    /// Creates a file, which is to be written and closed before the unit is committed.
    ///
    /// # Errors
    ///
    /// The operating system refuses the file.
    pub fn create(&self, path: &str) -> Result<File, DataSetError> {
        let whole = self.path(path);
        let create = |_| {
            self.create_folders(Path::new(path))?;
            File::create(&whole)
        };
        // The directory is there but for the first time.
        File::create(&whole).or_else(create).map_err(|source| self.refuse(path, source))
    }

    /// Creates the folders of a file, and none above them: where the data set itself is gone, its run has ended.
    fn create_folders(&self, file: &Path) -> io::Result<()> {
        let below = file.parent().into_iter().flat_map(Path::components);
        let mut folder = self.root.clone();
        create_folder(&folder)?;
        for name in below {
            folder.push(name);
            create_folder(&folder)?;
        }
        Ok(())
    }

    /// Gives a staged file another path.
    ///
    /// # Errors
    ///
    /// The operating system refuses the file.
    pub fn rename(&self, from: &str, to: &str) -> Result<(), DataSetError> {
        fs::rename(self.path(from), self.path(to)).map_err(|source| self.refuse(to, source))
    }

    /// The place of a staged file.
    pub fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// Removes a staged file, whether it is there or not.
    pub fn discard(&self, path: &str) {
        // What stays is removed at the end, or by the next run.
        let _ = fs::remove_file(self.path(path));
    }

    fn refuse(&self, path: &str, source: io::Error) -> DataSetError {
        DataSetError::Io { path: self.path(path), source }
    }
}

fn create_folder(path: &Path) -> io::Result<()> {
    match fs::create_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn sha256(bytes: &[u8]) -> B256 {
    B256::from(<[u8; 32]>::from(sha2::Sha256::digest(bytes)))
}

/// Length and sha256 of a file.
pub(crate) fn digest(path: &Path) -> io::Result<(u64, B256)> {
    let mut file = File::open(path)?;
    let mut hash = sha2::Sha256::new();
    let mut buffer = vec![0; 256 << 10];
    let mut length = 0;
    loop {
        let taken = file.read(&mut buffer)?;
        if taken == 0 {
            return Ok((length, B256::from(<[u8; 32]>::from(hash.finalize()))));
        }
        hash.update(&buffer[..taken]);
        length += taken as u64;
    }
}
