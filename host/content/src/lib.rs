//! Content ids, and fetching and keeping the bytes they name.
//!
//! Comes in: bytes, or a content id. Goes out: a content id, or bytes that were checked against theirs. Never here: specimens,
//! rules, keys. No byte that was fetched leaves before its hash was compared with the id that was asked for.
