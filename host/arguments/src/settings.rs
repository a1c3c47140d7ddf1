//! The settings of `refiner run`, read for the commands that need them.

use std::path::PathBuf;

use refiner_config::{ConfigError, Environment, Problem, Values};
use refiner_daemon::config::{self, Nodes, Settings, Shown};
use refiner_proofchain::Secret;
use refiner_rule_package as rules;
use refiner_worker::Requirement;

use crate::Run;

/// Reads every source, and the key that was taken out of the environment, and makes settings of them.
///
/// # Errors
/// [`ConfigError`] with everything that is wrong, not only the first.
pub fn read(arguments: &Run, key: Option<Secret>) -> Result<Settings, ConfigError> {
    let (values, settings) = resolved(arguments, key)?;
    values.warn();
    Ok(settings)
}

/// Reads what the nodes of the proof chain are checked against; `None` where none is configured.
///
/// # Errors
/// [`ConfigError`] with everything that is wrong about it.
pub fn nodes(arguments: &Run) -> Result<Option<Nodes>, ConfigError> {
    let mut problems = Vec::new();
    let values = all(arguments, &mut problems);
    let nodes = config::nodes(&values, &mut problems);
    if problems.is_empty() { Ok(nodes) } else { Err(ConfigError { problems }) }
}

/// Reads the confinement that rules which are not built in need; the default where it is faulty.
pub fn requirement(arguments: &Run) -> Requirement {
    rules::requirement(&values(arguments))
}

/// The settings of every source as far as they are right, whatever is wrong with others.
pub fn values(arguments: &Run) -> Values {
    all(arguments, &mut Vec::new())
}

/// Reads the daemon's directory alone.
///
/// # Errors
/// [`ConfigError`] with everything that is wrong with the form of a setting.
pub fn data(arguments: &Run) -> Result<PathBuf, ConfigError> {
    let mut problems = Vec::new();
    let values = all(arguments, &mut problems);
    if problems.is_empty() { Ok(values.get(&refiner_config::table::DATA)) } else { Err(ConfigError { problems }) }
}

/// The same with every setting as a person may see it.
///
/// # Errors
/// As [`read`].
pub fn read_and_show(arguments: &Run, key: Option<Secret>) -> Result<(Settings, Vec<Shown>), ConfigError> {
    let (values, settings) = resolved(arguments, key)?;
    values.warn();
    let shown = config::shown(&values, &settings);
    Ok((settings, shown))
}

/// Every setting as a person may see it.
///
/// # Errors
/// As [`read`].
pub fn shown(arguments: &Run) -> Result<Vec<Shown>, ConfigError> {
    let (values, settings) = resolved(arguments, None)?;
    Ok(config::shown(&values, &settings))
}

fn all(arguments: &Run, problems: &mut Vec<Problem>) -> Values {
    let environment = Environment::of_process();
    let file = arguments.file.read_from(&environment, None, problems).get(&refiner_config::table::CONFIG);
    arguments.settings.read_from(&environment, file.as_ref(), problems)
}

fn resolved(arguments: &Run, key: Option<Secret>) -> Result<(Values, Settings), ConfigError> {
    let environment = Environment::of_process().with_key(key);
    let mut problems = Vec::new();
    let file = arguments.file.read_from(&environment, None, &mut problems).get(&refiner_config::table::CONFIG);
    let values = arguments.settings.read_from(&environment, file.as_ref(), &mut problems);
    match config::resolve(&values, &mut problems) {
        Some(settings) if problems.is_empty() => Ok((values, settings)),
        _ => Err(ConfigError { problems }),
    }
}
