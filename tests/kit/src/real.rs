//! Real specimens, which live outside the project: in `$REFINER_SHARED` or `../shared`, in its folders `specimens` and
//! `cases`.

use std::{env, fs, path::PathBuf, sync::Once};

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
    static SAID: Once = Once::new();
    let dir = shared().join("cases").join(folder);
    if dir.is_dir() {
        return specimens_in(&dir).map(Some);
    }
    #[allow(clippy::print_stderr)]
    SAID.call_once(|| eprintln!("skipped: ../shared/cases not present"));
    Ok(None)
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
