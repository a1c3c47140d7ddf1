//! `refiner specimen`: looking into specimen files.
//!
//! * **Inputs**: the arguments of a command; specimens from files, directories, patterns or standard input.
//! * **Outputs**: what a specimen holds, its checks, and its form as JSON, on standard output or in a file; the exit code.
//! * **Invariants**: runs no rule; one specimen that cannot be read does not stop the others.
//!
//! ```
//! use clap::Parser;
//! use refiner_specimen_commands::Specimen;
//!
//! #[derive(Parser)]
//! struct Program {
//!     #[command(subcommand)]
//!     command: Specimen,
//! }
//!
//! let program = Program::try_parse_from(["refiner", "inspect", "--json", "-"])?;
//! assert!(matches!(program.command, Specimen::Inspect { json: true, .. }));
//! # Ok::<_, clap::Error>(())
//! ```

mod arguments;
mod check;
mod convert;
mod inspect;

pub use self::arguments::{Check, Specimen};

use refiner_diagnostics::{Diagnostic as _, ExitCode, Failure};
use refiner_executor::{self as executor, chains};
use refiner_output as output;
use refiner_rule_session::checks;
use refiner_specimen_files::{
    input::{self, Expanded, Input, InputError, expand_all},
    known_blocks,
};
use refiner_terminal::{self as terminal, failure};

/// Runs one of the subcommands.
pub fn run(command: &Specimen) -> Result<ExitCode, Failure> {
    match command {
        Specimen::Inspect { specimens, json } => inspect::run(specimens, *json, &mut terminal::out(*json)),
        Specimen::Decode { specimen, data } => convert::decode(specimen, *data),
        Specimen::Encode { json, layout, out } => convert::encode(json, *layout, out.as_deref()),
        Specimen::Check(arguments) => check::run(arguments, &mut terminal::out(arguments.json)),
    }
}

/// Reasons for which one specimen of several could not be looked into.
#[derive(Debug, thiserror::Error)]
enum Unreadable {
    #[error(transparent)]
    Read(#[from] InputError),
    #[error(transparent)]
    Decode(#[from] refiner_specimen::DecodeError),
}

/// The inputs that arguments name. Arguments that name nothing are printed, and give the exit code.
fn inputs(arguments: &[String]) -> (Vec<Input>, ExitCode) {
    let Expanded { inputs, refused } = expand_all(arguments);
    refused.iter().for_each(failure::report_argument);
    let exit = refused.iter().map(InputError::exit_code).max();
    (inputs, exit.unwrap_or(ExitCode::Done))
}

fn read_and_decode(input: &Input) -> Result<(Vec<u8>, refiner_specimen::Specimen), Unreadable> {
    let bytes = input.read()?;
    let specimen = refiner_specimen::decode(&bytes)?;
    Ok((bytes, specimen))
}
