//! The network's evm-server over HTTP, both ways: a client that asks one, and a server that stands in for one.
//!
//! * **Inputs**: a specimen's `data` object.
//! * **Outputs**: block-result bytes, or a typed failure.
//! * **Invariants**: executes nothing itself; `refiner-evm` does.

pub mod remote;
pub mod serve;
