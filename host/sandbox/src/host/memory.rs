//! Sums the linear memories and tables of a store and stops a guest that wants more than it was granted.

use std::io;

use refiner_rule_model::{
    Limit, Limits,
    admission::{CORE_INSTANCES_MAX, MEMORIES_MAX, TABLE_ELEMENTS_MAX, TABLES_MAX},
};
use wasmtime::ResourceLimiter;

use super::BudgetExceeded;

/// Bytes of one table element: a pointer on the only architecture of the profile.
const TABLE_ELEMENT_BYTES: usize = 8;

/// The sum and its peak. Growth past the grant is an error and not a `-1` for the guest, so that the verdict names
/// out of memory and not whatever the guest makes of it.
pub(crate) struct MemoryMeter {
    granted_bytes: usize,
    used_bytes: usize,
}

impl MemoryMeter {
    /// A meter that begins with what the host holds for the instance: globals, and what calls between modules need.
    pub(crate) fn new(limits: &Limits, state_bytes: u64) -> Self {
        let bytes = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        Self { granted_bytes: bytes(limits.get(Limit::MemoryBytes)), used_bytes: bytes(state_bytes) }
    }

    /// Memory never shrinks during a run, so what is used at the end is the peak.
    pub(crate) const fn peak_bytes(&self) -> u64 {
        self.used_bytes as u64
    }

    /// Grants `more_bytes` when there is room for them. `possible` is false when the guest's own declared maximum forbids
    /// the growth: then the guest learns so, and nothing is used.
    fn grow(&mut self, more_bytes: usize, possible: bool) -> wasmtime::Result<bool> {
        let wanted_bytes = self.used_bytes.saturating_add(more_bytes);
        if wanted_bytes > self.granted_bytes {
            return Err(BudgetExceeded::OutOfMemory { granted_bytes: self.granted_bytes as u64 }.into());
        }
        if possible {
            self.used_bytes = wanted_bytes;
        }
        Ok(possible)
    }
}

impl ResourceLimiter for MemoryMeter {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        self.grow(desired.saturating_sub(current), maximum.is_none_or(|maximum| desired <= maximum))
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        Err(BudgetExceeded::SystemMemory(io::Error::new(io::ErrorKind::OutOfMemory, error.to_string())).into())
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let more_bytes = desired.saturating_sub(current).saturating_mul(TABLE_ELEMENT_BYTES);
        // The engine's pool gives no table more than this, and an engine without a pool must not give another answer.
        let maximum = maximum.unwrap_or(TABLE_ELEMENTS_MAX).min(TABLE_ELEMENTS_MAX);
        self.grow(more_bytes, desired <= maximum)
    }

    fn table_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        Err(BudgetExceeded::SystemMemory(io::Error::new(io::ErrorKind::OutOfMemory, error.to_string())).into())
    }

    fn instances(&self) -> usize {
        CORE_INSTANCES_MAX as usize
    }

    fn memories(&self) -> usize {
        MEMORIES_MAX as usize
    }

    fn tables(&self) -> usize {
        TABLES_MAX as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRANTED: u64 = 1 << 20;
    const STATE: u64 = 1_000;

    fn meter() -> MemoryMeter {
        MemoryMeter::new(&Limits::default().with(Limit::MemoryBytes, GRANTED).unwrap(), STATE)
    }

    fn is_out(grown: wasmtime::Result<bool>) -> bool {
        let error = grown.unwrap_err();
        matches!(error.downcast_ref(), Some(BudgetExceeded::OutOfMemory { granted_bytes: GRANTED }))
    }

    #[test]
    fn memories_and_tables_are_granted_to_the_last_byte_beside_the_state_of_the_host() {
        let mut memory = meter();
        assert_eq!(memory.peak_bytes(), STATE);
        assert!(memory.memory_growing(0, 65_536, None).unwrap());
        assert!(memory.memory_growing(65_536, 131_072, None).unwrap());
        assert!(memory.table_growing(10, 30, None).unwrap());
        let used = STATE + 131_072 + 20 * 8;
        assert_eq!(memory.peak_bytes(), used);
        let left = usize::try_from(GRANTED - used).unwrap();
        assert!(is_out(memory.memory_growing(7, 7 + left + 1, None)));
        assert!(is_out(memory.table_growing(0, left / 8 + 1, None)));
        assert_eq!(memory.peak_bytes(), used, "what is refused is not used");
        assert!(memory.memory_growing(7, 7 + left, None).unwrap());
        assert_eq!(memory.peak_bytes(), GRANTED);
        assert!(memory.memory_growing(5, 5, None).unwrap());
        assert!(is_out(memory.memory_growing(0, 1, None)));
    }

    #[test]
    fn growth_past_a_maximum_of_the_guest_is_answered_and_uses_nothing() {
        let mut memory = meter();
        assert!(!memory.memory_growing(0, 101, Some(100)).unwrap());
        assert!(!memory.table_growing(0, 101, Some(100)).unwrap());
        assert_eq!(memory.peak_bytes(), STATE);
        assert!(memory.memory_growing(0, 100, Some(100)).unwrap());
        assert!(memory.table_growing(0, 100, Some(100)).unwrap());
        assert_eq!(memory.peak_bytes(), STATE + 100 + 800);
    }

    #[test]
    fn table_has_as_many_elements_as_the_pool_gives_whatever_its_maximum() {
        for maximum in [None, Some(usize::MAX)] {
            let mut memory = MemoryMeter::new(&Limits::caps(), 0);
            assert!(memory.table_growing(0, TABLE_ELEMENTS_MAX, maximum).unwrap());
            assert!(!memory.table_growing(0, TABLE_ELEMENTS_MAX + 1, maximum).unwrap());
        }
    }

    #[test]
    fn store_has_as_many_instances_memories_and_tables_as_admission_allows() {
        let memory = meter();
        let found = (memory.instances(), memory.memories(), memory.tables());
        assert_eq!(found, (CORE_INSTANCES_MAX as usize, MEMORIES_MAX as usize, TABLES_MAX as usize));
    }

    #[test]
    fn memory_that_the_system_refuses_is_a_failure_of_the_host() {
        let refused = || wasmtime::Error::msg("no room");
        let mut memory = meter();
        for ended in [memory.memory_grow_failed(refused()), memory.table_grow_failed(refused())] {
            let error = ended.unwrap_err();
            assert!(matches!(error.downcast_ref(), Some(BudgetExceeded::SystemMemory(_))), "{error:?}");
        }
    }
}
