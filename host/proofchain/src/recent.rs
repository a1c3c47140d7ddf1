//! Events of the result contract in the last blocks, read as the chain grows.

use alloy_primitives::B256;
use reqwest::StatusCode;
use serde_json::json;

use crate::{
    announcement::{Logs, ProofLog},
    chain::ProofChain,
    quantity,
    rpc::RpcError,
    scan::AdaptiveRange,
};

/// Blocks that are looked back: some sessions' length.
pub(crate) const LOOK_BACK: u64 = 4_000;
/// Blocks that are read again, because a reorganisation may have changed them.
const TRAIL: u64 = 8;
/// Most events of one reading, of which 4,000 blocks have some 40,000. A node that makes up more shall not fill the memory.
const LOGS_MAX: usize = 65_536;
/// Cloudflare's status for an origin that did not answer in time.
const ORIGIN_TIMED_OUT: u16 = 524;

/// A reader of events.
#[derive(Debug)]
pub(crate) struct RecentLogs {
    pub chain: ProofChain,
    topic: B256,
    /// The first block that was not read.
    next: Option<u64>,
    /// A reading that failed, which the next one continues.
    begun: Option<Begun>,
    /// Blocks of one question.
    range: AdaptiveRange,
}

/// A reading as far as it has come.
#[derive(Debug)]
struct Begun {
    from: u64,
    /// The first block that was not read.
    next: u64,
    logs: Vec<ProofLog>,
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
        Self { chain, topic, next: None, begun: None, range: AdaptiveRange::up_to(LOOK_BACK) }
    }

    /// Every event in the last blocks, as far as it was not read before.
    ///
    /// # Errors
    ///
    /// [`RpcError`]; then nothing counts as read, and the next call goes on where this one failed.
    pub async fn read(&mut self) -> Result<Batch, RpcError> {
        let head = self.chain.head().await?;
        let first = head.saturating_sub(LOOK_BACK);
        let mut reading = self.begin(first);
        while reading.next <= head {
            match self.read_from(reading.next, head).await {
                Ok((found, to)) => {
                    let room = LOGS_MAX.saturating_sub(reading.logs.len());
                    reading.logs.extend(found.into_iter().take(room));
                    reading.next = to.saturating_add(1);
                }
                Err(error) => {
                    self.begun = Some(reading);
                    return Err(error);
                }
            }
        }
        self.next = Some(reading.next);
        Ok(Batch { first, from: reading.from, logs: reading.logs })
    }

    /// The reading that was begun, without the blocks that a reorganisation may have changed since, or a new one.
    fn begin(&mut self, first: u64) -> Begun {
        let again = |next: u64| next.saturating_sub(TRAIL).max(first);
        let Some(mut begun) = self.begun.take() else {
            let from = self.next.map_or(first, again);
            return Begun { from, next: from, logs: Vec::new() };
        };
        begun.next = again(begun.next).max(begun.from);
        begun.logs.retain(|log| log.block_number.is_some_and(|block| (first..begun.next).contains(&block)));
        begun
    }

    /// Every event from a block on, up to `last` or as far as one answer goes, and the last block that was read.
    ///
    /// # Errors
    ///
    /// [`RpcError`].
    pub async fn read_from(&mut self, first: u64, last: u64) -> Result<(Vec<ProofLog>, u64), RpcError> {
        let before = self.range.clone();
        loop {
            let to = last.min(first.saturating_add(self.range.blocks() - 1));
            let blocks = to.saturating_sub(first).saturating_add(1);
            match self.logs(first, to).await {
                Ok(found) => {
                    self.range.answered(blocks);
                    return Ok((found.into_iter().filter(|log| self.is_ours(log)).collect(), to));
                }
                Err(error) if !may_take_less(&error) => return Err(error),
                Err(error) if blocks == 1 => {
                    // What a single block gives too is not about the range.
                    self.range = before;
                    return Err(error);
                }
                Err(_) => self.range.refuse(blocks),
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

/// True where a shorter range may be answered. Nodes word their limits in a hundred ways; that a node wants to be asked later, or not by
/// this client, is none of them.
fn may_take_less(error: &RpcError) -> bool {
    match error {
        RpcError::TooLarge { .. } | RpcError::TimedOut { .. } => true,
        RpcError::Status { status, .. } => {
            matches!(*status, StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::GATEWAY_TIMEOUT)
                || *status == ORIGIN_TIMED_OUT
        }
        RpcError::Refused { refusal, .. } => !refusal.is_rate_limit(),
        _ => false,
    }
}
