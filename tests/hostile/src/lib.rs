//! Rules that attack, for the tests of everything that runs rules.
//!
//! * **Inputs**: the folders beside this crate's sources, each a case.
//! * **Outputs**: components, the end that each must come to, and pairs of runs around each limit.
//! * **Invariants**: runs nothing itself. Shares no code with what it tests but the types of the contract's terms.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test that cannot go on fails")]

pub mod component;
pub mod corpus;
pub mod limit_pairs;
pub mod meter;
pub mod odd;
pub mod scan_limits;
