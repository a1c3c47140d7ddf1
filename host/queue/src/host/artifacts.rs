//! Artifacts until the coordinator has them: in memory, and in the store where they may have to wait for long or there is no room.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use refiner_content::{
    Content, ContentId, KeepError, LocalStore,
    serve::{ContentName, ContentSource},
};
use refiner_diagnostics::ErrorChain;

use crate::limits::{ARTIFACTS_FETCHED_KEPT, ARTIFACTS_KEPT_BYTES};

/// The artifacts of a host.
pub(super) struct Artifacts {
    store: LocalStore,
    // A lock because slots keep and the server reads; held for a look into the maps.
    memory: Mutex<Memory>,
    bytes_max: usize,
}

#[derive(Default)]
struct Memory {
    held: HashMap<ContentId, Held>,
    oldest_first: VecDeque<ContentId>,
    /// Those that were fetched, the first in front. Some may have made room since.
    fetched: VecDeque<ContentId>,
    bytes: usize,
}

struct Held {
    bytes: Bytes,
    /// It is in the store, or was fetched: memory may forget it.
    is_dispensable: bool,
}

/// The oldest artifact, which the coordinator may still ask for and the store does not have.
struct InTheWay {
    id: ContentId,
    bytes: Bytes,
}

impl Artifacts {
    /// Those of this store, and none in memory yet.
    pub fn over(store: LocalStore) -> Self {
        Self { store, memory: Mutex::default(), bytes_max: ARTIFACTS_KEPT_BYTES }
    }

    /// Keeps an artifact. One that `lasts` is in the store too, for a coordinator that may ask when this host has been started again.
    /// Neither is synced: an artifact that a power failure takes is made again. An error leaves every artifact that was kept before.
    pub fn keep(&self, content: &Content, lasts: bool) -> Result<(), KeepError> {
        let (id, bytes) = (content.unixfs_id(), content.bytes());
        let is_too_large = bytes.len() > self.bytes_max;
        if lasts || is_too_large {
            self.store.write_unsynced(content)?;
        }
        if is_too_large {
            return Ok(());
        }
        loop {
            let kept = self.memory().keep(id, bytes, lasts, self.bytes_max);
            let Err(InTheWay { id: other, bytes: others }) = kept else { return Ok(()) };
            // It is served from memory until the store has it. Where the store takes nothing, it stays, and there is no place for the new one.
            self.store.write_unsynced(&Content::of(others))?;
            self.memory().is_in_store(&other);
        }
    }

    /// The maps are whole after each call.
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    /// Keeps content. Where there is no room, the oldest makes some if it may be forgotten, and is in the way otherwise.
    fn keep(&mut self, id: ContentId, bytes: &Bytes, is_dispensable: bool, bytes_max: usize) -> Result<(), InTheWay> {
        if let Some(there) = self.held.get_mut(&id) {
            // The same bytes as another result.
            there.is_dispensable &= is_dispensable;
            return Ok(());
        }
        while self.bytes + bytes.len() > bytes_max {
            let Some(oldest) = self.oldest_first.front().copied() else { break };
            match self.held.get(&oldest) {
                Some(Held { bytes, is_dispensable: false }) => {
                    return Err(InTheWay { id: oldest, bytes: bytes.clone() });
                }
                Some(Held { bytes, is_dispensable: true }) => self.bytes -= bytes.len(),
                None => {}
            }
            self.held.remove(&oldest);
            self.oldest_first.pop_front();
        }
        self.bytes += bytes.len();
        self.held.insert(id, Held { bytes: bytes.clone(), is_dispensable });
        self.oldest_first.push_back(id);
        Ok(())
    }

    /// The store has it: it may be forgotten.
    fn is_in_store(&mut self, id: &ContentId) {
        if let Some(held) = self.held.get_mut(id) {
            held.is_dispensable = true;
        }
    }

    /// The bytes of content that is being fetched. The last few are kept for a coordinator that asks once more; the memory of those before is
    /// used for the next ones.
    fn fetch(&mut self, id: &ContentId) -> Option<Bytes> {
        let held = self.held.get_mut(id)?;
        let bytes = held.bytes.clone();
        held.is_dispensable = true;
        if !self.fetched.contains(id) {
            self.fetched.push_back(*id);
        }
        while self.fetched.len() > ARTIFACTS_FETCHED_KEPT {
            let Some(first) = self.fetched.pop_front() else { break };
            // The same bytes may have come again, and wait.
            if self.held.get(&first).is_some_and(|held| held.is_dispensable) {
                self.bytes -= self.held.remove(&first).map_or(0, |held| held.bytes.len());
                self.oldest_first.retain(|other| *other != first);
            }
        }
        Some(bytes)
    }
}

impl ContentSource for Artifacts {
    fn length(&self, name: &ContentName) -> Option<usize> {
        let ContentName::Id(id) = name else { return None };
        let in_memory = self.memory().held.get(id).map(|held| held.bytes.len());
        in_memory.or_else(|| self.store.length(id))
    }

    fn in_memory(&self, name: &ContentName) -> Option<Bytes> {
        let ContentName::Id(id) = name else { return None };
        self.memory().fetch(id)
    }

    fn read(&self, name: &ContentName) -> Option<Bytes> {
        let ContentName::Id(id) = name else { return None };
        match self.store.read(id) {
            Ok(content) => Some(content.into_bytes()),
            Err(error) => {
                tracing::warn!(%id, error = %ErrorChain(&error), "artifact not served");
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use refiner_content::CONTENT_BYTES_MAX;

    use super::*;

    fn content(byte: u8, length: usize) -> Content {
        Content::of(vec![byte; length].into())
    }

    #[test]
    fn artifact_is_served_until_it_was_fetched_whether_memory_had_room_or_not() {
        let directory = tempfile::tempdir().unwrap();
        let store = LocalStore::open(directory.path(), CONTENT_BYTES_MAX).unwrap();
        let artifacts = Artifacts { bytes_max: 250, ..Artifacts::over(store.clone()) };
        let name = |content: &Content| ContentName::Id(content.id());
        let served = |content: &Content| artifacts.in_memory(&name(content)).or_else(|| artifacts.read(&name(content)));
        let [first, second, third] = [1, 2, 3].map(|byte| content(byte, 100));
        for content in [&first, &second] {
            artifacts.keep(content, false).unwrap();
            assert!(!store.has(&content.id()), "it is in memory");
        }
        assert_eq!(served(&second).as_ref(), Some(second.bytes()));
        artifacts.keep(&third, false).unwrap();
        assert!(store.has(&first.id()), "it was not fetched, and had to make room");
        let fourth = content(4, 100);
        artifacts.keep(&fourth, false).unwrap();
        assert!(!store.has(&second.id()), "it was fetched");
        for content in [&first, &third, &fourth] {
            assert_eq!(artifacts.length(&name(content)), Some(100));
            assert_eq!(served(content).as_ref(), Some(content.bytes()));
        }
        assert_eq!(artifacts.length(&name(&second)), None);
        let (large, lasting) = (content(5, 251), content(6, 10));
        artifacts.keep(&large, false).unwrap();
        artifacts.keep(&lasting, true).unwrap();
        for content in [&large, &lasting] {
            assert!(store.has(&content.id()));
            assert_eq!(served(content).as_ref(), Some(content.bytes()));
        }
        assert!(artifacts.memory().bytes <= 250);
    }

    #[test]
    fn artifacts_that_the_store_does_not_take_stay_in_memory_and_the_new_one_is_not_kept() {
        let directory = tempfile::tempdir().unwrap();
        let (path, away) = (directory.path().join("store"), directory.path().join("away"));
        let store = LocalStore::open(&path, CONTENT_BYTES_MAX).unwrap();
        let artifacts = Artifacts { bytes_max: 250, ..Artifacts::over(store.clone()) };
        let [first, second, third] = [1, 2, 3].map(|byte| content(byte, 100));
        for content in [&first, &second] {
            artifacts.keep(content, false).unwrap();
        }
        std::fs::rename(&path, &away).unwrap();
        std::fs::write(&path, "").unwrap();
        assert!(artifacts.keep(&third, false).is_err());
        for (content, length) in [(&first, Some(100)), (&second, Some(100)), (&third, None)] {
            assert_eq!(artifacts.length(&ContentName::Id(content.id())), length);
        }
        std::fs::remove_file(&path).unwrap();
        std::fs::rename(&away, &path).unwrap();
        artifacts.keep(&third, false).unwrap();
        assert!(store.has(&first.id()) && !store.has(&second.id()));
        assert_eq!(artifacts.in_memory(&ContentName::Id(third.id())).as_ref(), Some(third.bytes()));
    }

    #[test]
    fn memory_has_what_was_not_fetched_and_the_last_few_that_were() {
        let directory = tempfile::tempdir().unwrap();
        let artifacts = Artifacts::over(LocalStore::open(directory.path(), CONTENT_BYTES_MAX).unwrap());
        let contents: Vec<_> = (0..40).map(|byte| content(byte, 100)).collect();
        let fetch = |content: &Content| artifacts.in_memory(&ContentName::Id(content.id())).is_some();
        for content in &contents {
            artifacts.keep(content, false).unwrap();
        }
        assert!(contents[..30].iter().all(fetch) && fetch(&contents[29]));
        let memory = artifacts.memory();
        let left = ARTIFACTS_FETCHED_KEPT + 10;
        assert_eq!((memory.held.len(), memory.oldest_first.len(), memory.bytes), (left, left, left * 100));
        assert!(contents[30 - ARTIFACTS_FETCHED_KEPT..].iter().all(|content| memory.held.contains_key(&content.id())));
        drop(memory);
        assert!(!fetch(&contents[0]), "it is made again where it is asked for again");
    }
}
