//! Proofs that operators submitted, read from the result contract's logs as the chain grows.

use std::collections::BTreeMap;

use alloy_primitives::B256;
use alloy_sol_types::SolEvent;
use serde_json::json;

use crate::{
    announcement::ProofLog, bindings::BlockResultProductionProofSubmitted, chain::ProofChain, quantity, rpc::RpcError,
};

/// Blocks that are looked back: some sessions' length. What is older can no longer be proved.
const LOOK_BACK: u64 = 4_000;
/// Blocks that are read again, because a reorganisation may have changed them.
const TRAIL: u64 = 8;
/// The first range of one question. Public nodes of Moonbeam take at least this.
const FIRST_BLOCKS: u64 = 1_000;

/// The proofs of the last blocks, by specimen.
#[derive(Debug)]
pub struct PeerProofs {
    chain: ProofChain,
    /// The first block that was read, and the first that was not.
    read: Option<(u64, u64)>,
    /// Blocks of one question; halves when a node takes no more.
    blocks: u64,
    proofs: BTreeMap<u64, Vec<PeerProof>>,
}

#[derive(Debug)]
struct PeerProof {
    specimen_hash: B256,
    result_hash: B256,
}

impl PeerProofs {
    /// Nothing is read yet.
    pub fn new(chain: ProofChain) -> Self {
        Self { chain, read: None, blocks: FIRST_BLOCKS, proofs: BTreeMap::new() }
    }

    /// Reads every proof in the blocks from `since` to the head, as far as it was not read before.
    ///
    /// # Errors
    ///
    /// [`RpcError`]; what was read is kept.
    pub async fn read(&mut self, since: u64) -> Result<(), RpcError> {
        let head = self.chain.head().await?;
        let oldest = head.saturating_sub(LOOK_BACK);
        let since = since.max(oldest);
        let (first, mut next) = match self.read {
            Some((first, next)) if first <= since => (first.max(oldest), next.saturating_sub(TRAIL).max(first)),
            _ => (since, since),
        };
        self.proofs = self.proofs.split_off(&first);
        self.proofs.split_off(&next);
        self.read = Some((first, next));
        while next <= head {
            let to = head.min(next.saturating_add(self.blocks - 1));
            match self.logs(next, to).await {
                Ok(logs) => {
                    logs.iter().for_each(|log| self.take(log));
                    next = to.saturating_add(1);
                    self.read = Some((first, next));
                }
                Err(error) if to > next && may_take_less(&error) => self.blocks = ((to - next) / 2).max(1),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The results that were proved for a specimen, and the number of operators for each.
    pub fn of(&self, specimen_hash: B256) -> BTreeMap<B256, usize> {
        let mut results = BTreeMap::new();
        for proof in self.proofs.values().flatten().filter(|proof| proof.specimen_hash == specimen_hash) {
            *results.entry(proof.result_hash).or_default() += 1;
        }
        results
    }

    async fn logs(&self, from: u64, to: u64) -> Result<Vec<ProofLog>, RpcError> {
        let filter = json!([{
            "address": self.chain.network().result_contract,
            "topics": [BlockResultProductionProofSubmitted::SIGNATURE_HASH],
            "fromBlock": quantity::hex(from),
            "toBlock": quantity::hex(to),
        }]);
        self.chain.rpc().call("eth_getLogs", filter).await
    }

    /// A log that is none of the contract's proofs is left out: this is advice, and the chain decides.
    fn take(&mut self, log: &ProofLog) {
        let is_ours = log.address == self.chain.network().result_contract
            && log.topics.first() == Some(&BlockResultProductionProofSubmitted::SIGNATURE_HASH);
        let (Some(block), true, false) = (log.block_number, is_ours, log.removed) else { return };
        let Ok(proof) = BlockResultProductionProofSubmitted::abi_decode_data_validate(&log.data) else { return };
        let (_, _, specimen_hash, result_hash, _) = proof;
        self.proofs.entry(block).or_default().push(PeerProof { specimen_hash, result_hash });
    }
}

/// Whether a shorter range may be answered. Nodes word their limits in a hundred ways.
fn may_take_less(error: &RpcError) -> bool {
    match error {
        RpcError::TooLarge { .. } | RpcError::TimedOut { .. } | RpcError::Status { .. } => true,
        RpcError::Refused { refusal, .. } => !refusal.is_rate_limit(),
        _ => false,
    }
}
