//! Differences between a data set and what its specimens give.

use std::fmt;

use refiner_data_set::{FileEntry, Inconsistency, SpecimenEntry, Unit};
use refiner_text::OneLine;

/// A difference between a data set and what its specimens give.
#[derive(Debug, PartialEq, Eq)]
pub enum Finding {
    /// The manifest contradicts itself.
    Manifest(Inconsistency),
    /// A file in the data set's folders that no unit has.
    Unlisted { path: String },
    /// More files that no unit has.
    MoreUnlisted { files: usize },
    /// Specimens of heights that the manifest covers and no unit has.
    Uncovered { specimens: u64 },
    /// A unit of other heights than those of its specimens.
    Heights { chain_id: u64, first: u64, last: u64 },
    /// Another hash or length of a specimen.
    Specimen { chain_id: u64, height: u64, values: Values },
    /// Other verdicts.
    Verdicts { chain_id: u64, first: u64, last: u64 },
    /// Other conditions of verdicts than the options give.
    Conditions { chain_id: u64, first: u64, last: u64, values: Values },
    /// Another number or other names of files.
    Files { chain_id: u64, first: u64, last: u64 },
    /// The manifest states another hash, length, number of rows, rule or output than what is computed.
    Stated { path: String, values: Values },
    /// The file is not what the manifest states.
    Bytes { path: String, at: u64, line: Option<u64> },
    /// The file is not there.
    Absent { path: String },
    /// A directory or a pipe in the place of a file.
    NotAFile { path: String },
}

/// The values of an entry that differ, each after its name: those of the manifest, and those that were computed.
#[derive(Debug, PartialEq, Eq)]
pub struct Values {
    stated: String,
    computed: String,
}

impl Values {
    /// The values in which the entries of a file differ.
    pub fn of_files(stated: &FileEntry, computed: &FileEntry) -> Self {
        let fields = |file: &FileEntry| {
            [
                ("path", file.path.clone()),
                ("rule", file.rule.clone()),
                ("output", file.output.clone()),
                ("rows", file.rows.map_or_else(|| "none".to_owned(), |rows| rows.to_string())),
                ("length", file.bytes.to_string()),
                ("sha256", file.sha256.to_string()),
            ]
        };
        Self::differing(fields(stated), fields(computed))
    }

    /// The values in which the entries of a specimen differ.
    pub fn of_specimens(stated: &SpecimenEntry, computed: &SpecimenEntry) -> Self {
        let fields = |specimen: &SpecimenEntry| {
            [
                ("height", specimen.height.to_string()),
                ("block hash", specimen.block_hash.to_string()),
                ("specimen hash", specimen.specimen_hash.to_string()),
                ("length", specimen.bytes.to_string()),
            ]
        };
        Self::differing(fields(stated), fields(computed))
    }

    /// The conditions of the verdicts of a unit.
    pub fn of_conditions(stated: &Unit, computed: &Unit) -> Self {
        let field = |unit: &Unit| {
            [("conditions", unit.conditions.map_or_else(|| "none".to_owned(), |conditions| conditions.to_string()))]
        };
        Self::differing(field(stated), field(computed))
    }

    fn differing<const FIELDS: usize>(stated: [(&str, String); FIELDS], computed: [(&str, String); FIELDS]) -> Self {
        let differing = stated.into_iter().zip(computed).filter(|(stated, computed)| stated != computed);
        let text = |(name, value): (&str, String)| format!("{name} {value}");
        let (stated, computed): (Vec<_>, Vec<_>) =
            differing.map(|(stated, computed)| (text(stated), text(computed))).unzip();
        Self { stated: stated.join(", "), computed: computed.join(", ") }
    }
}

impl fmt::Display for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stated, computed } = self;
        write!(f, "the manifest states {}; computed again: {}", OneLine(stated), OneLine(computed))
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Manifest(inconsistency) => inconsistency.fmt(f),
            Self::Unlisted { path } => write!(f, "{}: no unit has this file", OneLine(path)),
            Self::MoreUnlisted { files } => write!(f, "{files} more files that no unit has"),
            Self::Uncovered { specimens } => {
                write!(f, "{specimens} of the specimens are in no unit, and the manifest covers their heights")
            }
            Self::Heights { chain_id, first, last } => {
                write!(f, "blocks {chain_id}-{first} to {last}: the unit's specimens are of other heights")
            }
            Self::Specimen { chain_id, height, values } => write!(f, "specimen of block {chain_id}-{height}: {values}"),
            Self::Verdicts { chain_id, first, last } => {
                write!(f, "blocks {chain_id}-{first} to {last}: other verdicts than the manifest states")
            }
            Self::Conditions { chain_id, first, last, values } => {
                write!(f, "blocks {chain_id}-{first} to {last}: {values}, by --chain-config and --block-hashes")
            }
            Self::Files { chain_id, first, last } => {
                write!(f, "blocks {chain_id}-{first} to {last}: other files than the manifest states")
            }
            Self::Stated { path, values } => write!(f, "{}: {values}", OneLine(path)),
            Self::Bytes { path, at, line: Some(line) } => {
                write!(f, "{}: differs from what is computed at byte {at}, line {line}", OneLine(path))
            }
            Self::Bytes { path, at, line: None } => {
                write!(f, "{}: differs from what is computed at byte {at}", OneLine(path))
            }
            Self::NotAFile { path } => write!(f, "{}: expected a regular file", OneLine(path)),
            Self::Absent { path } => write!(f, "{}: the file is not there", OneLine(path)),
        }
    }
}
