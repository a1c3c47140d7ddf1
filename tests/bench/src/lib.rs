//! A daemon with everything that it needs, for acceptance tests and benchmarks of the program, and a browser.
//!
//! * **Inputs**: the program, beside the test's own executable; anvil, and a browser where there is one.
//! * **Outputs**: a chain, a proxy before it, a pinner and the daemon between them; specimens to announce; pages as a visitor sees them.
//! * **Invariants**: every test has a directory, a chain and ports of its own. What it started ends with it.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot go on fails, and one that is skipped tells so"
)]

pub mod bench;
pub mod browser;
pub mod crowd;
mod program;
pub mod specimens;
