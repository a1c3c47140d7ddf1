//! `refiner specimen decode` and `encode`: the wire form as JSON and back, without loss.

use std::{
    io::{self, Write},
    path::Path,
};

use anyhow::Context as _;
use refiner_specimen::Layout;
use refiner_text::OneLine;

use crate::{
    exit::Exit,
    input::{Input, InputError, expand},
    output::write_by_rename,
};

/// Prints a specimen as JSON, indented by one space.
pub fn decode(argument: &str, data_only: bool, stdout: &mut impl Write) -> anyhow::Result<Exit> {
    let bytes = single(argument)?.read()?;
    let json = if data_only { refiner_specimen::data_json(&bytes) } else { refiner_specimen::to_json(&bytes) };
    let json = json.with_context(|| OneLine(argument).to_string())?;
    let mut writer = io::BufWriter::new(stdout);
    serde_json::to_writer_pretty(&mut writer, &json).map_err(io::Error::from)?;
    writeln!(writer)?;
    writer.flush()?;
    Ok(Exit::Done)
}

/// Writes the JSON of `decode` as a specimen of the given layout.
pub fn encode(argument: &str, layout: Layout, out: Option<&Path>, stdout: &mut impl Write) -> anyhow::Result<Exit> {
    let json = serde_json::from_slice(&single(argument)?.read()?).with_context(|| OneLine(argument).to_string())?;
    let bytes = refiner_specimen::from_json(&json, layout).with_context(|| OneLine(argument).to_string())?;
    match out {
        Some(path) => write_by_rename(path, &bytes)?,
        None => stdout.write_all(&bytes)?,
    }
    Ok(Exit::Done)
}

fn single(argument: &str) -> Result<Input, InputError> {
    match expand(&[argument.to_owned()])?.as_slice() {
        [input] => Ok(input.clone()),
        inputs => Err(InputError::Several { argument: argument.to_owned(), found: inputs.len() }),
    }
}
