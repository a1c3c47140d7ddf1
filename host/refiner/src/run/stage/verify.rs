//! The specimen against its announcement and against its own header.

use alloy_primitives::B256;
use refiner_content::{Content, LocalStore};
use refiner_journal::{Item, Step};
use refiner_specimen::{Specimen, check, decode_shared, sha256, specimen_hash};

use crate::run::{handoff::Handoff, policy::StageError};

/// A specimen that is what was announced, and whose header is that of its block hash. Made by [`verify`] alone.
pub struct VerifiedSpecimen {
    content: Content,
}

/// A specimen of something else than was announced.
#[derive(Debug, thiserror::Error)]
pub enum Mismatch {
    /// Another chain.
    #[error("announced for chain {announced}, the specimen is of chain {found}")]
    Chain {
        /// What the announcement says.
        announced: u64,
        /// What the specimen says.
        found: u64,
    },
    /// Another height.
    #[error("announced for height {announced}, the specimen is of height {found}")]
    Height {
        /// What the announcement says.
        announced: u64,
        /// What the specimen says.
        found: u64,
    },
    /// Another block.
    #[error("announced for block {announced}, the specimen is of block {found}")]
    Block {
        /// What the announcement says.
        announced: B256,
        /// What the specimen says.
        found: B256,
    },
    /// A header that is not the block's.
    #[error("the specimen's header is not that of its block hash")]
    Header,
}

/// Whether bytes hash to what was announced. The network announces sha256 of the quoted base64; the plain sha256, which the
/// chain's documentation could also mean, is accepted as well.
pub fn is_announced(bytes: &[u8], announced: B256) -> bool {
    if specimen_hash(bytes) == announced {
        return true;
    }
    let is_plain = sha256(bytes) == announced;
    if is_plain {
        tracing::warn!(%announced, "A specimen was announced by the plain sha256 of its bytes.");
    }
    is_plain
}

/// Decodes content whose hash is the announced one, and compares the rest.
pub fn verify(content: Content, item: &Item) -> Result<VerifiedSpecimen, StageError> {
    let specimen = decode_shared(&content.bytes().clone().into())?;
    compare(&specimen, item)?;
    Ok(VerifiedSpecimen { content })
}

fn compare(specimen: &Specimen, item: &Item) -> Result<(), Mismatch> {
    let block = &specimen.block;
    if block.network_id != item.chain {
        return Err(Mismatch::Chain { announced: item.chain, found: block.network_id });
    }
    if block.header.number != item.height {
        return Err(Mismatch::Height { announced: item.height, found: block.header.number });
    }
    if block.hash != item.block_hash {
        return Err(Mismatch::Block { announced: item.block_hash, found: block.hash });
    }
    if check::block_hash(specimen).failed() { Err(Mismatch::Header) } else { Ok(()) }
}

impl VerifiedSpecimen {
    /// Keeps it in the local store, unless it came from there, and leaves it for the next stage. Blocks.
    pub fn keep(self, store: Option<&LocalStore>, handoff: &Handoff) -> Result<Step, StageError> {
        let cid = store.map_or_else(|| Ok(self.content.recipe_id()), |store| store.write(&self.content))?;
        let bytes = self.content.bytes().len() as u64;
        handoff.put(self.content);
        Ok(Step::Fetched { cid: cid.to_string(), bytes })
    }
}
