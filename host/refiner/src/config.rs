//! `refiner config`: the daemon's settings and the origin of each.

use std::io::Write;

use refiner_arguments::settings;
use refiner_daemon::config::Shown;
use refiner_diagnostics::{ExitCode, Failure};
use refiner_text::OneLine;
use serde_json::json;

use crate::{
    cli::ConfigCommand,
    terminal::{self, PrintError, Stdout},
};

/// Columns of keys and values; longer ones push the origin to the right.
const KEY_WIDTH: usize = 18;
const VALUE_WIDTH: usize = 50;

/// Prints the settings, as a file that `--config` takes or as JSON.
pub fn run(command: &ConfigCommand) -> Result<ExitCode, Failure> {
    let ConfigCommand::Show { run, json } = command;
    let shown = settings::shown(run)?;
    let out = &mut terminal::buffered_out(*json);
    if *json {
        as_json(&shown, out)?;
    } else {
        as_toml(&shown, out)?;
    }
    out.finish()?;
    Ok(ExitCode::Done)
}

fn as_toml(shown: &[Shown], out: &mut Stdout<impl Write>) -> Result<(), PrintError> {
    for Shown { key, value, origin } in shown {
        match value {
            // Not a setting of a file: it is a secret.
            Some(_) if *key == "key" => {
                writeln!(out, "# the operator's key is set and not shown # {}", OneLine(origin))?;
            }
            Some(value) => {
                let value = value.to_string();
                writeln!(out, "{key:<KEY_WIDTH$} = {value:<VALUE_WIDTH$} # {}", OneLine(origin))?;
            }
            None => writeln!(out, "# {key} is not set")?,
        }
    }
    Ok(())
}

fn as_json(shown: &[Shown], out: &mut Stdout<impl Write>) -> Result<(), PrintError> {
    let entry = |shown: &Shown| (shown.key.to_owned(), json!({ "value": shown.value, "origin": shown.origin }));
    let settings: serde_json::Map<_, _> = shown.iter().map(entry).collect();
    out.json(&settings)
}
