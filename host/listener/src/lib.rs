//! The HTTP listener of every server of this program: `evm serve`, `content serve`, and the daemon's health, status and metrics.
//!
//! * **Inputs**: listening sockets and a router.
//! * **Outputs**: answers to requests.
//! * **Invariants**: a bounded number of connections, of which the oldest idle one is closed for a new one; every request ends within
//!   [`Limits::request`]; a client that takes its answer too slowly loses its connection; a web page cannot make a browser send a
//!   request ([`Access`]). Knows no route.
//!
//! [`form`] reads multipart forms in memory, and [`hold`] keeps what a request reserved until its answer has left.

mod access;
mod bind;
mod connections;
pub mod form;
mod held;
mod limits;
mod listen;
mod stream;

pub use access::{Access, Forbidden};
pub use bind::{BindError, bind};
pub use held::{PieceBody, hold};
pub use limits::Limits;
pub use listen::serve;
