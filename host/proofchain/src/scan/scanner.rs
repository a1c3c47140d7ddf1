//! One step of the scan: the next range of confirmed blocks after the cursor.

use serde_json::json;

use alloy_sol_types::SolEvent;

use super::{
    Checkpoints, StartBlock,
    range::{AdaptiveRange, asks_for_less},
};
use crate::{
    announcement::{Announcement, BlockRef, Decoded, Malformed, ProofLog},
    bindings::{BlockSpecimenQuorum, BlockSpecimenRewardAwarded},
    chain::{Header, ProofChain},
    quantity,
    rpc::RpcError,
};

/// Seconds in a day.
const DAY_S: u64 = 86_400;

/// Settings of a scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanConfig {
    /// The number of blocks on top of one before it is looked at.
    pub depth: u64,
    /// Source chains of interest; none means all.
    pub source_chains: Vec<u64>,
    /// The longest range that one question may span.
    pub longest_range: u64,
}

impl Default for ScanConfig {
    fn default() -> Self {
        Self { depth: 12, source_chains: vec![1], longest_range: u64::MAX }
    }
}

/// Reads the chain range by range. Holds the provider's range and the last head, nothing that must survive a restart.
#[derive(Clone, Debug)]
pub struct Scanner {
    chain: ProofChain,
    config: ScanConfig,
    range: AdaptiveRange,
    /// The newest head that the node reported, to ask for it only when we have caught up.
    head: u64,
}

/// The outcome of one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScanStep {
    /// A range of blocks was read. Store the announcements together with the new cursor, push it to the checkpoints.
    Advanced(Scanned),
    /// The cursor's block is no longer of the chain. Forget what was announced above the ancestor, make it the cursor,
    /// rewind the checkpoints.
    Reorganised {
        /// The newest remembered block that still is of the chain.
        common_ancestor: BlockRef,
    },
    /// No confirmed block that is not scanned yet.
    UpToDate {
        /// The node's newest block. Below the cursor where the node lags behind.
        head: u64,
    },
}

/// A range of blocks that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scanned {
    /// In the order of the chain.
    pub announcements: Vec<Announcement>,
    /// Logs that are none.
    pub skipped: Skipped,
    /// The first block of the range.
    pub first: u64,
    /// The last block of the range: the new cursor.
    pub cursor: BlockRef,
    /// The node's newest block, as last asked.
    pub head: u64,
}

/// Logs that are no announcement for us, by kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Skipped {
    /// Of a source chain that is not asked for.
    pub other_chain: u64,
    /// Of before version 1.5.
    pub legacy: u64,
    /// Taken away by a reorganisation.
    pub removed: u64,
    /// Not what they claim to be: how many, and the first.
    pub malformed: u64,
    /// The fault of the first malformed one.
    pub first_malformed: Option<Malformed>,
}

/// Reasons for which a step was not made. The cursor stays where it is.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// The node could not be asked.
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// None of the remembered blocks is of the node's chain: another chain, or one that was started anew.
    #[error("none of the {remembered} remembered blocks up to {} is of this chain", cursor.number)]
    AnotherChain {
        /// Block of the cursor.
        cursor: BlockRef,
        /// The number of blocks that were tried.
        remembered: usize,
    },
    /// The chain moved while a range was read; the same step may be made again at once.
    #[error("block {number} changed while the range that ends with it was read")]
    Moved {
        /// The block that is not what it was.
        number: u64,
    },
    /// The node has no block that it must have.
    #[error("the node has no block {number}")]
    NoBlock {
        /// Number of the block.
        number: u64,
    },
    /// A single block is too much for the provider.
    #[error("the provider refuses the logs of block {number} alone")]
    BlockRefused {
        /// Number of the block.
        number: u64,
        /// The provider's answer.
        source: RpcError,
    },
}

impl ScanError {
    /// Whether the same step may succeed later by itself.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Rpc(error) | Self::BlockRefused { source: error, .. } => error.is_transient(),
            Self::Moved { .. } | Self::NoBlock { .. } => true,
            Self::AnotherChain { .. } => false,
        }
    }
}

impl Scanner {
    /// A scanner of the specimen contract's events.
    pub fn new(chain: ProofChain, config: ScanConfig) -> Self {
        let range = AdaptiveRange::up_to(config.longest_range);
        Self { chain, config, range, head: 0 }
    }

    /// Finds the cursor from which a first scan starts: the block before the first one to look at.
    ///
    /// # Errors
    ///
    /// [`ScanError::Rpc`], [`ScanError::NoBlock`] also for a number above the head.
    pub async fn start(&self, start: StartBlock) -> Result<BlockRef, ScanError> {
        let confirmed = self.chain.head().await?.saturating_sub(self.config.depth);
        let before = match start {
            StartBlock::Latest => confirmed,
            // Genesis holds no event, so the first block to look at is 1 at the earliest.
            StartBlock::Number(number) => number.saturating_sub(1),
            StartBlock::DaysBack(days) => self.first_since(confirmed, u64::from(days) * DAY_S).await?.saturating_sub(1),
        };
        Ok(self.existing(before).await?.block_ref())
    }

    /// Makes one step after `cursor`. `checkpoints` are the blocks to fall back to if the cursor's is gone.
    ///
    /// # Errors
    ///
    /// [`ScanError`]; nothing was lost, the step can be made again.
    pub async fn next(&mut self, cursor: BlockRef, checkpoints: &Checkpoints) -> Result<ScanStep, ScanError> {
        if self.head < cursor.number.saturating_add(self.config.depth + self.range.blocks()) {
            self.head = self.chain.head().await?;
        }
        let head = self.head;
        let confirmed = head.saturating_sub(self.config.depth);
        if confirmed <= cursor.number {
            return self.at_the_head(cursor, checkpoints, head).await;
        }
        let first = cursor.number + 1;
        let last = confirmed.min(cursor.number.saturating_add(self.range.blocks()));
        // A head that lies, or a node behind a balancer that is not as far: there is nothing to read yet.
        let Some(end) = self.chain.header(last).await? else {
            self.head = 0;
            return Ok(ScanStep::UpToDate { head });
        };
        let logs = match self.logs(first, last).await {
            Ok(logs) => logs,
            Err(source) if asks_for_less(&source) => {
                return if self.range.refuse(last - cursor.number) {
                    Box::pin(self.next(cursor, checkpoints)).await
                } else {
                    Err(ScanError::BlockRefused { number: first, source })
                };
            }
            Err(error) => return Err(error.into()),
        };
        // Both ends are looked at after the logs were read: if they stand, so does what is between them.
        if self.chain.header(cursor.number).await?.map(|header| header.hash) != Some(cursor.hash) {
            return self.reorganised(cursor, checkpoints, head).await;
        }
        if self.chain.header(last).await?.map(|header| header.hash) != Some(end.hash) {
            return Err(ScanError::Moved { number: last });
        }
        self.range.answered(last - cursor.number);
        let (announcements, skipped) = self.sort(&logs, first, end)?;
        Ok(ScanStep::Advanced(Scanned { announcements, skipped, first, cursor: end.block_ref(), head }))
    }

    /// Nothing new to read; but the chain may have become another one below us.
    async fn at_the_head(
        &mut self,
        cursor: BlockRef,
        checkpoints: &Checkpoints,
        head: u64,
    ) -> Result<ScanStep, ScanError> {
        match self.chain.header(cursor.number).await? {
            Some(header) if header.hash == cursor.hash => Ok(ScanStep::UpToDate { head }),
            Some(_) => self.reorganised(cursor, checkpoints, head).await,
            None => match checkpoints.blocks().iter().rev().find(|block| block.number <= head) {
                // The node lags behind, or lies: it has the newest of ours that it can have.
                Some(block) if self.is_of_chain(*block).await? => Ok(ScanStep::UpToDate { head }),
                Some(_) => self.reorganised(cursor, checkpoints, head).await,
                None => Ok(ScanStep::UpToDate { head }),
            },
        }
    }

    /// Walks the remembered blocks from the newest until one is of the chain.
    async fn reorganised(
        &mut self,
        cursor: BlockRef,
        checkpoints: &Checkpoints,
        head: u64,
    ) -> Result<ScanStep, ScanError> {
        self.head = 0;
        let mut missing = false;
        for block in
            checkpoints.blocks().iter().rev().filter(|block| block.number <= cursor.number && **block != cursor)
        {
            match self.chain.header(block.number).await? {
                Some(header) if header.hash == block.hash => {
                    return Ok(ScanStep::Reorganised { common_ancestor: *block });
                }
                Some(_) => {}
                None => missing = true,
            }
        }
        // A node that has lost blocks for a moment is no other chain.
        if missing {
            return Ok(ScanStep::UpToDate { head });
        }
        Err(ScanError::AnotherChain { cursor, remembered: checkpoints.blocks().len() })
    }

    async fn is_of_chain(&self, block: BlockRef) -> Result<bool, RpcError> {
        Ok(self.chain.header(block.number).await?.is_some_and(|header| header.hash == block.hash))
    }

    async fn logs(&self, first: u64, last: u64) -> Result<Vec<ProofLog>, RpcError> {
        let events = [BlockSpecimenQuorum::SIGNATURE_HASH, BlockSpecimenRewardAwarded::SIGNATURE_HASH];
        let filter = json!([{
            "address": self.chain.network().specimen_contract,
            "fromBlock": quantity::hex(first),
            "toBlock": quantity::hex(last),
            "topics": [events],
        }]);
        self.chain.rpc().call("eth_getLogs", filter).await
    }

    /// Tells announcements from the rest. A log from outside the range or of another end block is of another chain than
    /// the headers are.
    fn sort(&self, logs: &[ProofLog], first: u64, end: Header) -> Result<(Vec<Announcement>, Skipped), ScanError> {
        let mut announcements = Vec::new();
        let mut skipped = Skipped::default();
        for log in logs {
            match log.decode() {
                Decoded::Announcement(found) => {
                    let seen = found.seen_in;
                    let outside = seen.number < first || seen.number > end.number;
                    if outside || (seen.number == end.number && seen.hash != end.hash) {
                        return Err(ScanError::Moved { number: seen.number });
                    }
                    if self.wants(found.chain_id) {
                        announcements.push(found);
                    } else {
                        skipped.other_chain += 1;
                    }
                }
                Decoded::Legacy { .. } => skipped.legacy += 1,
                Decoded::Removed => skipped.removed += 1,
                Decoded::Malformed(fault) => {
                    skipped.malformed += 1;
                    skipped.first_malformed.get_or_insert(fault);
                }
            }
        }
        announcements.sort_by_key(|found| (found.seen_in.number, found.log_index));
        announcements.dedup_by_key(|found| (found.seen_in.number, found.log_index));
        Ok((announcements, skipped))
    }

    fn wants(&self, chain_id: u64) -> bool {
        self.config.source_chains.is_empty() || self.config.source_chains.contains(&chain_id)
    }

    /// The first block at most `seconds` older than block `newest`, by bisection.
    async fn first_since(&self, newest: u64, seconds: u64) -> Result<u64, ScanError> {
        let since = self.existing(newest).await?.timestamp.saturating_sub(seconds);
        let (mut low, mut high) = (0, newest);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.existing(middle).await?.timestamp < since {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }

    async fn existing(&self, number: u64) -> Result<Header, ScanError> {
        self.chain.header(number).await?.ok_or(ScanError::NoBlock { number })
    }
}
