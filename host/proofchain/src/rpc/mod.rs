//! JSON-RPC over HTTP to one node or several: bounded, retried where a retry can help, and silent about what an address hides.
//! A node is asked only after it was checked, and not while it is set aside.

mod answer;
mod batch;
mod batch_reply;
mod batch_size;
mod bounded;
mod check;
mod client;
mod endpoint;
mod error;
mod expected;
mod fresh;
mod fuzz;
mod health;
mod limits;
mod node;
mod pool;
mod question;
mod rate;
mod reply;
mod request;
mod route;
mod transport;

pub use answer::NodeError;
pub use client::Rpc;
pub use endpoint::Endpoint;
pub use error::RpcError;
pub use fuzz::read_answer;
pub use health::{NodeFailure, NodeReport, SetAside};
pub use limits::{LeastSpeed, RpcLimits};

pub(crate) use answer::printable;
#[cfg(test)]
pub(crate) use answer::refusal_of;
pub(crate) use batch::BatchAnswers;
pub(crate) use bounded::{AtMost, RawAnswer};
pub(crate) use expected::Expected;
pub(crate) use fresh::Fresh;
pub(crate) use question::Question;
pub(crate) use reply::returned;
pub(crate) use route::{NodeId, Route};
