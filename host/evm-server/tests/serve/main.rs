//! The evm-server, over loopback.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod answers;
mod client;
mod errors;
mod health;
mod hostile;
mod limits;
mod mutated;
mod neighbour;
mod network;
mod room;
mod server;
