//! `refiner rule build`: builds a component, and examines it as `rule check` does.

use refiner_authoring::{build, build_with_names, digest};
use refiner_diagnostics::{ExitCode, Failure};
use refiner_text::OneLine;
use serde_json::json;

use super::{RuleError, arguments::Build, check};
use crate::terminal;

pub fn run(arguments: &Build) -> Result<ExitCode, Failure> {
    let build = if arguments.names { build_with_names } else { build };
    let built = build(&arguments.dir, arguments.out.as_deref()).map_err(RuleError::from)?;
    let (bytes, sha256) = (built.component.len(), digest::sha256(&built.component));
    let stdout = &mut terminal::out(arguments.json);
    if !arguments.json {
        writeln!(stdout, "{}  {}  sha256 {sha256}", OneLine(built.path.display()), digest::size(bytes))?;
    }
    let (code, check) = check::examine_built(&built.path, arguments.json)?;
    if arguments.json {
        let built = json!({ "name": built.name, "file": built.path, "bytes": bytes, "sha256": sha256, "check": check });
        writeln!(stdout, "{built}")?;
    }
    Ok(code)
}
