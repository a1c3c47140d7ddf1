//! Rules over many specimens, offline, on every core.
//!
//! * **Inputs**: a [`Replay`]: specimens, rules and the terms on which they run.
//! * **Outputs**: artifacts in a directory, and a report in one of three [`Style`]s.
//! * **Invariants**: a specimen that fails stops no other; results are printed in the order of the specimens, whatever the threads.

mod job;
mod parallel;
mod report;
mod run;

pub use self::run::{Replay, Style, run};
