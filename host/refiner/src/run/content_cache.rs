//! Content on its way from one stage to the next, so that it is not read and hashed again in between.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use refiner_content::{Content, ContentId};

/// Bytes that may be on their way: some dozens of specimens. What does not fit is read from the local store, where it is as well.
const BYTES_MAX: usize = 64 << 20;

/// Content that was just checked or made. Forgetting it is no loss.
#[derive(Default)]
pub struct ContentCache {
    /// Oldest first. A lock because stages run on several threads; held for a look through some dozens of entries.
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    contents: VecDeque<Content>,
    bytes: usize,
}

impl ContentCache {
    /// Leaves content for the next stage. The oldest goes when there is no room.
    pub fn insert(&self, content: Content) {
        let length = content.bytes().len();
        if length > BYTES_MAX {
            return;
        }
        let mut waiting = self.waiting();
        while waiting.bytes + length > BYTES_MAX {
            let Some(oldest) = waiting.contents.pop_front() else { break };
            waiting.bytes -= oldest.bytes().len();
        }
        waiting.bytes += length;
        waiting.contents.push_back(content);
    }

    /// Takes what was left, if it is still there.
    pub fn remove(&self, id: &ContentId) -> Option<Content> {
        let mut waiting = self.waiting();
        let position = waiting.contents.iter().position(|content| content.unixfs_id() == *id)?;
        let content = waiting.contents.remove(position)?;
        waiting.bytes -= content.bytes().len();
        Some(content)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(byte: u8, length: usize) -> Content {
        Content::of(vec![byte; length].into())
    }

    #[test]
    fn content_is_taken_once() {
        let content_cache = ContentCache::default();
        let one = content(1, 10);
        content_cache.insert(one.clone());
        content_cache.insert(content(2, 10));
        assert_eq!(content_cache.remove(&one.unixfs_id()), Some(one.clone()));
        assert_eq!(content_cache.remove(&one.unixfs_id()), None);
    }

    #[test]
    fn oldest_goes_when_there_is_no_room() {
        let content_cache = ContentCache::default();
        let half = BYTES_MAX / 2;
        let contents = [content(1, half), content(2, half), content(3, 1)];
        for content in &contents {
            content_cache.insert(content.clone());
        }
        let there = contents.map(|content| content_cache.remove(&content.unixfs_id()).is_some());
        assert_eq!(there, [false, true, true]);
        content_cache.insert(content(4, BYTES_MAX + 1));
        assert_eq!(content_cache.waiting().bytes, 0);
    }
}
