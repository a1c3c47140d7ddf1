//! Rules by name: found, permitted what the operator's terms allow, and compiled.
//!
//! * **Inputs**: an argument that names rules, the lock, and the settings of a command.
//! * **Outputs**: [`Found`] components with the text of the manifest beside each, what each may ask for ([`Allowance`]), and its compiled
//!   code ([`Loader`]).
//! * **Invariants**: a component is compiled in a child process, and nothing of it runs.
//!
//! ```
//! use refiner_rule_package::{FindError, Sources};
//!
//! let missing = Sources::default().find("no-such-rule");
//! assert!(matches!(missing, Err(FindError::Unknown(name)) if name == "no-such-rule"));
//! ```

mod allowance;
pub mod builtin;
mod error;
mod find;
mod load;

pub use self::{
    allowance::{Allowance, AllowanceError, requirement},
    error::FindError,
    find::{Found, NamedResult, Sources, sources},
    load::{Loader, RuleError},
};
