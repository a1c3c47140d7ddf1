//! `_manifest.json`: what a data set is made of.

use std::{
    collections::BTreeMap,
    io::{self, Read as _, Write},
    path::Path,
};

use serde::{Deserialize, Serialize};

use crate::{DataSetError, Terms, Unit, error::MANIFEST_BYTES_MAX, files::open_file};

/// Name of the manifest within its data set.
pub const MANIFEST: &str = "_manifest.json";

/// The mark of a manifest.
const KIND: &str = "refiner-data-set";
const VERSION: u32 = 1;

/// The content of a manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Manifest {
    kind: String,
    version: u32,
    /// Rules, engine and form of the output.
    pub terms: Terms,
    /// Heights that are there, and those that are not.
    pub chains: Vec<Chain>,
    /// Sums over the units.
    pub totals: Totals,
    /// Specimens and their files, by chain and height.
    pub units: Vec<Unit>,
}

/// Heights of one chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Chain {
    /// Id of the chain.
    pub chain_id: u64,
    /// Number of blocks.
    pub blocks: u64,
    /// Ranges without a gap, first and last height of each.
    pub coverage: Vec<Range>,
    /// The ranges between them.
    pub gaps: Vec<Range>,
}

/// The first and the last height of a range.
pub type Range = (u64, u64);

/// Sums over the units.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Totals {
    /// Number of specimens.
    pub specimens: u64,
    /// Number of files.
    pub files: u64,
    /// Rows of all files that have rows.
    pub rows: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// Runs that ended in another verdict than `produced`.
    pub other_verdicts: u64,
}

impl Manifest {
    /// The manifest of these units, which are by chain and height.
    pub fn of(terms: Terms, units: Vec<Unit>) -> Self {
        let (chains, totals) = (chains(&units), Totals::of(&units));
        Self { kind: KIND.to_owned(), version: VERSION, terms, chains, totals, units }
    }

    /// Reads a manifest, or none where there is no file.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or is no manifest of this version.
    pub fn read(path: &Path) -> Result<Option<Self>, DataSetError> {
        let refuse = |source| DataSetError::Io { path: path.to_owned(), source };
        let file = match open_file(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(refuse(error)),
        };
        let mut text = Vec::new();
        file.take(MANIFEST_BYTES_MAX + 1).read_to_end(&mut text).map_err(refuse)?;
        if text.len() as u64 > MANIFEST_BYTES_MAX {
            return Err(DataSetError::TooLarge(path.to_owned()));
        }
        Self::parse(path, &text).map(Some)
    }

    /// Reads the manifest of a path or URL from its text.
    ///
    /// # Errors
    ///
    /// The text is no manifest of this version, or has a unit without specimens.
    pub fn parse(path: &Path, text: &[u8]) -> Result<Self, DataSetError> {
        let malformed = |source| DataSetError::Malformed { path: path.to_owned(), source };
        // Before the rest is read, which another version may say differently.
        let Mark { kind, version } = serde_json::from_slice(text).map_err(malformed)?;
        if kind != KIND {
            return Err(malformed(serde::de::Error::custom("its kind is another")));
        }
        if version != VERSION {
            return Err(DataSetError::Version { path: path.to_owned(), found: version, expected: VERSION });
        }
        let manifest: Self = serde_json::from_slice(text).map_err(malformed)?;
        match manifest.units.iter().find(|unit| unit.specimens.is_empty()) {
            Some(Unit { chain_id, first, .. }) => {
                Err(malformed(serde::de::Error::custom(format_args!("the unit {chain_id}-{first} has no specimens"))))
            }
            None => Ok(manifest),
        }
    }

    /// Writes the manifest, a unit a line.
    pub(crate) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let Self { kind, version, terms, chains, totals, units } = self;
        writeln!(out, "{{\"kind\":{},\n\"version\":{version},", serde_json::to_string(kind)?)?;
        writeln!(out, "\"terms\":{},", serde_json::to_string(terms)?)?;
        writeln!(out, "\"chains\":{},", serde_json::to_string(chains)?)?;
        writeln!(out, "\"totals\":{},", serde_json::to_string(totals)?)?;
        write!(out, "\"units\":[")?;
        for (index, unit) in units.iter().enumerate() {
            write!(out, "{}\n{}", if index == 0 { "" } else { "," }, serde_json::to_string(unit)?)?;
        }
        writeln!(out, "\n]}}")
    }
}

#[derive(Deserialize)]
struct Mark {
    kind: String,
    version: u32,
}

impl Totals {
    /// The sums over these units. What is stated in them can be any number.
    pub(crate) fn of(units: &[Unit]) -> Self {
        let mut totals = Self::default();
        for unit in units {
            totals.specimens += unit.specimens.len() as u64;
            totals.files += unit.files.len() as u64;
            for file in &unit.files {
                totals.rows = totals.rows.saturating_add(file.rows.unwrap_or_default());
                totals.bytes = totals.bytes.saturating_add(file.bytes);
            }
            totals.other_verdicts += unit.verdicts.len() as u64;
        }
        totals
    }
}

/// The heights of each chain in these units.
pub(crate) fn chains(units: &[Unit]) -> Vec<Chain> {
    let mut heights: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for unit in units {
        heights.entry(unit.chain_id).or_default().extend(unit.specimens.iter().map(|specimen| specimen.height));
    }
    heights.into_iter().map(|(chain_id, heights)| Chain::of(chain_id, heights)).collect()
}

impl Chain {
    fn of(chain_id: u64, mut heights: Vec<u64>) -> Self {
        heights.sort_unstable();
        heights.dedup();
        let mut coverage: Vec<Range> = Vec::new();
        for &height in &heights {
            match coverage.last_mut() {
                Some((_, last)) if last.checked_add(1) == Some(height) => *last = height,
                _ => coverage.push((height, height)),
            }
        }
        let gaps = coverage.windows(2).map(|pair| (pair[0].1 + 1, pair[1].0 - 1)).collect();
        Self { chain_id, blocks: heights.len() as u64, coverage, gaps }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coverage_and_gaps_follow_from_the_heights() {
        let chain = Chain::of(1, vec![12, 10, 11, 20, 22, 23, 20]);
        assert_eq!(chain.blocks, 6);
        assert_eq!(chain.coverage, [(10, 12), (20, 20), (22, 23)]);
        assert_eq!(chain.gaps, [(13, 19), (21, 21)]);
        assert_eq!(Chain::of(1, vec![u64::MAX, 0]).gaps, [(1, u64::MAX - 1)]);
    }
}
