//! A result that is to be proved.

use alloy_primitives::B256;
use refiner_journal::{Item, JournalError};
use refiner_proofchain::Proof;
use url::Url;

use crate::state::journal_handle::JournalHandle;

/// The URLs under which others find results.
#[derive(Clone, Debug)]
pub struct ResultUrls {
    /// Where the daemon itself serves them.
    base: Option<Url>,
}

impl ResultUrls {
    /// URLs below `public_url`, where there is one and no pinner has the results; else their content ids.
    pub fn new(public_url: Option<Url>, has_pinner: bool) -> Self {
        Self { base: public_url.filter(|_| !has_pinner) }
    }

    fn of(&self, cid: &str) -> String {
        match &self.base {
            Some(base) => format!("{}/ipfs/{cid}", base.as_str().trim_end_matches('/')),
            None => format!("ipfs://{cid}"),
        }
    }
}

/// An item whose one artifact is pinned, and the statement that is to be proved of it. Made by [`ProofIntent::read`] alone.
#[derive(Clone, Debug)]
pub struct ProofIntent {
    item: Item,
    proof: Proof,
}

impl ProofIntent {
    /// The intent of an item in that state. `None` for one without an artifact.
    pub fn read(journal: &JournalHandle, urls: &ResultUrls, item: Item) -> Result<Option<Self>, JournalError> {
        let artifacts = journal.with(|journal| journal.artifacts(item.id))?;
        let Some(artifact) = artifacts.first() else { return Ok(None) };
        let proof = Proof {
            chain_id: item.chain,
            height: item.height,
            specimen_hash: item.specimen_hash,
            result_hash: artifact.sha256,
            url: urls.of(&artifact.cid),
        };
        Ok(Some(Self { item, proof }))
    }

    /// The item that is proved.
    pub const fn item(&self) -> &Item {
        &self.item
    }

    /// The statement on chain.
    pub const fn proof(&self) -> &Proof {
        &self.proof
    }

    /// sha256 of the result.
    pub const fn result_hash(&self) -> B256 {
        self.proof.result_hash
    }
}
