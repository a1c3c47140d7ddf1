//! Memory that is used again. What a system hands out anew it has to clear, which takes longer than reading a specimen into it.
//!
//! * **Inputs**: a function that fills a buffer.
//! * **Outputs**: the bytes, shared; the buffer returns to the pool when the last of them is dropped.
//! * **Invariants**: does not know the meaning of the bytes.

use std::{
    fmt, mem,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;

/// Buffers that wait to be used again, at most.
const WAITING_MAX: usize = 16;
/// Larger ones go back to the system: ordinary specimens have under 4 MiB.
const BUFFER_BYTES_MAX: usize = 4 << 20;

/// A few buffers. Clones share them.
#[derive(Clone, Default)]
pub struct Buffers(Arc<Mutex<Vec<Vec<u8>>>>);

impl Buffers {
    /// The first bytes of a buffer of `length`, as many as `fill` returns; the buffer it gets holds arbitrary bytes.
    ///
    /// # Errors
    ///
    /// The error of `fill`.
    pub fn bytes<E>(&self, length: usize, fill: impl FnOnce(&mut [u8]) -> Result<usize, E>) -> Result<Bytes, E> {
        let waiting = self.waiting().pop();
        let mut lent = Lent { buffer: waiting.unwrap_or_default(), used: 0, home: self.clone() };
        if lent.buffer.len() < length {
            // Just as much: grown by half again, a buffer for an ordinary specimen would be too large to be kept.
            lent.buffer.reserve_exact(length - lent.buffer.len());
            lent.buffer.resize(length, 0);
        }
        lent.used = fill(&mut lent.buffer[..length])?.min(length);
        Ok(Bytes::from_owner(lent))
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Vec<Vec<u8>>> {
        // Pushing and taking leave nothing half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Buffers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffers").finish_non_exhaustive()
    }
}

struct Lent {
    buffer: Vec<u8>,
    used: usize,
    home: Buffers,
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.buffer[..self.used]
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let buffer = mem::take(&mut self.buffer);
        let mut waiting = self.home.waiting();
        if buffer.capacity() <= BUFFER_BYTES_MAX && waiting.len() < WAITING_MAX {
            waiting.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn filled(buffers: &Buffers, byte: u8, length: usize) -> Bytes {
        let fill = |buffer: &mut [u8]| {
            buffer.fill(byte);
            Ok::<_, Infallible>(buffer.len())
        };
        buffers.bytes(length, fill).unwrap()
    }

    #[test]
    fn buffer_is_used_again_only_when_nobody_sees_its_bytes() {
        let buffers = Buffers::default();
        let first = filled(&buffers, 1, 1000);
        let (place, part) = (first.as_ptr(), first.slice(10..20));
        drop(first);
        let second = filled(&buffers, 2, 1000);
        assert_ne!(second.as_ptr(), place);
        assert_eq!(part, [1; 10][..]);
        drop(part);
        let third = filled(&buffers, 3, 500);
        assert_eq!((third.as_ptr(), third.len()), (place, 500));
        assert_eq!((&second, &third), (&Bytes::from(vec![2; 1000]), &Bytes::from(vec![3; 500])));
    }

    #[test]
    fn only_what_was_filled_is_seen() {
        let buffers = Buffers::default();
        drop(filled(&buffers, 7, 100));
        for (says, seen) in [(0, 0), (3, 3), (10, 10), (11, 10)] {
            let bytes = buffers.bytes(10, |_| Ok::<_, Infallible>(says)).unwrap();
            assert_eq!(bytes.len(), seen);
        }
    }

    #[test]
    fn buffer_that_grew_is_kept_up_to_the_limit() {
        let buffers = Buffers::default();
        for length in [BUFFER_BYTES_MAX / 4 * 3, BUFFER_BYTES_MAX - 1, BUFFER_BYTES_MAX] {
            drop(filled(&buffers, 0, length));
            assert_eq!(buffers.waiting().len(), 1, "{length} bytes");
        }
    }

    #[test]
    fn few_and_small_buffers_wait_also_after_an_error() {
        let buffers = Buffers::default();
        drop(filled(&buffers, 0, BUFFER_BYTES_MAX + 1));
        assert_eq!(buffers.waiting().len(), 0);
        assert_eq!(buffers.bytes(10, |_| Err("no")), Err("no"));
        assert_eq!(buffers.waiting().len(), 1);
        let lent: Vec<_> = (0..2 * WAITING_MAX).map(|_| filled(&buffers, 0, 1)).collect();
        drop(lent);
        assert_eq!(buffers.waiting().len(), WAITING_MAX);
    }
}
