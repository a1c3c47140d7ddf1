//! Specimens named on a command line, and the block hashes that are known of them.
//!
//! * **Inputs**: files, directories, patterns or standard input, and a list of known block hashes.
//! * **Outputs**: bounded bytes of each specimen, and the check `knownBlock`.
//! * **Invariants**: no file is believed about its size; each file is read once, and of a neighbour only the head.
//!
//! ```
//! use refiner_specimen_files::{input::expand, known_blocks::KnownBlocks};
//!
//! let directory = tempfile::tempdir()?;
//! std::fs::write(directory.path().join("1-10.avro"), b"no specimen")?;
//! let inputs = expand(&[directory.path().display().to_string()])?;
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
