//! From a rule's source to a component: the template, the guest toolchain, the wrapping.
//!
//! * **Inputs**: a name, for a new rule's directory ([`template::write`]), or a crate, a Go module or a rule in Python, JavaScript or C ([`build()`]).
//! * **Outputs**: the directory, or its component with the manifest inside.
//! * **Invariants**: runs no rule.
//!
//! ```
//! use refiner_authoring::{Language, RuleName};
//!
//! let name: RuleName = "token-transfers".parse()?;
//! assert_eq!((name.as_str(), Language::Rust.as_str()), ("token-transfers", "rust"));
//! assert!("Token Transfers".parse::<RuleName>().is_err());
//! # Ok::<_, refiner_authoring::NameError>(())
//! ```

mod build;
pub mod c;
pub mod command;
pub mod compare;
pub mod component;
pub mod componentize;
pub mod digest;
pub mod embed;
pub mod go;
mod language;
mod name;
mod sdk;
mod stubbed;
pub mod surface;
pub mod template;
pub mod toolchain;
pub mod watch;

pub use build::{BuildError, Built, PROJECT_FILES, build, build_with_names};
pub use c::CError;
pub use go::GoError;
pub use language::Language;
pub use name::{NAME_BYTES_MAX, NameError, RuleName};
pub use refiner_manifest::World;
pub use sdk::LockError;
pub use wasmparser::BinaryReaderError;
