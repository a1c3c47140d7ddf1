//! Where rules come from: files, `https://`, `ipfs://` and `oci://`.
//!
//! * **Inputs**: a typed reference ([`RuleSource`]), and the digests agreed on before ([`Lock`]).
//! * **Outputs**: a [`Component`] with the agreed bytes, or a [`SourceError`] with both digests; a [`Package`] in a registry.
//! * **Invariants**: compiles and runs nothing, and reads of the bytes only whether a manifest is inside.
//!
//! Nothing that a server can change is taken without a digest: it stands in the argument or in the lock.
//!
//! ```
//! use refiner_sources::{RuleSource, Sha256};
//!
//! let digest = Sha256::of(b"rule");
//! let source: RuleSource = format!("https://rules.example/rule.wasm#sha256={digest}").parse()?;
//! assert!(matches!(source, RuleSource::Url { sha256: Some(agreed), .. } if agreed == digest));
//! assert!("http://rules.example/rule.wasm".parse::<RuleSource>().is_err());
//! # Ok::<_, refiner_sources::UnreadableSource>(())
//! ```

mod authority;
mod beside;
mod body;
mod cache;
mod credentials;
mod digest;
mod error;
#[doc(hidden)]
pub mod fuzz;
mod lock;
mod oci;
mod part;
mod place;
mod read;
mod reference;
mod resolver;
mod source;

pub use body::Instead;
pub use credentials::{CredentialError, CredentialFiles, HelperFailure, Program};
pub use digest::{Sha256, Sha256Error};
pub use error::SourceError;
pub use lock::{LOCK_FILE, Lock, LockError, Locked};
pub use oci::{OciError, Package};
pub use reference::ReferenceFault;
pub use refiner_content::HttpLimits;
pub use resolver::{Component, Resolver, Settings};
pub use source::{Address, RuleSource, UnreadableSource};

/// Most bytes of a component: what a rule with WASI, which carries a language's whole runtime, can be granted.
pub const COMPONENT_BYTES_MAX: usize = 64 << 20;

/// Most bytes of a manifest beside a component: what the manifest's reader takes.
pub const MANIFEST_BYTES_MAX: usize = 32 << 10;
