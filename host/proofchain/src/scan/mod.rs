//! Walks the proof chain's blocks and finds announcements: none twice, none missed, none from an orphaned block.

mod bloom;
mod checkpoint;
mod range;
mod reader;
mod scanner;
mod sort;
mod span;
mod start;
mod step;
mod suggestion;
mod window;

pub use checkpoint::Checkpoints;
pub use scanner::{ScanConfig, Scanner};
pub use start::{StartBlock, UnknownStartBlock};
pub use step::{Lack, ScanError, ScanProgress, ScanStep, Scanned, Skipped};

pub(crate) use range::AdaptiveRange;
