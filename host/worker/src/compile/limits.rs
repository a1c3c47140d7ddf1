//! What compiling one component may take.

/// Limits for compiling one component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompileLimits {
    /// Address space of the compiler's process.
    pub memory_bytes: u64,
    /// Processor time of all its threads.
    pub cpu_seconds: u64,
    /// Processor time from start to the last byte of code, in the supervisor's count. No compiler lasts for more than twenty times as
    /// much on the wall.
    pub wall_ms: u64,
}

impl Default for CompileLimits {
    /// 2 GiB, 120 s, 120 s. A 640-byte component was seen to cost a compiler 2.2 GB, one of 26 KB 28 s. The runtime of a whole
    /// language costs an honest rule 44 s of processor time (CPython, 18 MB) to 50 s (SpiderMonkey, 12 MB), half of it on two cores.
    fn default() -> Self {
        Self { memory_bytes: 2 << 30, cpu_seconds: 120, wall_ms: 120_000 }
    }
}
