//! Real specimens, which live outside the project: in `$REFINER_SHARED` or `../shared`, in its folders `specimens` and
//! `cases`.

use std::{collections::BTreeMap, env, fs, path::PathBuf, sync::Once};

use alloy_primitives::B256;
use serde::Deserialize;

use crate::{
    KitError,
    files::{SpecimenFile, specimens_in, workspace},
};

/// Published facts about a specimen.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Vector {
    /// Name of the file.
    pub file: String,
    /// Id of the chain.
    pub chain_id: u64,
    /// Height of the block.
    pub height: u64,
    /// The layout its bytes have, `"0.35"`.
    pub layout: String,
    /// The version it states, which can differ.
    pub stated_codec_version: f64,
    /// Length of the file.
    pub bytes: usize,
    /// sha256 of the file.
    pub sha256: B256,
    /// sha256 of its quoted base64, as announced on chain.
    pub specimen_hash: B256,
    /// Hash of the block.
    pub block_hash: B256,
    /// The specimen's content id, where known.
    pub cid: Option<String>,
    /// The result of the network's evm-server, where published.
    pub evm_server: Option<EvmServerVector>,
}

/// A published block result.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EvmServerVector {
    /// The server's era, `A` to `D`.
    pub era: char,
    /// sha256 of the block result.
    pub sha256: B256,
    /// Content id of the result.
    pub cid: String,
}

/// A real specimen with its published facts.
#[derive(Clone, Debug, PartialEq)]
pub struct RealSpecimen {
    /// Published facts about it.
    pub vector: Vector,
    /// The file of the specimen.
    pub file: SpecimenFile,
}

impl RealSpecimen {
    /// Where the producer's own view of the block is: header, receipts and withdrawals as JSON.
    pub fn receipts_path(&self) -> PathBuf {
        self.file.path.with_extension("receipts.json")
    }
}

/// The folder of the real specimens, when this machine has it. Otherwise prints once that tests skip them.
pub fn directory() -> Option<PathBuf> {
    static SAID: Once = Once::new();
    let dir = shared().join("specimens");
    let found = dir.join("vectors.json").is_file();
    if !found {
        #[allow(clippy::print_stderr)]
        SAID.call_once(|| eprintln!("skipped: ../shared/specimens not present"));
    }
    found.then_some(dir)
}

fn shared() -> PathBuf {
    env::var_os("REFINER_SHARED").map_or_else(|| workspace().join("../shared"), PathBuf::from)
}

/// The specimens in a folder of `cases`, such as `real`, in order of their names, or `None` where there are none.
///
/// # Errors
///
/// [`KitError::File`].
pub fn cases(folder: &str) -> Result<Option<Vec<SpecimenFile>>, KitError> {
    cases_folder(folder).map(|dir| specimens_in(&dir)).transpose()
}

/// A component of `cases/rules`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleCase {
    /// Path of the file.
    pub path: PathBuf,
    /// Content of the file.
    pub bytes: Vec<u8>,
}

impl RuleCase {
    /// The file's name without its ending.
    pub fn name(&self) -> String {
        self.path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }
}

/// The components in `cases/rules`, in order of their names, or `None` where there are none.
///
/// # Errors
///
/// [`KitError::File`].
pub fn rule_cases() -> Result<Option<Vec<RuleCase>>, KitError> {
    let Some(dir) = cases_folder("rules") else { return Ok(None) };
    let read = |path: PathBuf| match fs::read(&path) {
        Ok(bytes) => Ok(RuleCase { path, bytes }),
        Err(source) => Err(KitError::File { path, source }),
    };
    let entries = fs::read_dir(&dir).map_err(|source| KitError::File { path: dir.clone(), source })?;
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "wasm"));
    paths.sort();
    paths.into_iter().map(read).collect::<Result<_, _>>().map(Some)
}

/// A folder of `cases`, when this machine has it. Otherwise prints once that tests skip them.
fn cases_folder(folder: &str) -> Option<PathBuf> {
    static SAID: Once = Once::new();
    let dir = shared().join("cases").join(folder);
    let found = dir.is_dir();
    if !found {
        #[allow(clippy::print_stderr)]
        SAID.call_once(|| eprintln!("skipped: ../shared/cases not present"));
    }
    found.then_some(dir)
}

/// A block replica with the answers that the network's evm-server gave to it.
#[derive(Clone, Debug, PartialEq)]
pub struct AnsweredReplica {
    /// Name of its file.
    pub name: String,
    /// The replica as JSON.
    pub json: Vec<u8>,
    /// The answer of each era, by its letter in lower case.
    pub answers: BTreeMap<String, NetworkAnswer>,
}

/// An answer of the network's evm-server.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct NetworkAnswer {
    /// The HTTP status.
    pub status: u16,
    /// sha256 of a block result, bare hex.
    pub sha256: Option<String>,
    /// The body of a refusal.
    pub body: Option<String>,
}

/// Every replica of `cases/evm-server` with its answers, or `None` where there are none.
///
/// # Errors
///
/// [`KitError::File`] and [`KitError::Vectors`].
pub fn answered_replicas() -> Result<Option<Vec<AnsweredReplica>>, KitError> {
    let Some(dir) = cases_folder("evm-server") else { return Ok(None) };
    let read = |path: PathBuf| fs::read(&path).map_err(|source| KitError::File { path, source });
    let path = dir.join("answers.json");
    let answers: BTreeMap<String, BTreeMap<String, NetworkAnswer>> =
        serde_json::from_slice(&read(path.clone())?).map_err(|source| KitError::Vectors { path, source })?;
    let replica = |(name, answers): (String, _)| {
        let json = read(dir.join(&name))?;
        Ok(AnsweredReplica { name, json, answers })
    };
    answers.into_iter().map(replica).collect::<Result<_, _>>().map(Some)
}

/// Every real specimen in the order of `vectors.json`, or `None` where there are none.
///
/// # Errors
///
/// [`KitError::File`] and [`KitError::Vectors`].
pub fn specimens() -> Result<Option<Vec<RealSpecimen>>, KitError> {
    let Some(dir) = directory() else { return Ok(None) };
    let path = dir.join("vectors.json");
    let vectors = match fs::read(&path) {
        Ok(json) => {
            serde_json::from_slice::<Vec<Vector>>(&json).map_err(|source| KitError::Vectors { path, source })?
        }
        Err(source) => return Err(KitError::File { path, source }),
    };
    let read = |vector: Vector| {
        let file = SpecimenFile::read(dir.join(&vector.file))?;
        Ok(RealSpecimen { vector, file })
    };
    vectors.into_iter().map(read).collect::<Result<_, _>>().map(Some)
}
