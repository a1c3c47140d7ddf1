//! The proof chain: announcements of specimens come out, proofs of results go in.
//!
//! Comes in: an RPC node, two contract addresses, a key. Goes out: announcements in block order, and for each proof what
//! became of it. Never here: files but the key's, rules, specimens. The only home of keys.
