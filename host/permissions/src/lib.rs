//! Files and directories that only their owner may read.
//!
//! **Inputs** a path, or what the system knows of an open file. **Outputs** a directory of mode 0700, a file of mode 0600, or the mode
//! that gives others access. **Invariants** permissions are only taken away, only from what belongs to this user, and never from a
//! directory that several users share (one with the sticky bit, such as `/tmp`).
//!
//! ```
//! use refiner_permissions::{open_to_others, private_directory, private_file};
//!
//! let directory = tempfile::tempdir()?;
//! private_directory(&directory.path().join("data"))?;
//! let file = private_file(&directory.path().join("data/journal"))?;
//! assert_eq!(open_to_others(&file.metadata()?), None);
//! # Ok::<_, std::io::Error>(())
//! ```

use std::{
    fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions},
    io,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
};

use rustix::process::geteuid;

/// Access of the owner alone, for a directory.
const DIRECTORY_MODE: u32 = 0o700;
/// Access of the owner alone, for a file.
const FILE_MODE: u32 = 0o600;
/// Any access of group and others.
const OTHERS: u32 = 0o077;
/// Reading and writing by group and others.
const OTHERS_READ_OR_WRITE: u32 = 0o066;
/// Mark of a directory that several users share.
const STICKY: u32 = 0o1000;
/// The bits of a mode that `chmod` sets.
const MODE_BITS: u32 = 0o7777;

/// Makes a directory and the missing ones above it with mode 0700, or takes the access of others away from one that is there.
///
/// # Errors
///
/// The system's.
pub fn private_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(DIRECTORY_MODE).create(path)?;
    tighten(path)
}

/// Makes an empty file with mode 0600, or takes the access of others away from one that is there. Its bytes stay.
///
/// # Errors
///
/// The system's.
pub fn private_file(path: &Path) -> io::Result<File> {
    let file = options().read(true).write(true).create(true).truncate(false).open(path)?;
    let metadata = file.metadata()?;
    if is_ours(&metadata) && metadata.mode() & OTHERS != 0 {
        file.set_permissions(tightened(&metadata))?;
    }
    Ok(file)
}

/// Options for opening a file that is made with mode 0600.
#[must_use]
pub fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(FILE_MODE);
    options
}

/// Takes the access of group and others away from a file or a directory, where there is one and it belongs to this user.
///
/// # Errors
///
/// The system's.
pub fn tighten(path: &Path) -> io::Result<()> {
    let metadata = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        found => found?,
    };
    let is_shared = metadata.is_dir() && metadata.mode() & STICKY != 0;
    if !is_ours(&metadata) || is_shared || metadata.mode() & OTHERS == 0 {
        return Ok(());
    }
    fs::set_permissions(path, tightened(&metadata))
}

/// The mode of a file that group or others may read or write; `None` for one that only its owner may.
#[must_use]
pub fn open_to_others(metadata: &Metadata) -> Option<u32> {
    let mode = metadata.mode() & MODE_BITS;
    (mode & OTHERS_READ_OR_WRITE != 0).then_some(mode)
}

fn is_ours(metadata: &Metadata) -> bool {
    metadata.uid() == geteuid().as_raw()
}

fn tightened(metadata: &Metadata) -> Permissions {
    Permissions::from_mode(metadata.mode() & MODE_BITS & !OTHERS)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & MODE_BITS
    }

    fn with_mode(path: PathBuf, bits: u32) -> PathBuf {
        fs::set_permissions(&path, Permissions::from_mode(bits)).unwrap();
        path
    }

    #[test]
    fn directories_and_files_are_made_for_their_owner_alone() {
        let root = tempfile::tempdir().unwrap();
        let (above, directory) = (root.path().join("a"), root.path().join("a/b"));
        private_directory(&directory).unwrap();
        private_file(&directory.join("f")).unwrap();
        assert_eq!((mode(&above), mode(&directory), mode(&directory.join("f"))), (0o700, 0o700, 0o600));
    }

    #[test]
    fn those_of_an_earlier_build_are_tightened_and_keep_their_bytes() {
        let root = tempfile::tempdir().unwrap();
        let directory = with_mode(root.path().to_owned(), 0o755);
        let path = directory.join("f");
        fs::write(&path, "kept").unwrap();
        let path = with_mode(path, 0o664);
        private_directory(&directory).unwrap();
        private_file(&path).unwrap();
        assert_eq!((mode(&directory), mode(&path)), (0o700, 0o600));
        assert_eq!(fs::read(&path).unwrap(), b"kept");
        let path = with_mode(path, 0o444);
        tighten(&path).unwrap();
        assert_eq!(mode(&path), 0o400, "permissions are only taken away");
    }

    #[test]
    fn directory_that_users_share_and_a_missing_file_are_left_alone() {
        let root = tempfile::tempdir().unwrap();
        let shared = with_mode(root.path().to_owned(), 0o1777);
        private_directory(&shared).unwrap();
        tighten(&shared.join("missing")).unwrap();
        assert_eq!(mode(&shared), 0o1777);
    }

    #[test]
    fn mode_that_gives_others_access_is_reported() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("f");
        fs::write(&path, "").unwrap();
        for (bits, expected) in [
            (0o600, None),
            (0o400, None),
            (0o711, None),
            (0o640, Some(0o640)),
            (0o604, Some(0o604)),
            (0o620, Some(0o620)),
        ] {
            let path = with_mode(path.clone(), bits);
            assert_eq!(open_to_others(&fs::metadata(path).unwrap()), expected, "{bits:o}");
        }
    }
}
