//! Components on this machine.

use std::{fs, io::Read as _, path::Path};

use crate::{
    COMPONENT_BYTES_MAX, Instead, MANIFEST_BYTES_MAX, RuleSource, SourceError,
    resolver::{Component, fetched},
};

/// A component with the manifest of the same name beside it, if there is one.
pub(crate) fn file(path: &Path) -> Result<Component, SourceError> {
    let bytes = read(path, COMPONENT_BYTES_MAX)?;
    let source = RuleSource::File(path.to_owned());
    if let Some(instead) = Instead::of(&bytes) {
        return Err(SourceError::Instead { source_name: source.shown(), instead });
    }
    let component = fetched(&source, bytes, |_| source.clone());
    let manifest = path.with_extension("toml");
    let text = if manifest.is_file() { Some(read(&manifest, MANIFEST_BYTES_MAX)?) } else { None };
    component.with_manifest(text, |_| source.clone())
}

fn read(path: &Path, limit_bytes: usize) -> Result<Vec<u8>, SourceError> {
    let refuse = |source| SourceError::Read { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(refuse)?;
    file.take(limit_bytes as u64 + 1).read_to_end(&mut bytes).map_err(refuse)?;
    if bytes.len() > limit_bytes {
        return Err(SourceError::TooLarge { source_name: path.display().to_string(), limit_bytes });
    }
    Ok(bytes)
}
