//! Content on its way from one stage to the next, so that it is not read and hashed again in between.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use refiner_content::{Content, ContentId};
use tokio::time::Instant;

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
    contents: VecDeque<(Instant, Content)>,
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
            if waiting.forget_oldest().is_none() {
                break;
            }
        }
        waiting.bytes += length;
        waiting.contents.push_back((Instant::now(), content));
    }

    /// Takes what was left, if it is still there.
    pub fn remove(&self, id: &ContentId) -> Option<Content> {
        let mut waiting = self.waiting();
        let position = waiting.contents.iter().position(|(_, content)| content.unixfs_id() == *id)?;
        let (_, content) = waiting.contents.remove(position)?;
        waiting.bytes -= content.bytes().len();
        Some(content)
    }

    /// Forgets what no stage took for `age`: its item was taken back by a reorganisation, or waits for something else.
    pub fn forget(&self, age: Duration) {
        let mut waiting = self.waiting();
        while waiting.contents.front().is_some_and(|(since, _)| since.elapsed() >= age) {
            waiting.forget_oldest();
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn forget_oldest(&mut self) -> Option<()> {
        let (_, oldest) = self.contents.pop_front()?;
        self.bytes -= oldest.bytes().len();
        Some(())
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

    #[test]
    fn content_that_no_stage_takes_is_forgotten_in_time() {
        let content_cache = ContentCache::default();
        let one = content(1, 10);
        content_cache.insert(one.clone());
        content_cache.forget(Duration::from_secs(3600));
        assert_eq!(content_cache.waiting().bytes, 10);
        content_cache.forget(Duration::ZERO);
        assert_eq!(content_cache.waiting().bytes, 0);
        assert_eq!(content_cache.remove(&one.unixfs_id()), None);
    }
}
