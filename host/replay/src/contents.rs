//! The contents of one specimen, for programs.

use std::ffi::OsString;

use refiner_config::Values;
use refiner_diagnostics::Failure;
use refiner_specimen_files::input::{self, InputError};

use crate::run::remote_files;

/// The contents of the one specimen that an argument of a replay names, as JSON, field for field as they are on the wire.
///
/// # Errors
///
/// The argument names no specimen, or several; the specimen cannot be read or decoded.
pub fn contents(argument: &OsString, settings: &Values) -> Result<String, Failure> {
    let expanded = input::expand_with(&[argument], &remote_files(settings));
    if let Some(refused) = expanded.refused.into_iter().next() {
        return Err(refused.into());
    }
    let [input] = expanded.inputs.as_slice() else {
        let argument = argument.to_string_lossy().into_owned();
        return Err(InputError::Several { argument, found: expanded.inputs.len() }.into());
    };
    let json = refiner_specimen::to_json(&input.read()?);
    Ok(json.map_err(|source| InputError::Convert { input: input.clone(), source })?.to_string())
}
