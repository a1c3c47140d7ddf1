//! The objects below a URL, and their bytes.

use std::{
    collections::HashSet,
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::Bytes;
use glob::{MatchOptions, Pattern};
use object_store::{GetOptions, GetRange, ObjectMeta, ObjectStore, ObjectStoreExt as _, path::Path};
use tokio::runtime::Handle;

use crate::{
    ahead::{Coming, ReadAhead},
    error::{ReadFault, RemoteError},
    kind::StoreKind,
    objects::Objects,
};

/// As in a shell: a star does not cross directories.
const LIKE_A_SHELL: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: false };

/// Bytes that are kept of an object's beginning: by them a compressed file is known.
const START_BYTES: usize = 8;

/// An object that was looked at.
pub(crate) struct Seen {
    start: [u8; START_BYTES],
    /// The mark of its content, which some stores do not list.
    e_tag: Option<String>,
}

/// Objects of one store.
pub(crate) struct Listing {
    /// The part of an object's URL before its key.
    pub base: String,
    pub store: Arc<dyn ObjectStore>,
    pub objects: Vec<ObjectMeta>,
    /// The objects as they were when their first bytes were read, where they were.
    pub seen: Vec<OnceLock<Seen>>,
    pub runtime: Handle,
    pub ahead: ReadAhead,
}

/// A URL of a store, in its parts.
pub(crate) struct StoreUrl<'a> {
    /// The URL as it was given.
    pub name: &'a str,
    pub kind: StoreKind,
    /// The key, a prefix or a pattern, as it is: nothing in it is an escape.
    pub key: &'a str,
    /// The longest time without a further object of a listing.
    pub wait: Duration,
}

impl StoreUrl<'_> {
    /// The objects that the URL names, by their keys.
    pub async fn objects(
        &self,
        store: &Arc<dyn ObjectStore>,
        wanted: &(dyn Fn(&str) -> bool + Sync),
    ) -> Result<Vec<ObjectMeta>, RemoteError> {
        if let Some(first) = self.key.find(['*', '?', '[']) {
            let pattern = Pattern::new(self.key);
            let pattern = pattern.map_err(|source| RemoteError::Pattern { name: self.name.to_owned(), source })?;
            let prefix = self.key[..first].rsplit_once('/').map_or("", |(prefix, _)| prefix);
            return self.list(store, prefix, &|key| pattern.matches_with(key, LIKE_A_SHELL)).await;
        }
        let mut head = None;
        if !self.key.is_empty() && !self.key.ends_with('/') {
            match store.head(&self.path(self.key)?).await {
                Ok(object) => return Ok(vec![object]),
                // Stores have several answers for what is not there; the listing has the last word.
                Err(error) => head = Some(error),
            }
        }
        let listed = self.list(store, self.key, &|key| wanted(key.rsplit('/').next().unwrap_or(key))).await;
        match (listed, head) {
            (Err(RemoteError::Store { fault: ReadFault::Missing, .. }), Some(error)) => Err(self.refused(&error)),
            (listed, _) => listed,
        }
    }

    async fn list(
        &self,
        store: &Arc<dyn ObjectStore>,
        prefix: &str,
        wanted: &(dyn Fn(&str) -> bool + Sync),
    ) -> Result<Vec<ObjectMeta>, RemoteError> {
        let prefix = self.path(prefix.trim_end_matches('/'))?;
        let (mut objects, mut folders) = (Vec::new(), Folders::default());
        let mut listed = Objects::below(&**store, &prefix, self.name, self.kind, self.wait);
        while let Some(object) = listed.next().await? {
            folders.see(&object);
            if wanted(object.location.as_ref()) {
                objects.push(object);
            }
        }
        objects.retain(|object| !folders.hold(object));
        objects.sort_by(|one, other| one.location.cmp(&other.location));
        match objects.is_empty() {
            false => Ok(objects),
            true if listed.seen() == 0 => {
                Err(RemoteError::Store { name: self.name.to_owned(), kind: None, fault: ReadFault::Missing })
            }
            true => Err(RemoteError::Empty { name: self.name.to_owned(), objects: listed.seen() }),
        }
    }

    fn path(&self, key: &str) -> Result<Path, RemoteError> {
        Path::parse(key).map_err(|source| self.refused(&object_store::Error::InvalidPath { source }))
    }

    fn refused(&self, error: &object_store::Error) -> RemoteError {
        RemoteError::Store { name: self.name.to_owned(), kind: Some(self.kind), fault: ReadFault::of(error) }
    }
}

/// Objects without bytes that stand for folders, as consoles of stores make them: `a/` of the key `a/b`, which the client lists as `a`.
#[derive(Default)]
struct Folders {
    empty: HashSet<Path>,
    found: HashSet<Path>,
}

impl Folders {
    /// Takes note of an object, in the order of the listing: what is below a key comes after it.
    fn see(&mut self, object: &ObjectMeta) {
        if !self.empty.is_empty() {
            let mut key = object.location.as_ref();
            while let Some((above, _)) = key.rsplit_once('/') {
                if let Some(folder) = self.empty.take(&Path::from(above)) {
                    self.found.insert(folder);
                }
                key = above;
            }
        }
        if object.size == 0 {
            self.empty.insert(object.location.clone());
        }
    }

    fn hold(&self, object: &ObjectMeta) -> bool {
        self.found.contains(&object.location)
    }
}

impl Listing {
    /// Reads an object. It is the one that was listed, whole, or an error.
    pub fn read(&self, number: usize) -> Result<Bytes, ReadFault> {
        let coming =
            self.ahead.take(number, |number| Some(self.objects.get(number)?.size), |number| self.send_for(number));
        self.runtime.block_on(coming).map_err(|_| ReadFault::Ended)?
    }

    fn send_for(&self, number: usize) -> Coming {
        let (store, mut object) = (Arc::clone(&self.store), self.objects[number].clone());
        if let Some(seen) = self.seen[number].get() {
            object.e_tag = object.e_tag.or_else(|| seen.e_tag.clone());
        }
        self.runtime.spawn(async move { Ok(get(&*store, &object, None).await?.0) })
    }

    /// Reads the first bytes of an object.
    pub fn head(&self, number: usize, limit: u64) -> Result<Bytes, ReadFault> {
        let seen = &self.seen[number];
        if let Some(Seen { start, .. }) = seen.get().filter(|_| limit <= START_BYTES as u64) {
            return Ok(start.iter().copied().take(usize::try_from(limit).unwrap_or_default()).collect());
        }
        let (head, e_tag) = self.runtime.block_on(get(&*self.store, &self.objects[number], Some(limit)))?;
        if let Some(start) = head.first_chunk() {
            let _ = seen.set(Seen { start: *start, e_tag });
        }
        Ok(head)
    }
}

/// The bytes of an object, or the first of them, and the mark of its content.
async fn get(
    store: &dyn ObjectStore,
    object: &ObjectMeta,
    first: Option<u64>,
) -> Result<(Bytes, Option<String>), ReadFault> {
    let bytes = first.map_or(object.size, |first| first.min(object.size));
    if bytes == 0 {
        return Ok((Bytes::new(), None));
    }
    let listed = object.e_tag.as_deref().map(quoted);
    let options = GetOptions {
        if_match: listed.clone(),
        range: (bytes < object.size).then_some(GetRange::Bounded(0..bytes)),
        ..GetOptions::default()
    };
    let answer = store.get_opts(&object.location, options).await.map_err(|error| ReadFault::of(&error))?;
    // A store may not know the condition, and list no mark.
    let e_tag = answer.meta.e_tag.as_deref().map(quoted);
    let is_another = listed.is_some() && e_tag.is_some() && e_tag != listed;
    // The head of an answer has whole seconds.
    let is_later = answer.meta.last_modified.timestamp() > object.last_modified.timestamp();
    if is_another || is_later || answer.meta.size != object.size {
        return Err(ReadFault::Changed);
    }
    // An answer without a stated length is refused by the client, and one of another length by the protocol.
    let read = answer.bytes().await.map_err(|error| ReadFault::of(&error))?;
    Ok((read, e_tag))
}

/// A mark as HTTP writes it. Azure's lists leave the quotes out, and its answers have them.
fn quoted(mark: &str) -> String {
    if mark.starts_with('"') || mark.starts_with("W/") { mark.to_owned() } else { format!("\"{mark}\"") }
}

impl fmt::Debug for Listing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listing")
            .field("base", &self.base)
            .field("objects", &self.objects.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_that_stand_for_folders_are_known_by_what_is_below_them() {
        let object = |key: &str, size| ObjectMeta {
            location: Path::from(key),
            last_modified: Default::default(),
            size,
            e_tag: None,
            version: None,
        };
        // `a/1-20/` and `b/` are listed without their slashes. Without anything below, an empty object is one like any other.
        let listed = [("a/1-10", 3), ("a/1-20", 0), ("a/1-20/x/y", 7), ("a/1-200", 0), ("b", 0), ("b/1", 0)];
        let mut folders = Folders::default();
        let objects = listed.map(|(key, size)| object(key, size));
        objects.iter().for_each(|object| folders.see(object));
        let kept: Vec<_> =
            objects.iter().filter(|object| !folders.hold(object)).map(|one| one.location.as_ref()).collect();
        assert_eq!(kept, ["a/1-10", "a/1-20/x/y", "a/1-200", "b/1"]);
    }
}
