//! Servers on loopback for tests: a double of the network's pinner, an HTTP proxy, and what they are made of; addresses for programs that
//! are told where to listen.
//!
//! * **Inputs**: faults on command.
//! * **Outputs**: answers over real sockets; requests as they came; unused addresses.
//! * **Invariants**: no other network; everything ends with its value. Shares no code with what it tests.

pub mod pinner;
pub mod proxy;
pub mod request;
mod server;
mod unused;

pub use self::{
    server::{ANY_PORT, Loopback},
    unused::unused_address,
};
