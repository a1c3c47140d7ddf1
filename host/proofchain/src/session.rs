//! Sessions of the result contract: the phase of one, and those that opened lately.

use std::collections::BTreeMap;

use alloy_primitives::{B256, Bytes, U256};
use alloy_sol_types::{SolCall as _, SolEvent};
use serde_json::json;

use crate::{
    announcement::ProofLog,
    bindings::{
        BlockResultProductionProofSubmitted, BlockResultQuorum, QuorumNotReached, SessionStarted,
        finalizeResultSessionCall,
    },
    chain::ProofChain,
    quantity::bounded,
    recent::{LOOK_BACK, RecentLogs},
    revert::Revert,
    rpc::RpcError,
};

/// A session that opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenedSession {
    /// The chain that the specimen is of.
    pub chain_id: u64,
    /// Height of its block.
    pub height: u64,
    /// The last block in which proofs are taken.
    pub deadline: u64,
}

/// Sessions that opened in the last blocks.
#[derive(Debug)]
pub struct OpenedSessions {
    logs: RecentLogs,
}

/// The phase of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionPhase {
    /// No operator proved a result of this height.
    NotStarted,
    /// Proofs are taken.
    Open,
    /// The deadline has passed, and it pays once an account finalizes it.
    Finalizable,
    /// It was finalized.
    Finalized,
}

/// A session, as far as the contract and the events of the last blocks show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionView {
    /// Its phase.
    pub phase: SessionPhase,
    /// The newest block.
    pub head: u64,
    /// The first block whose events were read.
    pub since: u64,
    /// The last block in which proofs are or were taken.
    pub deadline: Option<u64>,
    /// The proofs of each specimen and result.
    pub proofs: BTreeMap<(B256, B256), usize>,
    /// The specimen and result that won, with the validators that agreed.
    pub quorum: Option<(B256, B256, U256)>,
    /// It ended without a winner.
    pub without_quorum: bool,
}

impl OpenedSessions {
    /// Nothing is read yet.
    pub fn new(chain: ProofChain) -> Self {
        Self { logs: RecentLogs::new(chain, SessionStarted::SIGNATURE_HASH) }
    }

    /// Those that opened since the last call, or in the last blocks at the first one.
    ///
    /// # Errors
    ///
    /// [`RpcError`].
    pub async fn read(&mut self) -> Result<Vec<OpenedSession>, RpcError> {
        let batch = self.logs.read().await?;
        Ok(batch.logs.iter().filter_map(opened).collect())
    }
}

fn opened(log: &ProofLog) -> Option<OpenedSession> {
    let event = SessionStarted::decode_raw_log_validate(log.topics.iter().copied(), &log.data).ok()?;
    Some(OpenedSession {
        chain_id: bounded(event.chainId)?,
        height: bounded(event.blockHeight)?,
        deadline: bounded(event.deadline)?,
    })
}

impl SessionPhase {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotStarted => "not started",
            Self::Open => "open",
            Self::Finalizable => "past its deadline, not finalized",
            Self::Finalized => "finalized",
        }
    }
}

impl ProofChain {
    /// The phase of a session, found by trying to finalize it without a transaction; and the events of it in the last 4,000 blocks.
    ///
    /// # Errors
    ///
    /// [`RpcError`].
    pub async fn session(&self, chain_id: u64, height: u64) -> Result<SessionView, RpcError> {
        let call = finalizeResultSessionCall { chainId: chain_id, blockHeight: height };
        let call = json!([{"to": self.network().result_contract, "data": Bytes::from(call.abi_encode())}, "latest"]);
        let phase = match self.rpc().call::<Bytes>("eth_call", call).await {
            Ok(_) => SessionPhase::Finalizable,
            Err(error) => match error.refusal().and_then(Revert::of) {
                Some(Revert::SessionNotStarted) => SessionPhase::NotStarted,
                Some(Revert::SessionRunning) => SessionPhase::Open,
                Some(Revert::SessionFinalized) => SessionPhase::Finalized,
                _ => return Err(error),
            },
        };
        let head = self.head().await?;
        let mut view = SessionView {
            phase,
            head,
            since: head.saturating_sub(LOOK_BACK),
            deadline: None,
            proofs: BTreeMap::new(),
            quorum: None,
            without_quorum: false,
        };
        for topic in [
            SessionStarted::SIGNATURE_HASH,
            BlockResultProductionProofSubmitted::SIGNATURE_HASH,
            BlockResultQuorum::SIGNATURE_HASH,
            QuorumNotReached::SIGNATURE_HASH,
        ] {
            for log in RecentLogs::new(self.clone(), topic).read().await?.logs {
                view.take(&log, chain_id, height);
            }
        }
        Ok(view)
    }
}

impl SessionView {
    /// Events of other sessions change nothing.
    fn take(&mut self, log: &ProofLog, chain_id: u64, height: u64) {
        let topics = || log.topics.iter().copied();
        let is_it = |chain: u64, of: u64| (chain, of) == (chain_id, height);
        if let Some(session) = opened(log).filter(|session| is_it(session.chain_id, session.height)) {
            self.deadline = Some(session.deadline);
        }
        if let Ok(proof) = BlockResultProductionProofSubmitted::decode_raw_log_validate(topics(), &log.data)
            && is_it(proof.chainId, proof.blockHeight)
        {
            *self.proofs.entry((proof.blockSpecimenHash, proof.resultHash)).or_default() += 1;
        }
        if let Ok(quorum) = BlockResultQuorum::decode_raw_log_validate(topics(), &log.data)
            && is_it(quorum.chainId, quorum.blockHeight)
        {
            self.quorum = Some((quorum.blockSpecimenHash, quorum.resulthash, quorum.validatorBitMap));
        }
        if let Ok(none) = QuorumNotReached::decode_raw_log_validate(topics(), &log.data)
            && is_it(none.chainId, none.blockHeight)
        {
            self.without_quorum = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::Address;

    use super::*;

    #[test]
    fn session_of_a_number_that_the_journal_could_not_hold_is_left_out() {
        let log = |chain_id, height, deadline| {
            let event = SessionStarted { chainId: chain_id, blockHeight: height, deadline };
            let data = event.encode_log_data();
            ProofLog {
                address: Address::ZERO,
                topics: data.topics().to_vec(),
                data: data.data,
                block_number: None,
                block_hash: None,
                transaction_hash: None,
                log_index: None,
                removed: false,
            }
        };
        assert_eq!(opened(&log(1, 7, 9)), Some(OpenedSession { chain_id: 1, height: 7, deadline: 9 }));
        for log in [log(1 << 63, 7, 9), log(1, 1 << 63, 9), log(1, 7, 1 << 63)] {
            assert_eq!(opened(&log), None);
        }
    }
}
