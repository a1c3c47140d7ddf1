//! Results on disk: whole or not at all, and never one block's over another's.
//!
//! * **Inputs**: a directory, and files with their hashes.
//! * **Outputs**: each file under its name, by rename.
//! * **Invariants**: a reader never sees half a file; two specimens of one height do not overwrite each other.
//!
//! ```
//! let directory = tempfile::tempdir()?;
//! let output = refiner_output::OutputDirectory::create(&directory.path().join("results"))?;
//! let digest = alloy_primitives::B256::repeat_byte(1);
//! let path = output.write("1-19434485.block-result.json", digest, b"{}")?;
//! assert_eq!(std::fs::read(path)?, b"{}");
//! // Other bytes for the same chain and height are another specimen's.
//! let other = alloy_primitives::B256::repeat_byte(2);
//! assert!(output.write("1-19434485.block-result.json", other, b"[]").is_err());
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

use std::{
    collections::{HashMap, hash_map::Entry},
    fs, io,
    path::{Path, PathBuf},
    sync::Mutex,
};

use alloy_primitives::B256;
use refiner_atomic_file::{Terms, identity, write, write_through};
use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use refiner_text::OneLine;

/// The directory that a replay writes into.
///
/// A file appears under its name by rename, so a reader never sees half of it, and a run that dies leaves at most a
/// temporary file (`.tmp…`) behind. Files are not flushed to the disk one by one: a replay can be repeated.
#[derive(Debug)]
pub struct OutputDirectory {
    path: PathBuf,
    /// What this run wrote. Shared by the threads of one replay, held for a map look-up and never across IO.
    written: Mutex<HashMap<String, B256>>,
}

/// Reasons for which an artifact is not on disk.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// The operating system refuses it.
    #[error("{}: {source}", OneLine(.path.display()))]
    Write {
        /// Which file or directory.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// This run already wrote other bytes under the same name: two specimens of one height.
    #[error(
        "{}: another specimen of this run, of the same chain and height, already wrote other bytes here",
        OneLine(.path.display())
    )]
    Collision {
        /// Path of the file.
        path: PathBuf,
    },
    /// A file of the user's would be lost.
    #[error("{}: expected a file for the output, found the input {}", OneLine(.output.display()), OneLine(.input.display()))]
    IsInput {
        /// The file to be written.
        output: PathBuf,
        /// The same file as it is named to be read.
        input: PathBuf,
    },
}

impl Diagnostic for OutputError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Write { .. } | Self::Collision { .. } => ExitCode::Host,
            Self::IsInput { .. } => ExitCode::Usage,
        }
    }

    fn hint(&self) -> Option<Hint> {
        match self {
            Self::Write { .. } | Self::Collision { .. } => None,
            Self::IsInput { .. } => Some("name another file for the output: the input would be lost".into()),
        }
    }
}

impl OutputDirectory {
    /// Creates the directory where it does not exist.
    pub fn create(path: &Path) -> Result<Self, OutputError> {
        fs::create_dir_all(path).map_err(|source| OutputError::Write { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), written: Mutex::default() })
    }

    /// Writes `bytes`, whose sha256 is `digest`, as `name`, replacing what an earlier run left.
    ///
    /// `name` must be a plain file name; the sandbox admits no artifact name that is not.
    pub fn write(&self, name: &str, digest: B256, bytes: &[u8]) -> Result<PathBuf, OutputError> {
        let path = self.path.join(name);
        if !self.claim(name, digest) {
            return Err(OutputError::Collision { path });
        }
        write(&path, bytes, &Terms::ORDINARY).map_err(|source| OutputError::Write { path: path.clone(), source })?;
        Ok(path)
    }

    fn claim(&self, name: &str, digest: B256) -> bool {
        let mut written = self.written.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match written.entry(name.to_owned()) {
            Entry::Occupied(entry) => *entry.get() == digest,
            Entry::Vacant(entry) => {
                entry.insert(digest);
                true
            }
        }
    }
}

/// Writes a whole file beside its final place and then renames it. A link stays one, and what it names is replaced; what is there and no
/// file, a device or a pipe, is written to.
pub fn write_by_rename(path: &Path, bytes: &[u8]) -> Result<(), OutputError> {
    write_through(path, bytes, &Terms::ORDINARY).map_err(|source| OutputError::Write { path: path.to_owned(), source })
}

/// Refuses a file to be written that is one of those to be read, under whatever name. A device is never one.
pub fn refuse_input<P: AsRef<Path>>(output: &Path, inputs: impl IntoIterator<Item = P>) -> Result<(), OutputError> {
    let Some(file) = identity(output) else { return Ok(()) };
    match inputs.into_iter().find(|input| identity(input.as_ref()) == Some(file)) {
        Some(input) => Err(OutputError::IsInput { output: output.to_owned(), input: input.as_ref().to_owned() }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn file_of_an_earlier_run_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("a"), "old").unwrap();
        let output = OutputDirectory::create(directory.path()).unwrap();
        let path = output.write("a", B256::ZERO, b"new").unwrap();
        assert_eq!(fs::read(path).unwrap(), b"new");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "no temporary file stays");
    }

    #[test]
    fn link_stays_a_link_and_a_device_a_device() {
        let directory = tempfile::tempdir().unwrap();
        let (file, link) = (directory.path().join("file"), directory.path().join("link"));
        fs::write(&file, "old").unwrap();
        symlink(&file, &link).unwrap();
        write_by_rename(&link, b"new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&file).unwrap(), b"new");
        // The device takes nothing, and says so: it was written to.
        let device = directory.path().join("device");
        symlink("/dev/full", &device).unwrap();
        let full = write_by_rename(&device, b"new").unwrap_err().to_string();
        assert!(full.contains("No space left on device"), "{full}");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 3);
    }

    #[test]
    fn input_under_another_name_is_refused_as_output_and_both_are_named() {
        let directory = tempfile::tempdir().unwrap();
        let (file, link) = (directory.path().join("file"), directory.path().join("link"));
        fs::write(&file, "input").unwrap();
        symlink(&file, &link).unwrap();
        let refused = refuse_input(&link, [Path::new("other"), &file]).unwrap_err();
        let text = refused.to_string();
        assert!(text.contains("/link: ") && text.ends_with("/file"), "{text}");
        assert_eq!(refused.exit_code(), ExitCode::Usage);
        refuse_input(&directory.path().join("new"), [&file]).unwrap();
        refuse_input(Path::new("/dev/null"), ["/dev/null"]).unwrap();
    }

    #[test]
    fn two_specimens_of_one_height_do_not_overwrite_each_other() {
        let directory = tempfile::tempdir().unwrap();
        let output = OutputDirectory::create(directory.path()).unwrap();
        output.write("a", B256::repeat_byte(1), b"one").unwrap();
        output.write("a", B256::repeat_byte(1), b"one").unwrap();
        let error = output.write("a", B256::repeat_byte(2), b"two").unwrap_err();
        assert!(matches!(error, OutputError::Collision { .. }), "{error}");
        assert_eq!(fs::read(directory.path().join("a")).unwrap(), b"one");
    }

    #[test]
    fn directory_that_cannot_be_made_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = OutputDirectory::create(&file.path().join("out")).unwrap_err().to_string();
        assert!(error.contains(&file.path().display().to_string()), "{error}");
    }
}
