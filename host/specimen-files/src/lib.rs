//! Specimens named on a command line, and the block hashes that are known of them.
//!
//! * **Inputs**: files, directories, patterns, archives, lists of names or standard input; a selection of heights; a list of known
//!   block hashes.
//! * **Outputs**: bounded bytes of each specimen, its chain and height by its first bytes, and the check `knownBlock`.
//! * **Invariants**: no file is believed about its size, and no compressed one about what comes out of it; each file is read once,
//!   and of a neighbour only the head; a walk through directories ends, whatever links are in them.
//!
//! ```
//! use refiner_specimen_files::{input::expand, known_blocks::KnownBlocks};
//!
//! let directory = tempfile::tempdir()?;
//! std::fs::write(directory.path().join("1-10.avro"), b"no specimen")?;
//! let inputs = expand(&[directory.path()])?;
//! let known = KnownBlocks::of(&inputs, None)?;
//! let bytes = inputs[0].read()?;
//! // A specimen that decodes would be checked by `known.check(&specimen)`.
//! assert!(refiner_specimen::decode(&bytes).is_err());
//! # let _ = known;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

#[expect(missing_docs, reason = "the fields of errors are what their names tell")]
pub mod input;
#[expect(missing_docs, reason = "the fields of errors are what their names tell")]
pub mod known_blocks;

pub mod headings;
pub mod selection;

/// The mark with which some editors begin a list.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
