//! The content that hosts fetch: rules by their ids, and the specimens that are under way by their hashes, from where they lie.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use refiner_buffers::Buffers;
use refiner_content::serve::{ContentName, ContentSource};
use refiner_specimen_files::input::Input;

/// Bytes of specimens that are kept in memory; others are read again when a host asks.
const KEPT_BYTES_MAX: usize = 256 << 20;

/// Content by its name.
pub(crate) struct Library {
    // A lock because threads offer and the server reads; held for a look into the maps.
    shelves: Mutex<Shelves>,
    kept_bytes_max: usize,
    /// Memory of specimens that are read again.
    buffers: Buffers,
}

impl Default for Library {
    fn default() -> Self {
        Self { shelves: Mutex::default(), kept_bytes_max: KEPT_BYTES_MAX, buffers: Buffers::default() }
    }
}

#[derive(Default)]
struct Shelves {
    entries: HashMap<ContentName, Entry>,
    /// Specimens in memory, the one that came first in front. Some may have been taken back since.
    kept: VecDeque<ContentName>,
    kept_bytes: usize,
}

struct Entry {
    length: usize,
    /// The place to read it again; none of a rule, which stays in memory.
    input: Option<Input>,
    bytes: Option<Bytes>,
    /// Offers that have not been taken back: two inputs may have the same bytes.
    offers: u32,
}

/// A specimen that hosts can fetch for as long as this lives.
pub(crate) struct Offered<'a> {
    library: &'a Library,
    name: ContentName,
}

impl Library {
    /// Adds a rule's component, for good.
    pub fn add(&self, name: ContentName, bytes: Bytes) {
        let entry = Entry { length: bytes.len(), input: None, bytes: Some(bytes), offers: 1 };
        self.lock().entries.insert(name, entry);
    }

    /// Offers a specimen that was read from there.
    pub fn offer(&self, name: ContentName, input: Input, bytes: &Bytes) -> Offered<'_> {
        let mut shelves = self.lock();
        let new = || Entry { length: bytes.len(), input: Some(input), bytes: None, offers: 0 };
        shelves.entries.entry(name).or_insert_with(new).offers += 1;
        shelves.keep(name, bytes, self.kept_bytes_max);
        drop(shelves);
        Offered { library: self, name }
    }

    fn lock(&self) -> MutexGuard<'_, Shelves> {
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelves {
    /// Keeps the bytes of a specimen, and drops those of others for which there is no room.
    fn keep(&mut self, name: ContentName, bytes: &Bytes, bytes_max: usize) {
        let Some(entry) = self.entries.get_mut(&name).filter(|entry| entry.bytes.is_none()) else { return };
        entry.bytes = Some(bytes.clone());
        self.kept_bytes += bytes.len();
        self.kept.push_back(name);
        while self.kept_bytes > bytes_max {
            let Some(oldest) = self.kept.pop_front() else { break };
            let dropped = self.entries.get_mut(&oldest).and_then(|entry| entry.bytes.take());
            self.kept_bytes -= dropped.map_or(0, |bytes| bytes.len());
        }
    }

    fn take_back(&mut self, name: &ContentName) {
        let Some(entry) = self.entries.get_mut(name) else { return };
        entry.offers -= 1;
        if entry.offers > 0 {
            return;
        }
        if let Some(Entry { bytes: Some(bytes), .. }) = self.entries.remove(name) {
            self.kept_bytes -= bytes.len();
            self.kept.retain(|kept| kept != name);
        }
    }
}

impl Drop for Offered<'_> {
    fn drop(&mut self) {
        self.library.lock().take_back(&self.name);
    }
}

impl ContentSource for Library {
    fn length(&self, name: &ContentName) -> Option<usize> {
        self.lock().entries.get(name).map(|entry| entry.length)
    }

    fn in_memory(&self, name: &ContentName) -> Option<Bytes> {
        self.lock().entries.get(name)?.bytes.clone()
    }

    fn read(&self, name: &ContentName) -> Option<Bytes> {
        let (input, length) = {
            let shelves = self.lock();
            let entry = shelves.entries.get(name)?;
            if let Some(bytes) = &entry.bytes {
                return Some(bytes.clone());
            }
            (entry.input.clone()?, entry.length)
        };
        let bytes = match input.read_into(&self.buffers) {
            Ok(bytes) => bytes,
            Err(error) => {
                tracing::warn!(%error, "specimen not served, it cannot be read again");
                return None;
            }
        };
        if bytes.len() != length {
            tracing::warn!(specimen = %input, found = bytes.len(), expected = length, "specimen not served, it changed");
            return None;
        }
        self.lock().keep(*name, &bytes, self.kept_bytes_max);
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn named(bytes: &[u8]) -> ContentName {
        ContentName::Announced(refiner_specimen::sha256(bytes).0)
    }

    /// A library with room for so many bytes, and files of four bytes each.
    fn of_files(kept_bytes_max: usize) -> (tempfile::TempDir, Library) {
        let directory = tempfile::tempdir().unwrap();
        for name in ["aaaa", "bbbb", "cccc"] {
            fs::write(directory.path().join(name), name).unwrap();
        }
        (directory, Library { kept_bytes_max, ..Library::default() })
    }

    fn offer<'a>(library: &'a Library, directory: &tempfile::TempDir, name: &str) -> Offered<'a> {
        let input = Input::File(directory.path().join(name));
        library.offer(named(name.as_bytes()), input, &Bytes::copy_from_slice(name.as_bytes()))
    }

    #[test]
    fn specimen_is_served_while_it_is_offered_and_read_again_where_memory_had_no_room() {
        let (directory, library) = of_files(8);
        let read = |name: &str| library.read(&named(name.as_bytes())).map(|bytes| bytes.to_vec());
        let offers = ["aaaa", "bbbb", "cccc"].map(|name| offer(&library, &directory, name));
        assert!(library.lock().entries[&named(b"aaaa")].bytes.is_none(), "there is room for two");
        for name in ["aaaa", "bbbb", "cccc"] {
            assert_eq!(library.length(&named(name.as_bytes())), Some(4));
            assert_eq!(read(name).as_deref(), Some(name.as_bytes()));
            assert!(library.lock().kept_bytes <= 8);
        }
        drop(offers);
        assert_eq!((read("cccc"), library.length(&named(b"cccc")), library.lock().kept_bytes), (None, None, 0));
    }

    #[test]
    fn content_that_was_offered_twice_stays_until_both_are_taken_back_and_a_rule_stays() {
        let (directory, library) = of_files(8);
        library.add(named(b"rule"), Bytes::from_static(b"rule"));
        let [one, other] = [offer(&library, &directory, "aaaa"), offer(&library, &directory, "aaaa")];
        drop(one);
        assert!(library.read(&named(b"aaaa")).is_some());
        drop(other);
        assert!(library.read(&named(b"aaaa")).is_none());
        assert_eq!(library.read(&named(b"rule")).as_deref(), Some(b"rule".as_slice()));
    }

    #[test]
    fn file_that_changed_or_went_is_not_served() {
        let (directory, library) = of_files(0);
        let _offers = ["aaaa", "bbbb"].map(|name| offer(&library, &directory, name));
        fs::write(directory.path().join("aaaa"), "longer").unwrap();
        fs::remove_file(directory.path().join("bbbb")).unwrap();
        assert_eq!(library.read(&named(b"aaaa")), None);
        assert_eq!(library.read(&named(b"bbbb")), None);
    }
}
