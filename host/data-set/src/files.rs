//! Files of a data set, opened.

use std::{
    fs::{self, File},
    io,
    path::Path,
};

/// Opens a file. A pipe, whose other end may never be opened, and anything else that is no file are errors.
pub(crate) fn open_file(path: &Path) -> io::Result<File> {
    if fs::metadata(path)?.is_file() {
        File::open(path)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "expected a regular file"))
    }
}
