//! `refiner specimen decode` and `encode`: the wire form as JSON and back, without loss.

use std::path::Path;

use refiner_diagnostics::{ExitCode, Failure};
use refiner_specimen::Layout;

use crate::{
    input::{Input, InputError, expand},
    output::{refuse_input, write_by_rename},
    terminal,
};

/// Prints a specimen as JSON, indented by one space.
pub fn decode(argument: &str, data_only: bool) -> Result<ExitCode, Failure> {
    let input = single(argument)?;
    let bytes = input.read()?;
    let json = if data_only { refiner_specimen::data_json(&bytes) } else { refiner_specimen::to_json(&bytes) };
    let json = json.map_err(|source| InputError::Convert { input, source })?;
    let out = &mut terminal::buffered_out(true);
    out.json(&json)?;
    out.finish()?;
    Ok(ExitCode::Done)
}

/// Writes the JSON of `decode` as a specimen of the given layout.
pub fn encode(argument: &str, layout: Layout, out: Option<&Path>) -> Result<ExitCode, Failure> {
    let input = single(argument)?;
    if let Some(out) = out {
        refuse_input(out, input.path())?;
    }
    let json = refiner_specimen::read_json(&input.read()?);
    let json = json.map_err(|source| InputError::Json { input: input.clone(), source })?;
    let bytes = refiner_specimen::from_json(&json, layout).map_err(|source| InputError::Convert { input, source })?;
    match out {
        Some(path) => write_by_rename(path, &bytes)?,
        None => terminal::raw_out().bytes(&bytes)?,
    }
    Ok(ExitCode::Done)
}

fn single(argument: &str) -> Result<Input, InputError> {
    match expand(&[argument.to_owned()])?.as_slice() {
        [input] => Ok(input.clone()),
        inputs => Err(InputError::Several { argument: argument.to_owned(), found: inputs.len() }),
    }
}
