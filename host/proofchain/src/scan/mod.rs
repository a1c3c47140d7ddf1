//! Walks the proof chain's blocks and finds announcements: none twice, none missed, none from an orphaned block.

mod checkpoint;
mod range;
mod scanner;
mod start;

pub use checkpoint::Checkpoints;
pub use scanner::{ScanConfig, ScanError, ScanStep, Scanned, Scanner, Skipped};
pub use start::{StartBlock, UnknownStartBlock};
