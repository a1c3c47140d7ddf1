//! Where announcements come from.

use futures_util::future::BoxFuture;
use refiner_proofchain::{
    BlockRef, Checkpoints, ProofChain, ScanConfig, ScanError, ScanProgress, ScanStep, Scanner, StartBlock,
};

use super::remember;

/// Reads announcements range by range: from the proof chain.
pub trait AnnouncementSource: Send {
    /// Finds the block after which a first scan starts.
    fn start(&mut self, at: StartBlock) -> BoxFuture<'_, Result<BlockRef, ScanError>>;

    /// Reads the range after `cursor`.
    fn next<'a>(
        &'a mut self,
        cursor: BlockRef,
        checkpoints: &'a Checkpoints,
    ) -> BoxFuture<'a, Result<ScanStep, ScanError>>;

    /// The state of the scan, for people.
    fn progress(&self) -> ScanProgress;

    /// Takes note of what was scanned.
    fn remember(&self, checkpoints: &Checkpoints);
}

/// Announcements of the specimen contract.
pub struct ChainAnnouncements {
    chain: ProofChain,
    scanner: Scanner,
}

impl ChainAnnouncements {
    /// Nothing is read yet.
    pub fn new(chain: ProofChain, config: ScanConfig) -> Self {
        Self { scanner: Scanner::new(chain.clone(), config), chain }
    }
}

impl AnnouncementSource for ChainAnnouncements {
    fn start(&mut self, at: StartBlock) -> BoxFuture<'_, Result<BlockRef, ScanError>> {
        Box::pin(self.scanner.start(at))
    }

    fn next<'a>(
        &'a mut self,
        cursor: BlockRef,
        checkpoints: &'a Checkpoints,
    ) -> BoxFuture<'a, Result<ScanStep, ScanError>> {
        Box::pin(self.scanner.next(cursor, checkpoints))
    }

    fn progress(&self) -> ScanProgress {
        self.scanner.progress()
    }

    fn remember(&self, checkpoints: &Checkpoints) {
        remember(&self.chain, checkpoints);
    }
}
