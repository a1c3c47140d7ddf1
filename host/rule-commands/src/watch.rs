//! `refiner rule watch`: builds and runs a rule after each change of its sources.

use std::{
    env,
    path::Path,
    process::{Command, ExitStatus},
};

use refiner_authoring::{command, watch::Sources};
use refiner_diagnostics::{ExitCode, Failure};
use refiner_text::OneLine;

use super::{RuleError, arguments::Watch};
use crate::terminal;

/// The specimen that `rule new` puts beside a rule.
const SAMPLE: &str = "sample.avro";

pub fn run(Watch { dir, specimen, rounds }: &Watch) -> Result<ExitCode, Failure> {
    let specimen = specimen.clone().unwrap_or_else(|| dir.join(SAMPLE));
    let mut sources = Sources::of(dir).map_err(RuleError::from)?;
    let mut left = *rounds;
    loop {
        let ended = round(dir, &specimen)?;
        left = left.map(|rounds| rounds.saturating_sub(1));
        if left == Some(0) {
            return Ok(ended);
        }
        writeln!(terminal::out(false), "\nwaiting for changes in {}; Ctrl-C ends", OneLine(dir.display()))?;
        let changed = sources.wait().map_err(RuleError::from)?;
        writeln!(terminal::out(false), "{} changed", OneLine(changed.display()))?;
    }
}

/// Builds the rule and, where that ends well, runs it; the code is that of the last of them. Each is a command of its own, whose fault ends this
/// round alone.
fn round(dir: &Path, specimen: &Path) -> Result<ExitCode, Failure> {
    let built = tempfile::tempdir().map_err(RuleError::Directory)?;
    let component = built.path().join("rule.wasm");
    let program = || env::current_exe().map(Command::new).map_err(RuleError::Directory);
    let built = command::status(program()?.args(["rule", "build"]).arg(dir).arg("--out").arg(&component));
    let built = code_of(built.map_err(RuleError::Command)?);
    if built != ExitCode::Done {
        return Ok(built);
    }
    let ran = command::status(program()?.args(["rule", "run"]).arg(&component).arg(specimen).arg("--show"));
    Ok(code_of(ran.map_err(RuleError::Command)?))
}

/// The exit code of this program, or that of a failing host where a signal ended it.
fn code_of(status: ExitStatus) -> ExitCode {
    let code = |number| ExitCode::ALL.iter().copied().find(|code| *code as i32 == number);
    status.code().map_or(ExitCode::Host, |number| code(number).unwrap_or(ExitCode::Internal))
}
