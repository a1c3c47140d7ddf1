//! Specimens named on a command line, and the block hashes that are known of them.
//!
//! * **Inputs**: files, directories, patterns or standard input, and a list of known block hashes.
//! * **Outputs**: bounded bytes of each specimen, and the check `knownBlock`.
//! * **Invariants**: no file is believed about its size; each file is read once, and of a neighbour only the head.

#[expect(missing_docs, reason = "the fields of errors are what their names tell")]
pub mod input;
#[expect(missing_docs, reason = "the fields of errors are what their names tell")]
pub mod known_blocks;
