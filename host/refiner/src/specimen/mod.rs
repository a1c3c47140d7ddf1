//! `refiner specimen`: looking into specimen files.

mod check;
mod convert;
mod inspect;

use std::io;

use crate::{
    cli,
    exit::Exit,
    input::{Input, InputError},
    terminal,
};

/// Runs one of the subcommands.
pub fn run(command: &cli::Specimen) -> anyhow::Result<Exit> {
    match command {
        cli::Specimen::Inspect { specimens, json } => inspect::run(specimens, *json, &mut terminal::out(*json)),
        cli::Specimen::Decode { specimen, data } => convert::decode(specimen, *data, &mut terminal::out(true)),
        // A specimen is bytes, not text.
        cli::Specimen::Encode { json, layout, out } => {
            convert::encode(json, *layout, out.as_deref(), &mut io::stdout().lock())
        }
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
