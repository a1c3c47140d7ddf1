//! Rules by name: found, and admitted on the operator's terms.
//!
//! * **Inputs**: an argument that names rules, the lock, and the settings of a command.
//! * **Outputs**: [`Found`] components with the text of the manifest beside each, and what each may ask for ([`Allowance`]).
//! * **Invariants**: nothing of a component is compiled or run.
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

pub use self::{
    allowance::{Allowance, AllowanceError, requirement},
    error::FindError,
    find::{Found, Sources, sources},
};
