//! Keccak-256 of many messages at once, and the roots of ordered tries, which are made of such hashes.
//!
//! A processor with vectors permutes a state of each of four (AVX2) or eight (AVX-512) messages in the time of one or two. Others hash the messages
//! one after the other.
//!
//! * **Inputs**: messages; values in their order.
//! * **Outputs**: the hash of each message; the root of the trie that has each value under the RLP of its position.
//! * **Invariants**: does not know the meaning of the bytes. The hashes are the same on every processor.
//!
//! ```
//! use alloy_primitives::keccak256;
//! use refiner_keccak::{Messages, ordered_trie_root};
//!
//! let messages: Messages = ["one", "two", "three"].into_iter().collect();
//! assert_eq!(messages.hashes()[1], keccak256("two"));
//! assert_eq!(ordered_trie_root(&messages), alloy_trie::root::ordered_trie_root_encoded(&["one", "two", "three"]));
//! ```

mod lanes;
mod messages;
mod permutation;
mod trie;

pub use lanes::keccak256_each;
pub use messages::Messages;
pub use trie::ordered_trie_root;
