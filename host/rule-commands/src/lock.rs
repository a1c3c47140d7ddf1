//! `refiner rule lock`: the only writer of `rules.lock`.

use refiner_diagnostics::{ExitCode, Failure};
use refiner_sources::{Lock, Locked};
use refiner_text::OneLine;
use serde_json::json;

use super::{RuleError, arguments};
use crate::{
    builtin,
    rules::{FindError, Sources, sources},
    terminal,
};

pub fn run(arguments: &arguments::Lock) -> Result<ExitCode, Failure> {
    let fetched = Sources::of(&arguments.settings.values()?);
    let path = fetched.lock_path();
    // A file that is no lock is an error before anything is fetched.
    Lock::read_or_empty(&path).map_err(FindError::from)?;
    // What is in the lock so far does not bind: agreeing on something else is what this command is for.
    let resolver = fetched.unbound_resolver();
    let (mut shown, mut rules) = (Vec::new(), Vec::new());
    for argument in &arguments.rules {
        if builtin::rule(argument).is_some() {
            return Err(RuleError::BuiltIn(argument.clone()).into());
        }
        for source in sources(argument)? {
            rules.push(resolver.look_up(&source).map_err(FindError::from)?.locked);
            shown.push(source.shown());
        }
    }
    // Printed once it is written: what is not in the lock is not agreed on.
    let changes = Lock::update(&path, rules).map_err(FindError::from)?;
    let stdout = &mut terminal::out(arguments.json);
    for (source, (before, now)) in shown.into_iter().zip(changes) {
        let change = change(before.as_ref(), &now);
        if arguments.json {
            writeln!(stdout, "{}", json!({ "change": change, "rule": now }))?;
        } else {
            writeln!(stdout, "{change:<9}  {}  sha256 {}", OneLine(source), now.sha256)?;
        }
    }
    Ok(ExitCode::Done)
}

fn change(before: Option<&Locked>, now: &Locked) -> &'static str {
    match before {
        None => "new",
        Some(before) if before == now => "unchanged",
        Some(_) => "changed",
    }
}
