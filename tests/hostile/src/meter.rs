//! The duration of some work, and the most by which it moved this process's memory.

use std::{
    fs,
    time::{Duration, Instant},
};

/// Makes the kernel forget the peak so far (`proc_pid_clear_refs(5)`).
const FORGET_PEAK: &str = "5";

/// Runs from [`Meter::begin`].
pub struct Meter {
    begun: Instant,
    resident_bytes: u64,
}

impl Meter {
    /// Forgets the peak so far.
    pub fn begin() -> Self {
        fs::write("/proc/self/clear_refs", FORGET_PEAK).unwrap();
        Self { resident_bytes: status_bytes("self", "VmRSS:"), begun: Instant::now() }
    }

    /// Time since the beginning, and bytes of the peak since then above what was resident then.
    pub fn read(&self) -> (Duration, u64) {
        let took = self.begun.elapsed();
        (took, status_bytes("self", "VmHWM:").saturating_sub(self.resident_bytes))
    }
}

/// A number of `/proc/<pid>/status`; 0 for a process that is gone.
pub fn status_bytes(pid: &str, field: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let kib = status.lines().find_map(|line| line.strip_prefix(field)?.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or_default() << 10
}
