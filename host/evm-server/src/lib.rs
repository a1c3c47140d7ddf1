//! The network's evm-server over HTTP, both ways: a client that asks one, and a server that stands in for one.
//!
//! Comes in: a specimen's `data` object. Goes out: block-result bytes, or a typed failure. Never here: execution itself, which
//! is `refiner-evm`'s.

pub mod remote;
pub mod serve;
