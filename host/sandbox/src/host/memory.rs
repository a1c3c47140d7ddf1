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
