//! Components that were fetched, by what names their bytes. What is read is hashed again, so a damaged file is fetched anew.

use std::{
    fs,
    io::{self, Read as _, Write as _},
    path::PathBuf,
};

use refiner_content::{ContentId, content_id};
use refiner_directory_cache::{DirectoryCache, Durability};

use crate::{COMPONENT_BYTES_MAX, Sha256};

/// Bytes of all files together; the oldest go when a new one does not fit. Some thousand rules, or a dozen with Python in them.
const CACHE_BYTES_MAX: u64 = 1 << 30;

/// A name of bytes by which they can be checked.
#[derive(Clone, Copy, Debug)]
pub enum Name {
    /// Hash of the bytes.
    Sha256(Sha256),
    /// Their content id, which does not cover bytes that were cut into blocks by another profile than the network's.
    Content(ContentId),
}

/// A directory of components.
#[derive(Clone, Debug)]
pub struct Cache(DirectoryCache);

impl Cache {
    /// The cache in a directory.
    pub fn in_directory(directory: PathBuf) -> Self {
        Self(DirectoryCache::new(directory, CACHE_BYTES_MAX))
    }

    /// The bytes, if they are there and what they are named.
    pub fn get(&self, name: &Name) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        let file = fs::File::open(self.0.path(&file_name(name))).ok()?;
        file.take(COMPONENT_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).ok()?;
        name.names(&bytes).then_some(bytes)
    }

    /// Keeps bytes. The file appears under its name when it is whole.
    pub fn put(&self, name: &Name, bytes: &[u8]) -> io::Result<()> {
        self.0.put(&file_name(name), Durability::None, |file| file.write_all(bytes))
    }
}

fn file_name(name: &Name) -> String {
    match name {
        Name::Sha256(sha256) => format!("sha256-{sha256}.wasm"),
        Name::Content(id) => format!("ipfs-{id}.wasm"),
    }
}

impl Name {
    fn names(&self, bytes: &[u8]) -> bool {
        match self {
            Self::Sha256(sha256) => Sha256::of(bytes) == *sha256,
            Self::Content(id) => content_id(bytes) == *id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cached_bytes_are_given_while_they_are_what_they_are_named() {
        let directory = tempfile::tempdir().expect("a directory");
        let cache = Cache::in_directory(directory.path().join("a/b"));
        for name in [Name::Sha256(Sha256::of(b"rule")), Name::Content(content_id(b"rule"))] {
            assert_eq!(cache.get(&name), None);
            cache.put(&name, b"rule").expect("the directory can be made");
            assert_eq!(cache.get(&name).as_deref(), Some(&b"rule"[..]));
            fs::write(cache.0.path(&file_name(&name)), b"rulf").expect("it is there");
            assert_eq!(cache.get(&name), None, "{name:?}");
        }
    }
}
