//! What the operator wants: flags over environment over file over defaults, all problems at once.

mod layer;
mod problem;
mod settings;
mod shown;
mod sources;

pub use self::{
    layer::Layer,
    problem::{ConfigError, Problem},
    settings::{Key, Settings},
    shown::{Shown, shown},
};

use std::path::Path;

/// Reads every source and makes settings of them. The environment is read here and nowhere else.
///
/// # Errors
///
/// [`ConfigError`] with everything that is wrong, not only the first.
pub fn read(flags: &Layer, file: Option<&Path>) -> Result<Settings, ConfigError> {
    let environment = sources::Environment::of_process();
    let mut problems = Vec::new();
    let merged = sources::merge(flags, &environment, file, &mut problems);
    let settings = settings::resolve(merged, environment.secret(), &mut problems);
    match settings {
        Some(settings) if problems.is_empty() => Ok(settings),
        _ => Err(ConfigError { problems }),
    }
}
