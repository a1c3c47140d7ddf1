//! Files of a data set that no unit has. A query over all files of a pattern would read them.

use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
};

use refiner_data_set::{DataSetError, Manifest};
use refiner_remote_files::StoreFolder;

use super::{compare::Made, finding::Finding};

/// The folder in which a replay keeps results in which executors differ, and the ends of their names.
const DIFFERENCES: &str = "differences";
const DIFFERENCE_ENDS: [&str; 2] = ["json", "txt"];
/// Files that are named one by one.
const SHOWN: usize = 10;

/// The first files that no unit has, by their names, and the number of the others.
pub fn unlisted(made: &Made, manifest_path: &Path, manifest: &Manifest) -> Result<Vec<Finding>, DataSetError> {
    let own = manifest_path.file_name().map(Path::new);
    let listed = Listed::of(manifest, own);
    let mut found = match made {
        Made::Directory(directory) => listed.others_in(directory)?,
        Made::Store { folder, .. } => listed.others_of(folder)?,
    };
    found.sort();
    let more = found.len().saturating_sub(SHOWN);
    let named = found.into_iter().take(SHOWN).map(|path| Finding::Unlisted { path: path.display().to_string() });
    Ok(named.chain((more > 0).then_some(Finding::MoreUnlisted { files: more })).collect())
}

/// Files that units have, and the folders above them.
struct Listed<'a> {
    files: HashSet<&'a Path>,
    folders: HashSet<&'a Path>,
    /// The manifest.
    own: Option<&'a Path>,
}

impl<'a> Listed<'a> {
    fn of(manifest: &'a Manifest, own: Option<&'a Path>) -> Self {
        let files: HashSet<_> =
            manifest.units.iter().flat_map(|unit| unit.files.iter().map(|file| Path::new(&file.path))).collect();
        let folders = files.iter().flat_map(|file| file.ancestors().skip(1)).collect();
        Self { files, folders, own }
    }

    /// True for a file of a unit, and for what a replay writes beside them.
    fn has(&self, path: &Path) -> bool {
        self.files.contains(path) || self.own == Some(path) || is_of_the_replay(path)
    }

    fn others_in(&self, directory: &Path) -> Result<Vec<PathBuf>, DataSetError> {
        let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
        let mut others = Vec::new();
        let mut folders = vec![PathBuf::new()];
        while let Some(folder) = folders.pop() {
            let whole = directory.join(&folder);
            let read = fs::read_dir(&whole).and_then(|entries| {
                for entry in entries {
                    let entry = entry?;
                    let path = folder.join(entry.file_name());
                    if self.has(&path) {
                        continue;
                    }
                    if self.is_folder(&path, &entry)? { folders.push(path) } else { others.push(path) }
                }
                Ok(())
            });
            read.map_err(|source| DataSetError::Io { path: whole, source })?;
        }
        Ok(others)
    }

    /// True for a directory. A link to one is followed where units have files below it, which ends with their paths.
    fn is_folder(&self, path: &Path, entry: &fs::DirEntry) -> io::Result<bool> {
        let kind = entry.file_type()?;
        let leads_to_files = || self.folders.contains(path) && entry.path().is_dir();
        Ok(kind.is_dir() || (kind.is_symlink() && leads_to_files()))
    }

    fn others_of(&self, folder: &StoreFolder) -> Result<Vec<PathBuf>, DataSetError> {
        let objects = folder.list()?.into_iter().map(|(path, _)| PathBuf::from(path));
        // An object with the name of the prefix itself stands for a folder.
        Ok(objects.filter(|path| !path.as_os_str().is_empty() && !self.has(path)).collect())
    }
}

/// True for a file or folder that a replay leaves beside the files of units: whatever begins with an underscore, and results in which
/// executors differ.
fn is_of_the_replay(path: &Path) -> bool {
    let is_difference = || {
        let is_end = |end: &str| DIFFERENCE_ENDS.contains(&end);
        path.parent() == Some(Path::new(DIFFERENCES))
            && path.extension().and_then(|end| end.to_str()).is_some_and(is_end)
    };
    path.as_os_str().as_encoded_bytes().starts_with(b"_") || is_difference()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn others(directory: &Path, files: &[&str]) -> Vec<String> {
        let files: HashSet<_> = files.iter().map(Path::new).collect();
        let folders = files.iter().flat_map(|file| file.ancestors().skip(1)).collect();
        let listed = Listed { files, folders, own: Some(Path::new("copy.json")) };
        let mut others: Vec<_> =
            listed.others_in(directory).unwrap().into_iter().map(|path| path.display().to_string()).collect();
        others.sort();
        others
    }

    #[test]
    fn files_that_no_unit_has_are_found_and_what_a_replay_leaves_is_not() {
        let directory = tempfile::tempdir().unwrap();
        for path in [
            "_manifest.json",
            "_staging/r/a.csv",
            "copy.json",
            "differences/1-1.canonical.remote.json",
            "differences/1-1.canonical.remote.txt",
            "differences/b.csv",
            "r/o/chain-1/a.csv",
            "r/o/chain-1/_b.csv",
            "r/p/c.csv",
            ".d",
        ] {
            let path = directory.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        fs::create_dir(directory.path().join("empty")).unwrap();
        let expected = [".d", "differences/b.csv", "r/o/chain-1/_b.csv", "r/p/c.csv"];
        assert_eq!(others(directory.path(), &["r/o/chain-1/a.csv", "r/o/chain-1/absent.csv"]), expected);
    }

    #[test]
    fn links_are_followed_to_files_of_units_and_no_further() {
        let [directory, elsewhere] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        fs::write(elsewhere.path().join("a.csv"), "x").unwrap();
        fs::write(elsewhere.path().join("b.csv"), "x").unwrap();
        symlink(elsewhere.path(), directory.path().join("r")).unwrap();
        symlink(".", elsewhere.path().join("circle")).unwrap();
        symlink(elsewhere.path(), directory.path().join("s")).unwrap();
        assert_eq!(others(directory.path(), &["r/a.csv"]), ["r/b.csv", "r/circle", "s"]);
    }
}
