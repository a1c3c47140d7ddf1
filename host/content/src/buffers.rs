//! Memory that is used again. What a system hands out anew it has to clear, which takes longer than reading a file into it.

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
pub(crate) struct Buffers(Arc<Mutex<Vec<Vec<u8>>>>);

impl Buffers {
    /// Bytes that `fill` puts into an empty buffer. It comes back when the last clone of them is dropped.
    ///
    /// # Errors
    ///
    /// What `fill` says.
    pub(crate) fn bytes<E>(&self, fill: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> Result<Bytes, E> {
        let waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut lent = Lent { buffer: waiting.unwrap_or_default(), home: self.clone() };
        fill(&mut lent.buffer)?;
        Ok(Bytes::from_owner(lent))
    }
}

impl fmt::Debug for Buffers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffers").finish_non_exhaustive()
    }
}

struct Lent {
    buffer: Vec<u8>,
    home: Buffers,
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.buffer
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let mut buffer = mem::take(&mut self.buffer);
        buffer.clear();
        let mut waiting = self.home.0.lock().unwrap_or_else(PoisonError::into_inner);
        if buffer.capacity() <= BUFFER_BYTES_MAX && waiting.len() < WAITING_MAX {
            waiting.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn filled(buffers: &Buffers, bytes: &[u8]) -> Bytes {
        let fill = |buffer: &mut Vec<u8>| {
            assert!(buffer.is_empty());
            buffer.extend_from_slice(bytes);
            Ok::<_, Infallible>(())
        };
        buffers.bytes(fill).unwrap()
    }

    fn waiting(buffers: &Buffers) -> usize {
        buffers.0.lock().unwrap().len()
    }

    #[test]
    fn buffer_is_used_again_only_when_nobody_sees_its_bytes() {
        let buffers = Buffers::default();
        let first = filled(&buffers, &[1; 1000]);
        let (place, part) = (first.as_ptr(), first.slice(10..20));
        drop(first);
        let second = filled(&buffers, &[2; 1000]);
        assert_ne!(second.as_ptr(), place);
        assert_eq!(part, [1; 10][..]);
        drop(part);
        assert_eq!(filled(&buffers, &[3; 500]).as_ptr(), place);
        assert_eq!(second, [2; 1000][..]);
    }

    #[test]
    fn few_and_small_buffers_wait_also_after_an_error() {
        let buffers = Buffers::default();
        drop(filled(&buffers, &vec![0; BUFFER_BYTES_MAX + 1]));
        assert_eq!(waiting(&buffers), 0);
        assert_eq!(buffers.bytes(|_| Err("no")), Err("no"));
        assert_eq!(waiting(&buffers), 1);
        let lent: Vec<_> = (0..2 * WAITING_MAX).map(|_| filled(&buffers, b"x")).collect();
        drop(lent);
        assert_eq!(waiting(&buffers), WAITING_MAX);
    }
}
