//! Memory that is used again. What a system hands out anew it has to clear, which takes longer than reading a specimen into it.
//!
//! * **Inputs**: a function that fills a buffer, or pieces one after the other.
//! * **Outputs**: the bytes, shared; the buffer returns to the pool when the last of them is dropped.
//! * **Invariants**: does not know the meaning of the bytes.
//!
//! ```
//! use refiner_buffers::Buffers;
//!
//! let buffers = Buffers::default();
//! let bytes = buffers.bytes(8, |buffer| {
//!     buffer[..5].copy_from_slice(b"block");
//!     Ok::<_, std::io::Error>(5)
//! })?;
//! assert_eq!(&bytes[..], b"block");
//! # Ok::<_, std::io::Error>(())
//! ```

use std::{
    fmt, mem,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;

/// Buffers that are kept, at most.
const KEPT_MAX: usize = 16;
/// Larger ones go back to the system: ordinary specimens have under 4 MiB.
const BUFFER_BYTES_MAX: usize = 4 << 20;
/// A buffer that pieces fill has room for this many times the bytes that came: memory that is asked for can be resident before it is
/// written to, and what was announced may never come.
const GROWTH: usize = 2;
/// Room for the first pieces, which is not worth growing from.
const FIRST_ROOM_BYTES: usize = 16 << 10;

/// A few buffers. Clones share them.
#[derive(Clone)]
pub struct Buffers {
    kept: Arc<Mutex<Kept>>,
    kept_max: usize,
    buffer_bytes_max: usize,
}

/// Buffers that do not go back to the system.
#[derive(Default)]
struct Kept {
    waiting: Vec<Vec<u8>>,
    /// Those that wait and those that are lent again. A lent one can be larger than what was asked for.
    count: usize,
}

impl Default for Buffers {
    /// As many and as large as suits specimens.
    fn default() -> Self {
        Self::bounded(KEPT_MAX, BUFFER_BYTES_MAX)
    }
}

impl Buffers {
    /// At most so many buffers are kept, waiting or lent again, and none that is larger.
    #[must_use]
    pub fn bounded(kept_max: usize, buffer_bytes_max: usize) -> Self {
        Self { kept: Arc::default(), kept_max, buffer_bytes_max }
    }

    /// A buffer to fill piece by piece, with some `expected_bytes`. It takes no memory before the first piece, and then grows with
    /// the bytes that come, up to just those that are expected.
    #[must_use]
    pub fn filling(&self, expected_bytes: usize) -> Filling {
        Filling { lent: None, expected_bytes, home: self.clone() }
    }

    /// The first bytes of a buffer of `length`, as many as `fill` returns; the buffer it gets holds arbitrary bytes.
    ///
    /// # Errors
    ///
    /// The error of `fill`.
    pub fn bytes<E>(&self, length: usize, fill: impl FnOnce(&mut [u8]) -> Result<usize, E>) -> Result<Bytes, E> {
        let mut lent = self.lent();
        if lent.buffer.len() < length {
            // Just as much: grown by half again, a buffer for an ordinary specimen would be too large to be kept.
            lent.buffer.reserve_exact(length - lent.buffer.len());
            lent.buffer.resize(length, 0);
        }
        lent.used = fill(&mut lent.buffer[..length])?.min(length);
        Ok(Bytes::from_owner(lent))
    }

    fn lent(&self) -> Lent {
        let waiting = self.kept().waiting.pop();
        Lent { is_kept: waiting.is_some(), buffer: waiting.unwrap_or_default(), used: 0, home: self.clone() }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        // Pushing and taking leave nothing half done.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Buffers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffers").finish_non_exhaustive()
    }
}

/// A buffer on its way to be bytes.
pub struct Filling {
    /// `None` before the first piece.
    lent: Option<Lent>,
    expected_bytes: usize,
    home: Buffers,
}

impl Filling {
    /// The bytes so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lent.as_ref().map_or(0, |lent| lent.used)
    }

    /// True before the first byte.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a piece behind the others.
    pub fn push(&mut self, piece: &[u8]) {
        let Lent { buffer, used, .. } = self.lent.get_or_insert_with(|| self.home.lent());
        let (over, new) = piece.split_at(piece.len().min(buffer.len() - *used));
        buffer[*used..][..over.len()].copy_from_slice(over);
        *used += piece.len();
        if *used > buffer.capacity() {
            let grown = used.saturating_mul(GROWTH);
            // Just as much as is expected: grown beyond it, a buffer for an ordinary specimen would be too large to be kept.
            let room =
                if *used > self.expected_bytes { grown } else { grown.max(FIRST_ROOM_BYTES).min(self.expected_bytes) };
            buffer.reserve_exact(room - buffer.len());
        }
        buffer.extend_from_slice(new);
    }

    /// All the pieces.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        self.lent.map(Bytes::from_owner).unwrap_or_default()
    }
}

impl fmt::Debug for Filling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filling").field("len", &self.len()).finish_non_exhaustive()
    }
}

struct Lent {
    buffer: Vec<u8>,
    /// It has waited before.
    is_kept: bool,
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
        let mut kept = self.home.kept();
        kept.count -= usize::from(self.is_kept);
        if buffer.capacity() <= self.home.buffer_bytes_max && kept.count < self.home.kept_max {
            kept.count += 1;
            kept.waiting.push(buffer);
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
            assert_eq!(buffers.kept().waiting.len(), 1, "{length} bytes");
        }
    }

    #[test]
    fn pieces_lie_one_behind_the_other_over_what_was_in_the_buffer() {
        let buffers = Buffers::bounded(1, 1000);
        drop(filled(&buffers, 9, 100));
        for pieces in [vec![], vec![50], vec![100], vec![60, 60, 60], vec![0, 250, 1]] {
            let mut filling = buffers.filling(150);
            let mut expected = Vec::new();
            for (number, length) in pieces.into_iter().enumerate() {
                let piece = vec![u8::try_from(number).unwrap(); length];
                filling.push(&piece);
                expected.extend(piece);
                assert_eq!(filling.len(), expected.len());
            }
            assert_eq!(filling.is_empty(), expected.is_empty());
            assert_eq!(filling.into_bytes(), expected);
        }
        assert_eq!(buffers.kept().waiting.len(), 1);
        let mut large = buffers.filling(0);
        large.push(&[0; 1001]);
        drop(large.into_bytes());
        assert_eq!(buffers.kept().waiting.len(), 0, "it is larger than what is kept");
    }

    #[test]
    fn filling_that_got_little_holds_little_whatever_it_expects() {
        let buffers = Buffers::default();
        let fillings: Vec<_> = (0..3).map(|_| buffers.filling(BUFFER_BYTES_MAX)).collect();
        assert!(fillings.iter().all(|filling| filling.lent.is_none() && filling.is_empty()));
        drop(fillings);
        assert_eq!(buffers.kept().waiting.len(), 0);

        let mut filling = buffers.filling(BUFFER_BYTES_MAX);
        let capacity = |filling: &Filling| filling.lent.as_ref().unwrap().buffer.capacity();
        let mut growths = Vec::new();
        while filling.len() < BUFFER_BYTES_MAX {
            filling.push(&[7; 1 << 10]);
            assert!(capacity(&filling) <= FIRST_ROOM_BYTES.max(GROWTH * filling.len()), "{}", filling.len());
            growths.push(capacity(&filling));
        }
        growths.dedup();
        assert!(growths.len() <= 10, "each growth copies what came: {growths:?}");
        assert_eq!(capacity(&filling), BUFFER_BYTES_MAX, "just what was expected, so that it is kept");
        drop(filling.into_bytes());
        assert_eq!(buffers.kept().waiting.len(), 1);
        // It is used again as it is.
        let mut again = buffers.filling(10);
        again.push(&[8; 10]);
        assert_eq!((capacity(&again), buffers.kept().waiting.len()), (BUFFER_BYTES_MAX, 0));
    }

    #[test]
    fn buffers_that_are_lent_again_count_as_kept() {
        let buffers = Buffers::bounded(2, 1000);
        drop([filled(&buffers, 0, 1000), filled(&buffers, 0, 1000)]);
        let slow = [filled(&buffers, 0, 1), filled(&buffers, 0, 1)];
        assert!(slow.iter().all(|small| small.len() == 1));
        drop([filled(&buffers, 0, 1000), filled(&buffers, 0, 1000)]);
        assert_eq!(buffers.kept().waiting.len(), 0, "two are out, with all their bytes");
        drop(slow);
        let kept = buffers.kept();
        assert_eq!((kept.waiting.len(), kept.count), (2, 2));
    }

    #[test]
    fn few_and_small_buffers_wait_also_after_an_error() {
        let buffers = Buffers::default();
        drop(filled(&buffers, 0, BUFFER_BYTES_MAX + 1));
        assert_eq!(buffers.kept().waiting.len(), 0);
        assert_eq!(buffers.bytes(10, |_| Err("no")), Err("no"));
        assert_eq!(buffers.kept().waiting.len(), 1);
        let lent: Vec<_> = (0..2 * KEPT_MAX).map(|_| filled(&buffers, 0, 1)).collect();
        drop(lent);
        assert_eq!(buffers.kept().waiting.len(), KEPT_MAX);
    }
}
