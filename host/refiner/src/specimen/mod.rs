//! `refiner specimen`: looking into specimen files.

mod check;
mod convert;
mod inspect;

use refiner_diagnostics::{ExitCode, Failure};

use crate::{
    cli,
    input::{Input, InputError},
    terminal,
};

/// Runs one of the subcommands.
pub fn run(command: &cli::Specimen) -> Result<ExitCode, Failure> {
    match command {
        cli::Specimen::Inspect { specimens, json } => inspect::run(specimens, *json, &mut terminal::out(*json)),
        cli::Specimen::Decode { specimen, data } => convert::decode(specimen, *data),
        cli::Specimen::Encode { json, layout, out } => convert::encode(json, *layout, out.as_deref()),
        cli::Specimen::Check(arguments) => check::run(arguments, &mut terminal::out(arguments.json)),
    }
}

/// Why one specimen of several could not be looked into.
#[derive(Debug, thiserror::Error)]
enum Unreadable {
    #[error(transparent)]
    Read(#[from] InputError),
    #[error(transparent)]
    Decode(#[from] refiner_specimen::DecodeError),
}

fn read_and_decode(input: &Input) -> Result<(Vec<u8>, refiner_specimen::Specimen), Unreadable> {
    let bytes = input.read()?;
    let specimen = refiner_specimen::decode(&bytes)?;
    Ok((bytes, specimen))
}
