//! The package `refiner` of this repository.

use std::{fs, io, path::Path};

use crate::Wheel;

/// The stable interface of Python 3.10 and later, on the platform that this project is built for.
pub const TAG: &str = "cp310-abi3-linux_x86_64";

/// The package's sources below the repository's root.
const SOURCES: &str = "host/python/refiner";
/// Its long description.
const DESCRIPTION: &str = "docs/python.md";
/// The name that the interpreter loads the extension by.
const EXTENSION: &str = "_native.abi3.so";

/// The wheel of the sources below a repository's root and of this extension, which `host/python` builds.
///
/// # Errors
///
/// A file cannot be read.
pub fn of_repository(root: &Path, version: &str, extension: &Path) -> io::Result<Wheel> {
    let mut wheel = Wheel::new("refiner", version, TAG);
    wheel.summary = "Rules over block specimens, into Arrow tables.".to_owned();
    wheel.licence = "Apache-2.0".to_owned();
    wheel.requires_python = ">=3.10".to_owned();
    wheel.description = fs::read_to_string(root.join(DESCRIPTION))?;
    for entry in fs::read_dir(root.join(SOURCES))? {
        let entry = entry?;
        // A cache of the interpreter may be there.
        if entry.file_type()?.is_file() {
            wheel.add(&format!("refiner/{}", entry.file_name().to_string_lossy()), fs::read(entry.path())?);
        }
    }
    wheel.add(&format!("refiner/{EXTENSION}"), fs::read(extension)?);
    Ok(wheel)
}
