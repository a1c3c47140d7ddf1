//! The store's memory for reading.

use std::time::{Duration, Instant};

use refiner_buffers::Buffers;

/// Buffers, and when one of them was last asked for.
#[derive(Debug, Default)]
pub struct Memory {
    buffers: Buffers,
    used: Option<Instant>,
}

impl Memory {
    pub fn lend(&mut self) -> Buffers {
        self.used = Some(Instant::now());
        self.buffers.clone()
    }

    /// Begins anew where none was asked for lately. Buffers that are lent keep the former ones until they come back.
    pub fn release(&mut self, unused: Duration) {
        if self.used.is_some_and(|used| used.elapsed() >= unused) {
            *self = Self::default();
        }
    }
}

#[test]
fn memory_that_was_not_used_for_a_while_is_released() {
    let mut memory = Memory::default();
    let place = |memory: &mut Memory| {
        let bytes = memory.lend().bytes(1000, |buffer| Ok::<_, std::convert::Infallible>(buffer.len())).unwrap();
        bytes.as_ptr()
    };
    let first = place(&mut memory);
    memory.release(Duration::from_secs(3600));
    assert_eq!(place(&mut memory), first, "the same buffer again");
    let lent = memory.lend().bytes(10, |buffer| Ok::<_, std::convert::Infallible>(buffer.len())).unwrap();
    memory.release(Duration::ZERO);
    assert!(memory.used.is_none());
    assert_ne!(place(&mut memory), lent.as_ptr(), "one that is looked at is no one else's");
}
