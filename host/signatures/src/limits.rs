//! Limits of signatures.

/// Longest bundle. One with certificates, a log entry and its proof has 8 KiB.
pub const BUNDLE_BYTES_MAX: usize = 64 << 10;
/// Most signatures of one component.
pub const SIGNATURES_MAX: usize = 16;
