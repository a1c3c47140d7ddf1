//! Units of a data set: specimens whose files appear together.

use alloy_primitives::B256;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Bytes of a digest in a key, and in the name of an object.
pub(crate) const DIGEST_BYTES: usize = 8;

/// Specimens whose files appear together, or not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Unit {
    /// Chain of the blocks.
    pub chain_id: u64,
    /// Height of the first block.
    pub first: u64,
    /// Height of the last block.
    pub last: u64,
    /// The specimens by height.
    pub specimens: Vec<SpecimenEntry>,
    /// The files that came of them.
    pub files: Vec<FileEntry>,
    /// Runs that ended in another verdict than `produced`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub verdicts: Vec<VerdictEntry>,
    /// Digest of what the options of the run knew of these blocks beyond the terms, where they knew something and there are other
    /// verdicts: under other conditions those can be others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conditions: Option<B256>,
}

/// Chain, first and last height of a unit, and a digest of all its heights. Units with the same key have the same blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct UnitKey {
    pub(crate) chain_id: u64,
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) heights: [u8; DIGEST_BYTES],
}

impl Unit {
    pub(crate) fn key(&self) -> UnitKey {
        let Self { chain_id, first, last, .. } = *self;
        let mut digest = Sha256::new();
        self.specimens.iter().for_each(|specimen| digest.update(specimen.height.to_be_bytes()));
        let mut heights = [0; DIGEST_BYTES];
        heights.copy_from_slice(&digest.finalize()[..DIGEST_BYTES]);
        UnitKey { chain_id, first, last, heights }
    }

    /// Chain and height of each block.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = (u64, u64)> {
        self.specimens.iter().map(|specimen| (self.chain_id, specimen.height))
    }
}

/// A specimen of a unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SpecimenEntry {
    /// Height of its block.
    pub height: u64,
    /// Hash of its block.
    pub block_hash: B256,
    /// The hash that the network announces.
    pub specimen_hash: B256,
    /// Its length, in bytes.
    pub bytes: u64,
}

/// A file of a unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FileEntry {
    /// Path below the data set's directory.
    pub path: String,
    /// The rule that made it.
    pub rule: String,
    /// Its output.
    pub output: String,
    /// Rows in it, where it has rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// Its length, in bytes.
    pub bytes: u64,
    /// sha256 of its bytes.
    pub sha256: B256,
}

/// A run that ended in another verdict than `produced`. It is the same on every machine, as long as the specimen's file and what is known
/// of its chain and block are the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VerdictEntry {
    /// Height of the block.
    pub height: u64,
    /// Name of the rule.
    pub rule: String,
    /// Name of the verdict.
    pub verdict: String,
    /// The reason for it.
    pub message: String,
}
