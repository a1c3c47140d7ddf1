//! Asks an evm-server of the network to execute a block, and believes nothing of its answer that can be checked.
//!
//! Comes in: a specimen's bytes. Goes out: the bytes of an answer that is whole, for [`refiner_evm::Remote`] to hold against the block; or
//! the server's refusal; or a typed failure. Never here: what an answer says.
//!
//! What the network's server does, and what becomes of it:
//!
//! | it does | here |
//! |---|---|
//! | 200 with a document | an answer |
//! | 200 with nothing, 206, a document that ends early, a broken connection, silence, too many bytes, another status | [`AskFailure`], tried again |
//! | 500 with JSON, with JSON whose quotes are not escaped, or with a panic's text | tried again; the same words twice while `/health` is good are its refusal |
//! | 500 with `ERROR(11)`, its own disk | [`AskFailure`], however often it says so |

mod failure;
mod limits;
mod server;
mod server_error;

pub use failure::{AskFailure, SetupError};
pub use limits::RemoteLimits;
pub use server::EvmServerClient;
