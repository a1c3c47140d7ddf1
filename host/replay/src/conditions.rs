//! Conditions of verdicts: the chain configurations and block hashes that options name. They are no part of the terms of a data set.

use std::{collections::BTreeMap, sync::Arc};

use alloy_primitives::B256;
use refiner_executor::chains::ConfiguredChains;
use refiner_specimen_files::known_blocks::KnownBlocks;
use sha2::{Digest as _, Sha256};

/// The chains and block hashes that the options of a replay name.
#[derive(Clone, Debug, Default)]
pub struct Conditions {
    /// Digest of the configuration of each chain.
    chains: BTreeMap<u64, B256>,
    known: Arc<KnownBlocks>,
}

impl Conditions {
    /// The conditions of these chain configurations and of this list of block hashes.
    pub fn of(chains: &ConfiguredChains, known: Arc<KnownBlocks>) -> Self {
        let digest = |(chain_id, text): (u64, &str)| (chain_id, B256::from(<[u8; 32]>::from(Sha256::digest(text))));
        Self { chains: chains.iter().map(digest).collect(), known }
    }

    /// Digest of all that is known of these blocks; none where the options name neither their chain nor one of them. What is known of
    /// others is left out, so that a list which grows changes nothing for the blocks that it had.
    pub fn of_blocks(&self, chain_id: u64, heights: impl IntoIterator<Item = u64>) -> Option<B256> {
        let chain = self.chains.get(&chain_id);
        let mut text = chain.map_or_else(String::new, |digest| format!("chain {digest}\n"));
        for height in heights {
            for hash in self.known.listed(chain_id, height) {
                text.push_str(&format!("block {height} {hash}\n"));
            }
        }
        (!text.is_empty()).then(|| B256::from(<[u8; 32]>::from(Sha256::digest(text))))
    }
}
