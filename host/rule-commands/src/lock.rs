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
    let mut lock = if path.exists() { Lock::read(&path).map_err(FindError::from)? } else { Lock::default() };
    // What is in the lock so far does not bind: agreeing on something else is what this command is for.
    let resolver = fetched.unbound_resolver();
    let stdout = &mut terminal::out(arguments.json);
    for argument in &arguments.rules {
        if builtin::rule(argument).is_some() {
            return Err(RuleError::BuiltIn(argument.clone()).into());
        }
        for source in sources(argument)? {
            let locked = resolver.look_up(&source).map_err(FindError::from)?.locked;
            let before = lock.get(&locked.source).cloned();
            let change = change(before.as_ref(), &locked);
            if arguments.json {
                writeln!(stdout, "{}", json!({ "change": change, "rule": locked }))?;
            } else {
                writeln!(stdout, "{change:<9}  {}  sha256 {}", OneLine(source.shown()), locked.sha256)?;
            }
            lock.set(locked);
        }
    }
    lock.write(&path).map_err(FindError::from)?;
    Ok(ExitCode::Done)
}

fn change(before: Option<&Locked>, now: &Locked) -> &'static str {
    match before {
        None => "new",
        Some(before) if before == now => "unchanged",
        Some(_) => "changed",
    }
}
