//! `refiner doctor` and `refiner health`: whether this machine, its settings and its services are as they should be.
//!
//! * **Inputs**: the arguments of a command; this machine, the settings of `run` and what they name; a service of this program.
//! * **Outputs**: one line or JSON for each check, an archive for a report of a fault; the exit code.
//! * **Invariants**: guests run only where no key is in the memory; an archive holds no secret that is known, and nothing that looks like
//!   one.
//!
//! ```
//! use clap::Parser;
//!
//! #[derive(Parser)]
//! enum Program {
//!     Doctor(Box<refiner_doctor::Doctor>),
//!     Health(refiner_doctor::Health),
//! }
//!
//! assert!(matches!(Program::try_parse_from(["refiner", "doctor", "--json"])?, Program::Doctor(_)));
//! assert!(matches!(Program::try_parse_from(["refiner", "health", "content"])?, Program::Health(_)));
//! # Ok::<_, clap::Error>(())
//! ```

mod arguments;
mod bundle;
mod checks;
mod health;
mod machine;

pub use self::{
    arguments::Doctor,
    checks::run,
    health::{Health, run as health},
    machine::checks_apart as machine_apart,
};

use refiner_arguments::settings;
use refiner_config::egress;
use refiner_custody as custody;
use refiner_daemon::preflight;
use refiner_rule_package::builtin;
use refiner_terminal as terminal;
