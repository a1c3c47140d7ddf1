//! A directory of results with its manifest, or a prefix of an object store, which a killed run leaves in a state that the next one
//! continues.
//!
//! * **Inputs**: the [`Terms`] of a run; staged files, and the [`Unit`]s that they belong to.
//! * **Outputs**: files under their names, and `_manifest.json`: what was run over which specimens, and what came out.
//! * **Invariants**: one run at a time in a directory; results of other terms are never mixed; a unit is committed by one line of a log,
//!   before which none of its files has its name and after which all of them get it, in this run or the next; in a store by one object,
//!   which is written when all of its files are there; the manifest's bytes do not depend on how often a run was interrupted.
//!
//! ```
//! use alloy_primitives::B256;
//! use refiner_data_set::{DataSet, FileEntry, OutputTerms, SpecimenEntry, Terms, Unit};
//!
//! let directory = tempfile::tempdir()?;
//! let terms = Terms { engine_profile: B256::ZERO, rules: Vec::new(), output: OutputTerms::Artifacts };
//! let mut data_set = DataSet::open(directory.path(), terms.clone())?;
//! let (bytes, sha256) = data_set.staging().write("1-10.rule.txt", b"result")?;
//! let file = FileEntry { path: "1-10.rule.txt".to_owned(), rule: "rule".to_owned(), output: "txt".to_owned(), rows: None, bytes, sha256 };
//! let specimen = SpecimenEntry { height: 10, block_hash: B256::ZERO, specimen_hash: B256::ZERO, bytes: 6 };
//! data_set.commit(Unit { chain_id: 1, first: 10, last: 10, specimens: vec![specimen], files: vec![file], ..Unit::default() })?;
//! assert_eq!(std::fs::read(directory.path().join("1-10.rule.txt"))?, b"result");
//! data_set.finish()?;
//! assert!(directory.path().join("_manifest.json").exists());
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod consistency;
mod data_set;
mod destination;
mod directory;
mod error;
mod files;
mod log;
mod manifest;
mod staging;
mod standing;
mod store;
mod terms;
mod unit;

pub use self::{
    consistency::Inconsistency,
    data_set::DataSet,
    destination::Destination,
    error::{DataSetError, Difference, MANIFEST_BYTES_MAX},
    log::LOG,
    manifest::{Chain, MANIFEST, Manifest, Range, Totals},
    staging::Staging,
    standing::{Damage, Standing},
    terms::{ColumnTerms, OutputTerms, RuleTerms, Terms},
    unit::{FileEntry, SpecimenEntry, Unit, VerdictEntry},
};

#[cfg(test)]
mod tests;
