//! The environment of the process, and the only reader of it; and facts of the machine beneath it.
//!
//! * **Inputs**: the variables that the process was started with.
//! * **Outputs**: the same variables, to the three that need them: the settings (`refiner-config`), the call of another cargo
//!   (`refiner-authoring`), and a confined child, which must have none (`refiner-worker`).
//! * **Invariants**: no other file of the program calls `std::env` for a variable; `cargo xtask lint` holds it.
//!
//! ```
//! use refiner_environment::{variable, variables};
//!
//! assert_eq!(variable("REFINER_VARIABLE_THAT_IS_NOT_SET"), None);
//! assert!(variables().all(|(name, value)| name.to_str().is_none_or(|name| variable(name) == Some(value))));
//! ```

pub mod machine;

use std::{env, ffi::OsString, path::PathBuf};

/// Every variable with its value, as the operating system has them.
pub fn variables() -> impl Iterator<Item = (OsString, OsString)> {
    env::vars_os()
}

/// The value of one variable, `None` where it is not set.
pub fn variable(name: &str) -> Option<OsString> {
    env::var_os(name)
}

/// The user's home directory, as `HOME` or the user database has it.
pub fn home_directory() -> Option<PathBuf> {
    env::home_dir()
}
