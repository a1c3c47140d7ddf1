//! Bounds of this crate.

/// Most files on their way before they are asked for.
pub const AHEAD_FILES_MAX: usize = 16;
/// Most bytes of them: some twenty large blocks.
pub const AHEAD_BYTES_MAX: u64 = 64 << 20;
/// Most objects that one URL names.
pub const OBJECTS_MAX: usize = 4_000_000;
/// Most bytes that are kept. As many as an expanded archive may have.
pub const SPOOL_BYTES_MAX: u64 = 64 << 30;
/// Most requests that write or read files of a store at once.
pub const REQUESTS_MAX: usize = 16;
