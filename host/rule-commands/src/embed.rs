//! `refiner rule embed`: a manifest into a component that any toolchain made.

use std::path::Path;

use refiner_authoring::{digest, embed};
use refiner_diagnostics::{ExitCode, Failure};
use refiner_rule_model::{Grants, examine};
use refiner_text::OneLine;
use serde_json::json;

use super::{RuleError, arguments::Embed, session::PrepareError};
use crate::terminal;

pub fn run(arguments: &Embed) -> Result<ExitCode, Failure> {
    let Embed { component, manifest, out, replace, json } = arguments;
    let whole = embed::of_files(component, manifest, *replace).map_err(RuleError::from)?;
    // A manifest that does not go with its component is better refused by its author than by its users.
    examine(&whole, None, &Grants::all())
        .map_err(|source| PrepareError::Refused { rule: component.display().to_string(), source })?;
    let path = out.as_ref().unwrap_or(component);
    embed::write(path, &whole).map_err(RuleError::from)?;
    print(path, &whole, *json)
}

/// One line of a component that was written.
pub fn print(path: &Path, whole: &[u8], json: bool) -> Result<ExitCode, Failure> {
    let (bytes, sha256) = (whole.len(), digest::sha256(whole));
    let stdout = &mut terminal::out(json);
    if json {
        writeln!(stdout, "{}", json!({ "file": path, "bytes": bytes, "sha256": sha256 }))?;
    } else {
        writeln!(stdout, "{}  {}  sha256 {sha256}", OneLine(path.display()), digest::size(bytes))?;
    }
    Ok(ExitCode::Done)
}
