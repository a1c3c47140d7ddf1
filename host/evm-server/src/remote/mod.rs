//! Asks an evm-server of the network to execute a block, and believes nothing of its answer that can be checked.
//!
//! * **Inputs**: a specimen's bytes.
//! * **Outputs**: the bytes of a complete answer, for [`refiner_evm::Remote`] to check against the block, the
//!   server's refusal, or a typed failure.
//! * **Invariants**: does not read the content of an answer.
//!
//! What the network's server does, and what becomes of it:
//!
//! | it does | here |
//! |---|---|
//! | 200 with a document | an answer |
//! | 200 with nothing, 206, a document that ends early, a broken connection, silence, too many bytes, another status | [`AskFailure`], tried again |
//! | 500 with JSON, with JSON whose quotes are not escaped, or with a panic's text | tried again; the same words twice while `/health` is good are its refusal |
//! | 500 with `ERROR(11)`, its own disk | [`AskFailure`], however often it is repeated |

mod failure;
mod limits;
mod server;
mod server_error;

pub use failure::{AskFailure, SetupError};
pub use limits::RemoteLimits;
pub use server::EvmServerClient;
