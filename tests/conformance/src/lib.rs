//! Runs Ethereum's official blockchain tests through the block-result rule of the built program.
//!
//! **Inputs**: files of tests, as ethereum/tests and execution-spec-tests publish them, and the path of `refiner`.
//! **Outputs**: a [`Report`] by network: valid blocks produced or not, invalid ones refused or wrongly produced.
//! **Invariants**: nothing of `refiner-evm` is used; the state that a specimen carries comes from this crate's own
//! execution, which computes state roots; no more is held in memory than a few tests and one batch of cases by network.

mod block;
mod chain;
mod dao;
mod evm;
mod execute;
mod fork;
mod format;
pub mod make;
mod network;
mod parent;
mod receipt;
mod recorder;
mod replay;
mod report;
mod requests;
mod rlp;
mod run;
mod specimen;
mod transaction;
mod world;

pub use report::{Failure, Report, Tally};
pub use run::{RunError, Settings, run};
