//! Where specimens lie: the committed samples, and the real ones where a machine has them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{KitError, real, sample};

/// A specimen on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecimenFile {
    /// Path of the file.
    pub path: PathBuf,
    /// Content of the file.
    pub bytes: Vec<u8>,
}

impl SpecimenFile {
    /// Reads a specimen.
    ///
    /// # Errors
    ///
    /// [`KitError::File`].
    pub fn read(path: PathBuf) -> Result<Self, KitError> {
        match fs::read(&path) {
            Ok(bytes) => Ok(Self { path, bytes }),
            Err(source) => Err(KitError::File { path, source }),
        }
    }

    /// Chain and height, from the file's name.
    pub fn name(&self) -> String {
        self.path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }
}

/// The root of the workspace.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new("/")).to_owned()
}

/// The folder of the committed samples.
pub fn samples_dir() -> PathBuf {
    workspace().join("tests/samples")
}

/// The committed samples, in order of their names.
///
/// # Errors
///
/// [`KitError::File`].
pub fn samples() -> Result<Vec<SpecimenFile>, KitError> {
    specimens_in(&samples_dir())
}

/// The specimens of a folder, in order of their names.
pub(crate) fn specimens_in(dir: &Path) -> Result<Vec<SpecimenFile>, KitError> {
    let unreadable = |source| KitError::File { path: dir.to_owned(), source };
    let mut paths = Vec::new();
    for entry in fs::read_dir(dir).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "avro") {
            paths.push(path);
        }
    }
    paths.sort();
    paths.into_iter().map(SpecimenFile::read).collect()
}

/// The real specimens where there are some, else the committed samples.
///
/// # Errors
///
/// [`KitError::File`] and [`KitError::Vectors`].
pub fn best_available() -> Result<Vec<SpecimenFile>, KitError> {
    match real::specimens()? {
        Some(specimens) => Ok(specimens.into_iter().map(|specimen| specimen.file).collect()),
        None => samples(),
    }
}

/// Writes the samples, what must come out of them, and the configuration of the private chain.
///
/// # Errors
///
/// [`KitError::File`], or whatever making the samples gives.
pub fn write_samples(dir: &Path) -> Result<Vec<PathBuf>, KitError> {
    sample_files()?
        .into_iter()
        .map(|(name, bytes)| {
            let path = dir.join(name);
            match fs::write(&path, bytes) {
                Ok(()) => Ok(path),
                Err(source) => Err(KitError::File { path, source }),
            }
        })
        .collect()
}

/// Name and content of every file in the folder of samples.
///
/// # Errors
///
/// Whatever making the samples gives.
pub fn sample_files() -> Result<Vec<(String, Vec<u8>)>, KitError> {
    let samples = sample::samples()?;
    let expected = samples.iter().map(sample::Sample::expectations).collect::<Vec<_>>();
    let mut files: Vec<_> =
        samples.into_iter().map(|sample| (format!("{}.avro", sample.name()), sample.bytes)).collect();
    files.push(("expected.json".to_owned(), format!("{:#}\n", serde_json::Value::Array(expected)).into_bytes()));
    files.push(("devnet-1337.json".to_owned(), format!("{:#}\n", sample::devnet_config()).into_bytes()));
    Ok(files)
}
