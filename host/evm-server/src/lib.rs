//! The network's evm-server over HTTP, both ways: a client that asks one, and a server that stands in for one.
//!
//! * **Inputs**: a specimen's `data` object.
//! * **Outputs**: block-result bytes, or a typed failure.
//! * **Invariants**: executes nothing itself; `refiner-evm` does.
//!
//! ```
//! use refiner_evm_server::serve::Limits;
//!
//! // Everything that requests can make a server hold has a bound.
//! let limits = Limits::default();
//! assert!(limits.memory_bytes() > limits.body_bytes);
//! ```

pub mod remote;
pub mod serve;
