//! JSON-RPC over HTTP: bounded, retried where a retry can help, and silent about what an address hides.

mod answer;
mod batch;
mod client;
mod endpoint;
mod error;
mod reply;

pub use answer::NodeError;
pub use client::{Rpc, RpcLimits};
pub use endpoint::Endpoint;
pub use error::RpcError;

pub(crate) use answer::printable;
#[cfg(test)]
pub(crate) use answer::refusal_of;
pub(crate) use batch::{BatchAnswers, Question};
pub(crate) use reply::returned;
