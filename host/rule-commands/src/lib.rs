//! `refiner rule`: commands for authors of rules, and for users of rules from others.
//!
//! * **Inputs**: the arguments of a command, sources of rules, specimens, settings.
//! * **Outputs**: reports on standard output, new rules, components, locks and artifacts; the exit code.
//! * **Invariants**: a rule that is not built in is compiled in a child process, and what it made or logged is escaped where it is printed.
//!
//! ```
//! use clap::Parser;
//! use refiner_rule_commands::Rule;
//!
//! #[derive(Parser)]
//! struct Program {
//!     #[command(subcommand)]
//!     command: Rule,
//! }
//!
//! let program = Program::try_parse_from(["refiner", "check", "block-result"])?;
//! assert!(matches!(program.command, Rule::Check(_)));
//! # Ok::<_, clap::Error>(())
//! ```

mod arguments;
mod build;
mod check;
mod embed;
mod error;
mod info;
mod lock;
mod new;
mod profile;
mod push;
mod run;
mod schema;
mod show;
mod sign;
mod test;
mod verify;
mod watch;

use refiner_diagnostics::{ExitCode, Failure};
use refiner_executor::{self as executor, chains};
use refiner_output as output;
use refiner_rule_package::{self as rules, builtin};
use refiner_rule_session::{self as session, checks};
use refiner_specimen_files::input;
use refiner_terminal::{self as terminal, failure};

pub use self::arguments::Rule;
use self::error::RuleError;

/// Runs the whole command.
pub fn run(command: &Rule) -> Result<ExitCode, Failure> {
    match command {
        Rule::New(arguments) => new::run(arguments),
        Rule::Build(arguments) => build::run(arguments),
        Rule::Watch(arguments) => watch::run(arguments),
        Rule::Check(arguments) => check::run(arguments),
        Rule::Info(arguments) => info::run(arguments),
        Rule::Schema(arguments) => schema::run(arguments),
        Rule::Run(arguments) => run::run(arguments),
        Rule::Lock(arguments) => lock::run(arguments),
        Rule::Embed(arguments) => embed::run(arguments),
        Rule::Keygen(arguments) => sign::keygen(arguments),
        Rule::Sign(arguments) => sign::run(arguments),
        Rule::Push(arguments) => push::run(arguments),
        Rule::Verify(arguments) => verify::run(arguments),
        Rule::Test(arguments) => test::run(arguments),
    }
}
