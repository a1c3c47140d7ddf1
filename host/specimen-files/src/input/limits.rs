//! Limits of what is read for an argument.

/// The most bytes read of one specimen (docs/specimen-format.md, section 7).
pub const SPECIMEN_LIMIT_BYTES: u64 = 256 * 1024 * 1024;
/// Most bytes that a compressed archive may have when it is expanded into a temporary file.
pub const ARCHIVE_BYTES_MAX: u64 = 64 << 30;
/// Most members of an archive.
pub const MEMBERS_MAX: usize = 10_000_000;
/// Most bytes of the headers of one member of a tar: its name and attributes, which are read into memory.
pub const HEADERS_BYTES_MAX: u64 = 1 << 20;
/// Most bytes of a list of names: some ten million names.
pub const NAMES_BYTES_MAX: u64 = 1 << 30;
/// Most names looked at for one argument: a chain has some 25 million blocks so far.
pub const NAMES_MAX: usize = 50_000_000;
/// Deepest directory that a walk enters below its start.
pub const DEPTH_MAX: usize = 64;
