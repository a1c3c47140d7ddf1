//! The HTTP listener of every server of this program: `evm serve`, `content serve`, and the daemon's health, status and metrics.
//!
//! * **Inputs**: listening sockets and a router.
//! * **Outputs**: answers to requests.
//! * **Invariants**: a bounded number of connections, of which the oldest idle one is closed for a new one; every request ends within
//!   [`Limits::request`]; a client that takes its answer too slowly loses its connection; a web page cannot make a browser send a
//!   request ([`Access`]). Knows no route.
//!
//! [`form`] reads multipart forms in memory, and [`hold`] keeps what a request reserved until its answer has left.
//!
//! ```
//! use axum::http::{HeaderMap, HeaderValue, Uri};
//! use refiner_listener::{Access, Forbidden};
//!
//! let access = Access::of_hosts(["node.example".to_owned()]);
//! let mut headers = HeaderMap::new();
//! assert_eq!(access.check(&Uri::from_static("/status"), &headers), Ok(()));
//! // A page of another origin.
//! headers.insert("sec-fetch-site", HeaderValue::from_static("cross-site"));
//! assert_eq!(access.check(&Uri::from_static("/status"), &headers), Err(Forbidden::Origin));
//! ```

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
