//! Proofs of one operator that are on chain.

use alloy_primitives::{Address, B256};
use alloy_sol_types::SolEvent;
use serde::Deserialize;
use serde_json::json;

use crate::{
    announcement::ProofLog,
    bindings::BlockResultProductionProofSubmitted,
    chain::ProofChain,
    recent::RecentLogs,
    rpc::{Question, RpcError},
};

/// A proof that the contract took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubmittedProof {
    /// The chain that the specimen is of.
    pub chain_id: u64,
    /// Height of its block.
    pub height: u64,
    /// sha256 of the specimen's quoted base64.
    pub specimen_hash: B256,
    /// sha256 of the result.
    pub result_hash: B256,
    /// Block of the proof chain with the transaction.
    pub block: u64,
    /// The transaction.
    pub transaction: B256,
}

/// The sender of a transaction.
#[derive(Debug, Deserialize)]
struct Sender {
    from: Address,
}

impl SubmittedProof {
    fn read(log: &ProofLog) -> Option<Self> {
        let event = BlockResultProductionProofSubmitted::decode_raw_log_validate(log.topics.iter().copied(), &log.data);
        let event = event.ok()?;
        Some(Self {
            chain_id: event.chainId,
            height: event.blockHeight,
            specimen_hash: event.blockSpecimenHash,
            result_hash: event.resultHash,
            block: log.block_number?,
            transaction: log.transaction_hash?,
        })
    }
}

impl ProofChain {
    /// The proofs of `operator` in the blocks from `first` to `last`, in the order of the chain. The event does not name who proved, so
    /// the transactions of all proofs for which `is_wanted` are asked for.
    ///
    /// A node that lacks a transaction leaves its proof out: the contract refuses a second one in any case.
    ///
    /// # Errors
    ///
    /// [`RpcError`].
    pub async fn proofs_of(
        &self,
        operator: Address,
        first: u64,
        last: u64,
        is_wanted: impl Fn(&SubmittedProof) -> bool,
    ) -> Result<Vec<SubmittedProof>, RpcError> {
        let mut logs = RecentLogs::new(self.clone(), BlockResultProductionProofSubmitted::SIGNATURE_HASH);
        let (mut next, mut proofs) = (first, Vec::new());
        while next <= last {
            let (read, to) = logs.read_from(next, last).await?;
            let read: Vec<_> = read.iter().filter_map(SubmittedProof::read).filter(|proof| is_wanted(proof)).collect();
            let questions: Vec<_> = read
                .iter()
                .map(|proof| Question::new("eth_getTransactionByHash", json!([proof.transaction])))
                .collect();
            let senders = self.rpc().call_all::<Option<Sender>>(&questions).await?;
            let is_ours = |sender: &Result<Option<Sender>, RpcError>| matches!(sender, Ok(Some(sender)) if sender.from == operator);
            proofs.extend(read.into_iter().zip(&senders).filter(|(_, sender)| is_ours(sender)).map(|(proof, _)| proof));
            next = to.saturating_add(1);
        }
        Ok(proofs)
    }
}
