//! From a core module, as rustc leaves it, to a component.

use std::{error::Error, fs, io, path::Path};

use wit_component::ComponentEncoder;

/// A module that is no component.
#[derive(Debug, thiserror::Error)]
#[error("the compiled rule is no component")]
pub struct NoComponent(#[source] Box<dyn Error + Send + Sync>);

/// Makes a validated component of a module that carries its component type in a custom section.
///
/// Its imports are those that the module calls, so a rule asks for no capability that it does not use.
pub fn encode(module: &[u8]) -> Result<Vec<u8>, NoComponent> {
    let encoded = ComponentEncoder::default().validate(true).module(module).and_then(|mut encoder| encoder.encode());
    encoded.map_err(|error| NoComponent(error.into()))
}

/// The component of a rule: [`encode`]d, with the text of its `rule.toml` inside.
pub fn of_rule(module: &[u8], manifest: &str) -> Result<Vec<u8>, NoComponent> {
    Ok(refiner_manifest::embed(&encode(module)?, manifest))
}

/// Writes `bytes` to `path` unless they are there already: a newer file with the same content would rebuild whatever
/// embeds it. Returns whether it wrote.
pub fn write_if_changed(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    if fs::read(path).is_ok_and(|present| present == bytes) {
        return Ok(false);
    }
    // By a rename: the name may be one of several of a file, which others keep.
    refiner_atomic_file::write(path, bytes, &refiner_atomic_file::Terms::ORDINARY)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn module_that_is_none_is_refused() {
        assert!(encode(b"\0asm").is_err());
        assert!(encode(b"not wasm").is_err());
    }

    #[test]
    fn file_is_written_only_when_its_content_changes() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("rule.wasm");
        assert!(write_if_changed(&path, b"one").expect("the directory is there"));
        assert!(!write_if_changed(&path, b"one").expect("the directory is there"));
        assert!(write_if_changed(&path, b"two").expect("the directory is there"));
        assert_eq!(fs::read(&path).expect("the file is there"), b"two");
        let link = path.with_extension("link");
        fs::hard_link(&path, &link).expect("the directory is there");
        assert!(write_if_changed(&path, b"three").expect("the directory is there"));
        assert_eq!(fs::read(&link).expect("the link is there"), b"two", "another name keeps its bytes");
    }
}
