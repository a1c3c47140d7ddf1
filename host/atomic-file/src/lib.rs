//! Files that are under their name whole or not at all.
//!
//! * **Inputs**: a path, and bytes or a function that writes them.
//! * **Outputs**: the file under its name, by a rename within one file system.
//! * **Invariants**: a reader never sees half a file; a process that dies leaves at most a file `.tmp??????` beside it. Where it is asked
//!   for, bytes are on the disk before the name is, and the name before the call returns.
//!
//! ```
//! use refiner_atomic_file::{Terms, write};
//!
//! let directory = tempfile::tempdir()?;
//! let path = directory.path().join("notes");
//! write(&path, b"first", &Terms::PRIVATE)?;
//! write(&path, b"second", &Terms::PRIVATE)?;
//! assert_eq!(std::fs::read(&path)?, b"second");
//! let refused = write(&path, b"third", &Terms { existing: refiner_atomic_file::Existing::Keep, ..Terms::PRIVATE });
//! assert_eq!(refused.map_err(|error| error.kind()), Err(std::io::ErrorKind::AlreadyExists));
//! # Ok::<_, std::io::Error>(())
//! ```

use std::{
    fs::{self, File, Permissions},
    io::{self, Write as _},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

/// Prefix of the names of files that are not finished.
pub const PREFIX: &str = ".tmp";

/// Mode of a file for its owner alone.
const PRIVATE_MODE: u32 = 0o600;
/// Mode of an ordinary file, before the umask.
const SHARED_MODE: u32 = 0o644;

/// Most links that lead from one to the next, as in Linux.
const LINKS_MAX: usize = 40;

/// Users that may read a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Its owner.
    Owner,
    /// Whoever the umask of the process lets read an ordinary file.
    Ordinary,
}

/// Treatment of a file that has the name already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// It is replaced.
    Replace,
    /// It stays, and the new file is refused with [`io::ErrorKind::AlreadyExists`].
    Keep,
}

/// Parts that are on the disk when a file has been written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// None: the file can be made again.
    None,
    /// The bytes: after a power failure there is the old file or the new one, whole.
    Bytes,
    /// The bytes and then the name: after a power failure there is the new file.
    Name,
}

/// The terms on which a file is written.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// The directory in which it is written, of the same file system; that of its name where there is none.
    pub partial: Option<&'a Path>,
    /// Users that may read it.
    pub access: Access,
    /// Treatment of a file that is there.
    pub existing: Existing,
    /// Parts that are on the disk at the end.
    pub durability: Durability,
}

impl Terms<'_> {
    /// A file for its owner alone, which replaces another and can be made again.
    pub const PRIVATE: Self =
        Self { partial: None, access: Access::Owner, existing: Existing::Replace, durability: Durability::None };
    /// The same for an ordinary file.
    pub const ORDINARY: Self = Self { access: Access::Ordinary, ..Self::PRIVATE };
}

/// A file on its way to its name. Dropped before [`finish`](Self::finish), it is removed.
#[derive(Debug)]
pub struct Partial<'a> {
    file: NamedTempFile,
    path: &'a Path,
    terms: Terms<'a>,
}

impl<'a> Partial<'a> {
    /// Begins an empty file.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn begin(path: &'a Path, terms: &Terms<'a>) -> io::Result<Self> {
        let mode = match terms.access {
            Access::Owner => PRIVATE_MODE,
            Access::Ordinary => SHARED_MODE,
        };
        let directory = terms.partial.unwrap_or_else(|| directory_of(path));
        let permissions = Permissions::from_mode(mode);
        let file = tempfile::Builder::new().prefix(PREFIX).permissions(permissions).tempfile_in(directory)?;
        Ok(Self { file, path, terms: *terms })
    }

    /// The file, to be written.
    pub fn file(&mut self) -> &mut File {
        self.file.as_file_mut()
    }

    /// The path under which it is written, for programs that open files themselves.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Gives the file its name.
    ///
    /// # Errors
    ///
    /// The system's, and [`io::ErrorKind::AlreadyExists`] for [`Existing::Keep`]. The unfinished file is then removed.
    pub fn finish(self) -> io::Result<()> {
        let Self { file, path, terms } = self;
        if terms.durability != Durability::None {
            file.as_file().sync_all()?;
        }
        match terms.existing {
            Existing::Replace => file.persist(path),
            Existing::Keep => file.persist_noclobber(path),
        }
        .map_err(|error| error.error)?;
        if terms.durability == Durability::Name {
            // The name is on the disk only when its directory is.
            File::open(directory_of(path))?.sync_all()?;
        }
        Ok(())
    }
}

/// Writes a whole file.
///
/// # Errors
///
/// Those of [`write_with`].
pub fn write(path: &Path, bytes: &[u8], terms: &Terms<'_>) -> io::Result<()> {
    write_with(path, terms, |file| file.write_all(bytes))
}

/// Writes a file by `fill`, whose error leaves what was there.
///
/// # Errors
///
/// Those of `fill`, of [`Partial::begin`] and of [`Partial::finish`].
pub fn write_with(path: &Path, terms: &Terms<'_>, fill: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let mut partial = Partial::begin(path, terms)?;
    fill(partial.file())?;
    partial.finish()
}

/// Writes a whole file to where a path leads. A link stays one, and the file that it names is replaced; what is there and no file, a device
/// or a pipe, is written to.
///
/// # Errors
///
/// Those of [`write`].
pub fn write_through(path: &Path, bytes: &[u8], terms: &Terms<'_>) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(found) if !found.is_file() && !found.is_dir() => File::options().write(true).open(path)?.write_all(bytes),
        _ => write(&followed(path)?, bytes, terms),
    }
}

/// The path that the links at the end of a path lead to, whether a file is there or not.
///
/// # Errors
///
/// A link cannot be read, or there are too many, as in a circle.
pub fn followed(path: &Path) -> io::Result<PathBuf> {
    let mut followed = path.to_owned();
    for _ in 0..LINKS_MAX {
        if !fs::symlink_metadata(&followed).is_ok_and(|found| found.is_symlink()) {
            return Ok(followed);
        }
        followed = directory_of(&followed).join(fs::read_link(&followed)?);
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, format!("more than {LINKS_MAX} links lead from one to the next")))
}

/// Device and inode of the regular file that a path leads to, by whatever names and links. None of devices and pipes, which hold nothing that
/// could be lost.
#[must_use]
pub fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(path).ok().filter(fs::Metadata::is_file).map(|found| (found.dev(), found.ino()))
}

/// The directory in which a path names a file.
#[must_use]
pub fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// True for the name of a file that is not finished, or was left by a process that died.
#[must_use]
pub fn is_partial(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(PREFIX.as_bytes()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn failed_write_leaves_what_was_there_and_no_other_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        write(&path, b"old", &Terms::PRIVATE).unwrap();
        let failed = write_with(&path, &Terms::PRIVATE, |file| {
            file.write_all(b"half")?;
            Err(io::ErrorKind::StorageFull.into())
        });
        assert_eq!(failed.unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!((fs::read(&path).unwrap(), names(directory.path())), (b"old".to_vec(), vec!["file".to_owned()]));
    }

    #[test]
    fn file_that_is_kept_is_not_replaced_and_the_new_one_is_removed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        let terms = Terms { existing: Existing::Keep, durability: Durability::Name, ..Terms::PRIVATE };
        write(&path, b"one", &terms).unwrap();
        assert_eq!(write(&path, b"two", &terms).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!((fs::read(&path).unwrap(), names(directory.path())), (b"one".to_vec(), vec!["file".to_owned()]));
    }

    #[test]
    fn only_ordinary_files_are_for_others_too() {
        let directory = tempfile::tempdir().unwrap();
        let (private, ordinary) = (directory.path().join("private"), directory.path().join("ordinary"));
        write(&private, b"", &Terms::PRIVATE).unwrap();
        write(&ordinary, b"", &Terms::ORDINARY).unwrap();
        let made = directory.path().join("made");
        fs::write(&made, b"").unwrap();
        assert_eq!((mode(&private), mode(&ordinary)), (0o600, mode(&made) & 0o644));
    }

    #[test]
    fn file_is_written_in_the_directory_that_is_named_for_it() {
        let directory = tempfile::tempdir().unwrap();
        let elsewhere = directory.path().join("partial");
        fs::create_dir(&elsewhere).unwrap();
        let path = directory.path().join("file");
        let terms = Terms { partial: Some(&elsewhere), durability: Durability::Bytes, ..Terms::PRIVATE };
        let mut partial = Partial::begin(&path, &terms).unwrap();
        partial.file().write_all(b"whole").unwrap();
        assert!(is_partial(partial.path()) && partial.path().starts_with(&elsewhere) && !path.exists());
        partial.finish().unwrap();
        assert_eq!((fs::read(&path).unwrap(), names(&elsewhere)), (b"whole".to_vec(), Vec::<String>::new()));
        assert!(!is_partial(&path));
    }

    #[test]
    fn link_stays_a_link_also_to_a_file_that_is_not_there_and_a_device_a_device() {
        let directory = tempfile::tempdir().unwrap();
        let (file, link) = (directory.path().join("file"), directory.path().join("link"));
        // Relative to the directory of the link.
        symlink("file", &link).unwrap();
        for content in [b"new", b"old"] {
            write_through(&link, content, &Terms::ORDINARY).unwrap();
            assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
            assert_eq!((fs::read(&file).unwrap(), names(directory.path()).len()), (content.to_vec(), 2));
        }
        // The device takes nothing, which tells that it was written to.
        let full = write_through(Path::new("/dev/full"), b"new", &Terms::ORDINARY).unwrap_err();
        assert_eq!(full.kind(), io::ErrorKind::StorageFull);
        let circle = directory.path().join("circle");
        symlink("circle", &circle).unwrap();
        assert!(write_through(&circle, b"new", &Terms::ORDINARY).is_err());
        assert!(fs::symlink_metadata(&circle).unwrap().is_symlink());
    }

    #[test]
    fn one_file_is_known_by_any_of_its_names_and_a_device_is_none() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::write(at("file"), "same").unwrap();
        fs::write(at("copy"), "same").unwrap();
        symlink("file", at("link")).unwrap();
        fs::hard_link(at("file"), at("name")).unwrap();
        assert!(identity(&at("file")).is_some());
        for (name, is_same) in [("link", true), ("name", true), ("./file", true), ("copy", false), ("nowhere", false)] {
            assert_eq!(identity(&at(name)) == identity(&at("file")), is_same, "{name}");
        }
        assert_eq!(identity(Path::new("/dev/null")), None);
    }

    #[test]
    fn name_without_a_directory_is_one_of_the_working_directory() {
        assert_eq!(directory_of(Path::new("file")), Path::new("."));
        assert_eq!(directory_of(Path::new("a/file")), Path::new("a"));
    }
}
