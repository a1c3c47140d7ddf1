//! The operator's key: read once, zeroised, never shown.

mod error;
mod file;
mod hygiene;
mod keystore;
mod local;
mod remote;
mod secret;
mod signer;

pub use self::{
    error::{KeyError, SignError},
    file::SecretFile,
    keystore::{KeystoreError, read_keystore},
    local::LocalKey,
    secret::Secret,
    signer::{KeySource, Signer},
};
