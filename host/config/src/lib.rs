//! Every setting of the program: one table of rows, and the only readers of the environment and of configuration files.
//!
//! **Inputs**: flags, environment variables, and for `refiner run` a TOML file; in this order the first that gives a setting
//! wins. **Outputs**: [`Values`] of one command, every one parsed and within its bounds, or a [`ConfigError`] with everything
//! that is wrong. **Invariants**: a setting is one row of [`table`]; a variable of another command never stops a command; the
//! text of a secret stands in no error.
//!
//! ```
//! use refiner_config::{Environment, Flags, scope, table};
//!
//! let (flags, mut problems) = (Flags::<scope::ContentServe>::default(), Vec::new());
//! let values = flags.read_from(&Environment::of_process(), None, &mut problems);
//! assert!(problems.is_empty() && values.get(&table::CONTENT_LISTEN).ip().is_loopback());
//! ```

mod arguments;
pub mod egress;
mod environment;
mod file;
mod origin;
mod problem;
mod row;
mod rule_terms;
mod scopes;
mod share;
pub mod table;
mod value;
mod values;

pub use self::{
    arguments::Flags,
    environment::{Environment, KEY_PIPE_VARIABLE, KEY_VARIABLE, RegistryLogins, cache_directory, registry_logins},
    origin::Origin,
    problem::{ConfigError, Problem},
    row::{Former, Row, Scope, Scoped, Setting, scope},
    rule_terms::{Denial, DeniedCapability, RuleLimit, RuleSigner},
    share::Share,
    value::{Bytes, Coins, ConfinementLevel, Executor, FinalizePolicy, Form, LogFormat, Parameter, Read, Scalar},
    values::{Values, Warning},
};
