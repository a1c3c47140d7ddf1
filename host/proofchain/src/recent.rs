//! Events of the result contract in the last blocks, read as the chain grows.

use alloy_primitives::B256;
use serde_json::json;

use crate::{
    announcement::{Logs, ProofLog},
    chain::ProofChain,
    quantity,
    rpc::RpcError,
};

/// Blocks that are looked back: some sessions' length.
pub(crate) const LOOK_BACK: u64 = 4_000;
/// Blocks that are read again, because a reorganisation may have changed them.
const TRAIL: u64 = 8;
/// The first range of one question. Public nodes of Moonbeam take at least this.
const FIRST_BLOCKS: u64 = 1_000;
/// Most events of one reading, of which 4,000 blocks have some 40,000. A node that makes up more shall not fill the memory.
const LOGS_MAX: usize = 65_536;

/// A reader of events.
#[derive(Debug)]
pub(crate) struct RecentLogs {
    pub chain: ProofChain,
    topic: B256,
    /// The first block that was not read.
    next: Option<u64>,
    /// Blocks of one question; halves when a node takes no more.
    blocks: u64,
}

/// Events that were not read before.
#[derive(Debug)]
pub(crate) struct Batch {
    /// Everything known of blocks before this one is too old.
    pub first: u64,
    /// Everything known of this block and later ones is replaced.
    pub from: u64,
    pub logs: Vec<ProofLog>,
}

impl RecentLogs {
    pub fn new(chain: ProofChain, topic: B256) -> Self {
        Self { chain, topic, next: None, blocks: FIRST_BLOCKS }
    }

    /// Every event in the last blocks, as far as it was not read before.
    ///
    /// # Errors
    ///
    /// [`RpcError`]; then nothing counts as read.
    pub async fn read(&mut self) -> Result<Batch, RpcError> {
        let head = self.chain.head().await?;
        let first = head.saturating_sub(LOOK_BACK);
        let from = self.next.map_or(first, |next| next.saturating_sub(TRAIL).max(first));
        let (mut next, mut logs) = (from, Vec::new());
        while next <= head {
            let (found, to) = self.read_from(next, head).await?;
            let room = LOGS_MAX - logs.len();
            logs.extend(found.into_iter().take(room));
            next = to.saturating_add(1);
        }
        self.next = Some(next);
        Ok(Batch { first, from, logs })
    }

    /// Every event from a block on, up to `last` or as far as one answer goes, and the last block that was read.
    ///
    /// # Errors
    ///
    /// [`RpcError`].
    pub async fn read_from(&mut self, first: u64, last: u64) -> Result<(Vec<ProofLog>, u64), RpcError> {
        loop {
            let to = last.min(first.saturating_add(self.blocks - 1));
            match self.logs(first, to).await {
                Ok(found) => return Ok((found.into_iter().filter(|log| self.is_ours(log)).collect(), to)),
                Err(error) if to > first && may_take_less(&error) => self.blocks = ((to - first) / 2).max(1),
                Err(error) => return Err(error),
            }
        }
    }

    async fn logs(&self, from: u64, to: u64) -> Result<Vec<ProofLog>, RpcError> {
        let filter = json!([{
            "address": self.chain.network().result_contract,
            "topics": [self.topic],
            "fromBlock": quantity::hex(from),
            "toBlock": quantity::hex(to),
        }]);
        self.chain.rpc().call("eth_getLogs", filter).await.map(|logs: Logs| logs.0)
    }

    /// A log that is none of the contract's is left out: this is advice, and the chain decides.
    fn is_ours(&self, log: &ProofLog) -> bool {
        log.address == self.chain.network().result_contract && log.topics.first() == Some(&self.topic) && !log.removed
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
