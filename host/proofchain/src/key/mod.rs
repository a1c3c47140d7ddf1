//! The operator's key: read once, zeroised, never shown.

mod keystore;
mod local;
mod remote;
mod secret;
mod signer;

pub use secret::Secret;
pub use signer::{KeyError, KeySource, SignError, Signer};
