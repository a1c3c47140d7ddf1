//! Where things are in a clone.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

/// Root folder of the workspace.
pub fn root() -> PathBuf {
    // host/xtask is two folders below it.
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).map_or_else(PathBuf::new, Path::to_path_buf)
}

/// The workspace of the rules.
pub fn rules() -> PathBuf {
    root().join("rules")
}

/// Where built components go. `host/rule-package/build.rs` embeds what is there.
pub fn components() -> PathBuf {
    root().join("target/rules")
}

/// The sample specimens that the project made itself.
pub fn samples() -> PathBuf {
    root().join("tests/samples")
}

/// Real specimens of the network, on machines that have them.
pub fn real_specimens() -> Option<PathBuf> {
    let shared = env::var_os("REFINER_SHARED").map_or_else(|| root().join("../shared"), PathBuf::from);
    shared.join("specimens").canonicalize().ok()
}

/// Files below `directory` whose name ends with `extension`, in order of name. Hidden folders and what builds leave are left
/// out.
pub fn files_below(directory: &Path, extension: &str) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let (name, path) = (entry.file_name(), entry.path());
        if entry.file_type()?.is_dir() {
            if name != "target" && name != "out" && !name.as_encoded_bytes().starts_with(b".") {
                files.append(&mut files_below(&path, extension)?);
            }
        } else if path.extension().is_some_and(|found| found == extension) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Entries of `directory` whose name ends with `extension`, in order of name. None when there is no such directory.
pub fn entries(directory: &Path, extension: &str) -> io::Result<Vec<PathBuf>> {
    let mut paths = match fs::read_dir(directory) {
        Ok(entries) => entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    paths.retain(|path| path.extension().is_some_and(|found| found == extension));
    paths.sort();
    Ok(paths)
}
