//! The specimen against its announcement and against its own header.

use alloy_primitives::B256;
use refiner_content::{Content, ContentId};
use refiner_journal::{Item, Step};
use refiner_specimen::{
    HeaderPeek,
    check::{Check, CheckName, Quantity},
    peek_header, sha256, specimen_hash,
};

use crate::{
    engine::{mismatch::Mismatch, policy::StageError},
    state::content::StageContent,
};

/// Bytes of a specimen that is what was announced, and whose header is that of its block hash. Made by [`verify`] alone.
pub struct VerifiedContent {
    content: Content,
}

/// Such a specimen in the local store.
#[derive(Debug)]
pub struct VerifiedSpecimen {
    cid: ContentId,
    bytes: u64,
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
pub fn verify(content: Content, item: &Item) -> Result<VerifiedContent, StageError> {
    compare(&peek_header(content.bytes())?, item)?;
    Ok(VerifiedContent { content })
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

impl VerifiedContent {
    /// Keeps it in the local store and leaves it for the next stage. Blocks.
    pub fn keep(self, content: &StageContent) -> Result<VerifiedSpecimen, StageError> {
        content.store().write(&self.content)?;
        Ok(self.hand_over(content))
    }

    /// Leaves it for the next stage. For what is in the local store.
    pub fn hand_over(self, content: &StageContent) -> VerifiedSpecimen {
        let specimen = VerifiedSpecimen { cid: self.content.unixfs_id(), bytes: self.content.bytes().len() as u64 };
        content.hand_over(self.content);
        specimen
    }
}

impl From<VerifiedSpecimen> for Step {
    fn from(VerifiedSpecimen { cid, bytes }: VerifiedSpecimen) -> Self {
        Self::Fetched { cid: cid.to_string(), bytes }
    }
}
