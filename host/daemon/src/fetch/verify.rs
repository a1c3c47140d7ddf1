//! The specimen against its announcement and against its own header.

use alloy_primitives::B256;
use refiner_content::{Content, LocalStore};
use refiner_journal::{Item, Step};
use refiner_specimen::{
    HeaderPeek,
    check::{Check, CheckName, Quantity},
    peek_header, sha256, specimen_hash,
};

use crate::{engine::policy::StageError, state::content_cache::ContentCache};

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
        /// Value in the announcement on chain.
        announced: u64,
        /// Value in the specimen itself.
        found: u64,
    },
    /// Another height.
    #[error("announced for height {announced}, the specimen is of height {found}")]
    Height {
        /// Value in the announcement on chain.
        announced: u64,
        /// Value in the specimen itself.
        found: u64,
    },
    /// Another block.
    #[error("announced for another block: {0}")]
    Block(Box<Check>),
    /// A header that is not the block's.
    #[error("the block contradicts itself: {0}")]
    Header(Box<Check>),
}

/// Whether bytes hash to what was announced. The network announces sha256 of the quoted base64; the plain sha256, which the
/// chain's documentation could also mean, is accepted as well.
pub fn is_announced(bytes: &[u8], announced: B256) -> bool {
    if specimen_hash(bytes) == announced {
        return true;
    }
    let is_plain = sha256(bytes) == announced;
    if is_plain {
        tracing::warn!(%announced, "specimen announced by its plain sha256");
    }
    is_plain
}

/// Compares which block it is of, for content whose hash is the announced one. Whether all of it is a specimen, the worker finds
/// out: the process that holds the key reads no more of a stranger's bytes than it must.
pub fn verify(content: Content, item: &Item) -> Result<VerifiedSpecimen, StageError> {
    compare(&peek_header(content.bytes())?, item)?;
    Ok(VerifiedSpecimen { content })
}

fn compare(peek_header: &HeaderPeek, item: &Item) -> Result<(), Mismatch> {
    let HeaderPeek { network_id, hash, ref header, header_hash } = *peek_header;
    if network_id != item.chain {
        return Err(Mismatch::Chain { announced: item.chain, found: network_id });
    }
    if header.number != item.height {
        return Err(Mismatch::Height { announced: item.height, found: header.number });
    }
    // Both checks are those that the reports of a replay show under these names.
    let (stated, announced) = (Quantity::Hash(hash), Quantity::Hash(item.block_hash));
    let known = Check::compare(CheckName::KnownBlock, stated.clone(), announced);
    if known.failed() {
        return Err(Mismatch::Block(Box::new(known)));
    }
    let header = Check::compare(CheckName::BlockHash, stated, Quantity::Hash(header_hash));
    if header.failed() { Err(Mismatch::Header(Box::new(header))) } else { Ok(()) }
}

impl VerifiedSpecimen {
    /// Keeps it in the local store and leaves it for the next stage. Blocks.
    pub fn keep(self, store: &LocalStore, content_cache: &ContentCache) -> Result<Step, StageError> {
        store.write(&self.content)?;
        Ok(self.leave(content_cache))
    }

    /// Leaves it for the next stage. For what is in the local store.
    pub fn leave(self, content_cache: &ContentCache) -> Step {
        let step =
            Step::Fetched { cid: self.content.unixfs_id().to_string(), bytes: self.content.bytes().len() as u64 };
        content_cache.insert(self.content);
        step
    }
}
