//! Arguments that commands of several subjects take, and the settings that `refiner run` makes of its own.
//!
//! * **Inputs**: flags, the environment and a configuration file.
//! * **Outputs**: the files of chains and of known block hashes, parameters of rules, and the daemon's [`settings`], or everything that is
//!   wrong with them.
//! * **Invariants**: reads no key from the environment; nothing here opens a connection.
//!
//! ```
//! use refiner_arguments::parameter;
//!
//! assert_eq!(parameter("format=canonical"), Ok(("format".to_owned(), "canonical".to_owned())));
//! assert!(parameter("=canonical").is_err());
//! ```

mod run;
pub mod settings;
mod shared;

pub use self::{
    run::Run,
    shared::{ChainConfigs, KnownBlockArguments, parameter},
};
