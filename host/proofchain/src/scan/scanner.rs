//! One step of the scan: the next range of confirmed blocks after the cursor, with the trailing window before it.

use super::{
    Checkpoints, ScanError, ScanProgress, ScanStep, Scanned, StartBlock,
    range::AdaptiveRange,
    reader::{Blocks, LogReader, Reading},
    span::Span,
    step::Lack,
    suggestion::suggested,
    window::Window,
};
use crate::{
    announcement::BlockRef,
    chain::{Header, ProofChain},
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
    /// Length of the trailing window: blocks are read again until they are so deep under the newest.
    pub window: u64,
}

impl Default for ScanConfig {
    fn default() -> Self {
        Self { depth: 12, source_chains: vec![1], longest_range: u64::MAX, window: 128 }
    }
}

/// Reads the chain range by range. Holds the provider's range and the last head, nothing that must survive a restart.
#[derive(Clone, Debug)]
pub struct Scanner {
    chain: ProofChain,
    config: ScanConfig,
    reader: LogReader,
    range: AdaptiveRange,
    window: Window,
    /// The provider's reason for the last shorter range.
    shortened_by: Option<String>,
    /// The newest head that the node reported, to ask for it only when we have caught up.
    head: u64,
}

impl Scanner {
    /// A scanner of the specimen contract's events.
    pub fn new(chain: ProofChain, config: ScanConfig) -> Self {
        let reader = LogReader::new(chain.clone(), config.source_chains.clone());
        let range = AdaptiveRange::up_to(config.longest_range);
        let window = Window::new(config.window);
        Self { chain, config, reader, range, window, shortened_by: None, head: 0 }
    }

    /// The state of the scan, for people.
    pub fn progress(&self) -> ScanProgress {
        ScanProgress {
            range_blocks: self.range.blocks(),
            settled: self.window.settled(),
            shortened_by: self.shortened_by.clone(),
        }
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
        let next = self.range.blocks().min(self.reader.near());
        if self.head < cursor.number.saturating_add(self.config.depth + next) {
            self.head = self.chain.head().await?;
        }
        let head = self.head;
        let confirmed = head.saturating_sub(self.config.depth);
        let remembered = checkpoints.blocks();
        let floor = remembered.first().map_or(cursor.number, |block| block.number);
        let is_old = |block: &&BlockRef| block.number.saturating_add(self.config.window) <= cursor.number;
        let known = remembered.iter().rev().find(is_old).or(remembered.first());
        self.reader.expect(known.copied(), head.saturating_sub(self.config.window));
        loop {
            let Some(span) = self.window.next(cursor, floor, confirmed, self.range.blocks(), self.reader.near()) else {
                return self.at_the_head(cursor, checkpoints, head).await;
            };
            let Some((span, reading)) = self.read(span).await? else { continue };
            return match reading {
                Reading::Read(blocks) => {
                    self.window.read(&span, head);
                    let mut scanned = scanned(blocks, &span, head);
                    if scanned.cursor.number < cursor.number {
                        scanned.cursor = cursor;
                    }
                    Ok(ScanStep::Advanced(scanned))
                }
                Reading::Replaced => self.reorganised(cursor, checkpoints, head).await,
                // A head that lies, or a node behind a balancer that is not as far: there is nothing to read yet.
                Reading::Lacks { node, number, lack } => {
                    self.head = 0;
                    Ok(ScanStep::Behind { head, node, number, lack })
                }
                Reading::Incomplete { node, number } => Ok(ScanStep::Behind { head, node, number, lack: Lack::Logs }),
            };
        }
    }

    /// Reads blocks from `first` on, up to `last` or as many as are answered at once, whatever was read before. The blocks are
    /// confirmed ones.
    ///
    /// # Errors
    ///
    /// [`ScanError`]; the same can be asked again.
    pub async fn read_again(&mut self, first: u64, last: u64) -> Result<Scanned, ScanError> {
        loop {
            let last = last.min(first.saturating_add(self.range.blocks() - 1));
            let Some((span, reading)) = self.read(Span { first, last, cursor: None }).await? else { continue };
            return match reading {
                Reading::Read(blocks) => Ok(scanned(blocks, &span, self.head)),
                Reading::Lacks { number, lack: Lack::Block, .. } => Err(ScanError::NoBlock { number }),
                Reading::Lacks { number, lack: Lack::Logs, .. } | Reading::Incomplete { number, .. } => {
                    Err(ScanError::NoLogs { number })
                }
                Reading::Replaced => Err(ScanError::Moved { number: last }),
            };
        }
    }

    /// Reads a span, or the first block of it where all of it is not answered. `None` when the range became shorter.
    ///
    /// Providers word their limits in many ways, and new ones come; an error that a single block does not give is about the range.
    async fn read(&mut self, span: Span) -> Result<Option<(Span, Reading)>, ScanError> {
        let blocks = span.blocks();
        let error = match self.reader.read(&span).await {
            Ok(Reading::Incomplete { .. }) if blocks > 1 => {
                self.range.refuse(blocks);
                return Ok(None);
            }
            Ok(reading) => {
                if matches!(reading, Reading::Read(_)) {
                    self.range.answered(blocks);
                }
                return Ok(Some((span, reading)));
            }
            Err(ScanError::Rpc(error)) => error,
            Err(error) => return Err(error),
        };
        if blocks == 1 {
            return Err(ScanError::of_one_block(span.first, error));
        }
        if let Some(fewer) = suggested(&error, span.first, span.last) {
            self.shorten(fewer, blocks, &error);
            return Ok(None);
        }
        let one = if span.first_new() <= span.last { span.first_new() } else { span.first };
        let one = Span { first: one, last: one, cursor: span.cursor };
        match self.reader.read(&one).await {
            Ok(reading) => {
                self.shorten(blocks / 2, blocks, &error);
                Ok(Some((one, reading)))
            }
            Err(ScanError::Rpc(error)) => Err(ScanError::of_one_block(one.first, error)),
            Err(error) => Err(error),
        }
    }

    fn shorten(&mut self, to: u64, refused: u64, error: &RpcError) {
        self.range.shorten(to, refused);
        self.shortened_by = Some(error.to_string());
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
                    self.window.rewind(block.number);
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

fn scanned(blocks: Blocks, span: &Span, head: u64) -> Scanned {
    let Blocks { announcements, skipped, end, recovered, node } = blocks;
    Scanned { announcements, skipped, first: span.first, cursor: end, head, recovered, node }
}
