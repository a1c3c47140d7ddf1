//! A proof's way onto the chain, one step at a time. The caller keeps nonce and journal.

mod agreement;
mod offer;
mod pool;
mod prepare;
mod send;
mod settle;
mod steps;
mod transaction;

pub use prepare::Preparation;
pub use send::Sent;
pub use settle::{ChainSnapshot, Settlement};
pub use steps::{NonceAt, Proof, Prover};
pub use transaction::{Prepared, Signed, UnreadableTransaction};

pub(crate) use transaction::Unsigned;
