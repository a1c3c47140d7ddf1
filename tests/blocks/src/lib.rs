//! Blocks for the tests and benchmarks of execution: of a small chain, hostile, and real ones where they are.
//!
//! * **Inputs**: changes to a block that a test describes; `../shared/specimens`, if it is there.
//! * **Outputs**: specimens, and what the executor makes of them.
//! * **Invariants**: every made block is whole: its header states the roots of what is in it, unless a test changes it afterwards.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot go on fails, and one that is skipped tells so"
)]

pub mod devnet;
pub mod hostile;
pub mod shared;
