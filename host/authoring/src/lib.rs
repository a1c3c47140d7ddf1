//! From a rule's source to a component: the template, the guest toolchain, the wrapping.
//!
//! * **Inputs**: a name, for a new rule's crate ([`template::write`]), or a crate ([`build()`]).
//! * **Outputs**: the crate, or its component with the manifest inside.
//! * **Invariants**: runs no rule.

mod build;
pub mod command;
pub mod component;
pub mod digest;
pub mod embed;
mod name;
mod sdk;
pub mod surface;
pub mod template;
pub mod toolchain;

pub use build::{BuildError, Built, build};
pub use name::{NAME_BYTES_MAX, NameError, RuleName};
pub use refiner_manifest::World;
pub use sdk::LockError;
