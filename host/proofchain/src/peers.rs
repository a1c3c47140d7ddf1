//! Proofs that operators submitted.

use std::collections::BTreeMap;

use alloy_primitives::B256;
use alloy_sol_types::SolEvent;

use crate::{
    announcement::ProofLog, bindings::BlockResultProductionProofSubmitted, chain::ProofChain, recent::RecentLogs,
    rpc::RpcError,
};

/// The proofs of the last blocks, by specimen.
#[derive(Debug)]
pub struct PeerProofs {
    logs: RecentLogs,
    /// By block.
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
        let logs = RecentLogs::new(chain, BlockResultProductionProofSubmitted::SIGNATURE_HASH);
        Self { logs, proofs: BTreeMap::new() }
    }

    /// Reads every proof in the last blocks, as far as it was not read before. Older sessions are closed.
    ///
    /// # Errors
    ///
    /// [`RpcError`].
    pub async fn read(&mut self) -> Result<(), RpcError> {
        let batch = self.logs.read().await?;
        self.proofs = self.proofs.split_off(&batch.first);
        self.proofs.split_off(&batch.from);
        batch.logs.iter().for_each(|log| self.take(log));
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

    fn take(&mut self, log: &ProofLog) {
        let proof = BlockResultProductionProofSubmitted::abi_decode_data_validate(&log.data);
        let (Some(block), Ok((_, _, specimen_hash, result_hash, _))) = (log.block_number, proof) else { return };
        self.proofs.entry(block).or_default().push(PeerProof { specimen_hash, result_hash });
    }
}
