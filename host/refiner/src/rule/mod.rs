//! `refiner rule`: commands for authors of rules, and for users of rules from others.

mod arguments;
mod build;
mod check;
mod embed;
mod error;
mod info;
mod lock;
mod new;
mod push;
mod run;
mod schema;
pub mod show;
mod sign;
mod test;
mod verify;
mod watch;

use refiner_diagnostics::{ExitCode, Failure};

use refiner_rule_session as session;

pub use self::{arguments::Rule, error::RuleError};

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
