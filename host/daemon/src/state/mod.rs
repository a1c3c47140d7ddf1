//! The state of the daemon: the journal, the content store and what passes between stages in memory.

pub mod content;
pub mod content_cache;
pub mod disk;
pub mod journal_handle;
pub mod memory;
pub mod retention;
pub mod store_size;
pub mod targets;
