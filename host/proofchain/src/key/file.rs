//! A file with a secret.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use refiner_permissions::open_to_others;
use zeroize::Zeroizing;

use super::{KeyError, Secret};

/// Most bytes of a file with a secret. A key is 66 characters, a keystore about 500.
const FILE_LIMIT_BYTES: usize = 16 << 10;

/// The path of a file with a secret, which group and others may not read unless that is permitted.
#[derive(Clone, Debug)]
pub struct SecretFile {
    path: PathBuf,
    permits_others: bool,
}

impl SecretFile {
    /// A file that only its owner may read.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), permits_others: false }
    }

    /// The same, or a file of any mode.
    #[must_use]
    pub fn permitting_others(mut self, permitted: bool) -> Self {
        self.permits_others = permitted;
        self
    }

    /// The path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads a secret of at most 16 KiB; a line break at its end does not count.
    ///
    /// # Errors
    ///
    /// [`KeyError::Permissions`], and [`KeyError::File`] for what the system refuses, a larger file, and one that is not UTF-8.
    pub fn read(&self) -> Result<Secret, KeyError> {
        let failed = |source| KeyError::File { path: self.path.clone(), source };
        // The open file is looked at, so that no other one can take its place.
        let file = File::open(&self.path).map_err(failed)?;
        let mode = open_to_others(&file.metadata().map_err(failed)?);
        if let Some(mode) = mode.filter(|_| !self.permits_others) {
            return Err(KeyError::Permissions { path: self.path.clone(), mode });
        }
        read(file).map_err(failed)
    }
}

fn read(file: File) -> io::Result<Secret> {
    // One allocation, so that nothing is left behind by growing.
    let mut text = Zeroizing::new(String::with_capacity(FILE_LIMIT_BYTES + 1));
    file.take(FILE_LIMIT_BYTES as u64 + 1).read_to_string(&mut text)?;
    if text.len() > FILE_LIMIT_BYTES {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "larger than 16 KiB"));
    }
    let end = text.trim_end_matches(['\r', '\n']).len();
    text.truncate(end);
    Ok(Secret::from(text))
}
