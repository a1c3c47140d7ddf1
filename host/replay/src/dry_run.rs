//! The plan of a replay, printed.

use refiner_rule_session::{LoadedRule, shown};
use refiner_specimen_files::input::InputError;
use refiner_terminal::{self as terminal, PrintError, failure};
use serde_json::json;

use crate::{Replay, Style, plan::Plan, tables::Tables};

/// Prints what would be done: rules with their identities, specimens, and files.
pub fn print(
    replay: &Replay,
    rules: &[LoadedRule],
    tables: Option<&Tables>,
    plan: &Plan,
    refused: &[InputError],
) -> Result<(), PrintError> {
    refused.iter().for_each(failure::report_argument);
    let unread: Vec<_> = plan.items.iter().filter_map(|item| Some((&item.input, item.unread.as_deref()?))).collect();
    unread.iter().for_each(|(input, error)| failure::report_item(input, error));
    let to_run = plan.items.len() - unread.len();
    let files = files(rules, tables, plan);
    let known = plan.items.iter().filter(|item| item.unit.is_some()).count();
    let without_heading = if replay.out.is_some() { to_run - known } else { 0 };
    if replay.style == Style::Json {
        let rules: Vec<_> = rules
            .iter()
            .map(|rule| {
                let version = &rule.place.manifest().version;
                let mut line = json!({ "name": &*rule.name, "version": version, "identity": rule.identity });
                shown::mark_hypothetical(&mut line, rule.place.manifest());
                line
            })
            .collect();
        return terminal::out(true).json_line(&json!({
            "dryRun": true,
            "rules": rules,
            "specimens": to_run,
            "done": plan.done,
            "copies": plan.copies,
            "withoutHeading": without_heading,
            "unreadable": unread.len(),
            "refusedArguments": refused.len(),
            "out": replay.out.as_ref().map(|out| out.display().to_string()),
            "files": files,
        }));
    }
    let mut out = terminal::buffered_out(false);
    for rule in rules {
        let manifest = rule.place.manifest();
        let marked = if manifest.is_hypothetical() { ", hypothetical" } else { "" };
        writeln!(out, "rule       {} {}, identity {}{marked}", rule.name, manifest.version, rule.identity)?;
    }
    writeln!(out, "specimens  {} to run, {} done already", to_run, plan.done)?;
    for (count, what) in [
        (plan.copies, "are copies of others and left out"),
        (without_heading as u64, "are no specimens by their first bytes"),
        (unread.len() as u64, "cannot be read"),
        (refused.len() as u64, "arguments name nothing"),
    ] {
        if count > 0 {
            writeln!(out, "           {count} {what}")?;
        }
    }
    match &replay.out {
        Some(directory) => writeln!(out, "files      {} in {}", files.len(), directory.display())?,
        None => writeln!(out, "files      none: results are hashed and dropped without --out")?,
    }
    for file in &files {
        writeln!(out, "  {file}")?;
    }
    out.finish()
}

/// The files that every output of every rule would be; a rule may leave an output out.
fn files(rules: &[LoadedRule], tables: Option<&Tables>, plan: &Plan) -> Vec<String> {
    if let Some(tables) = tables {
        return plan.ranges.iter().flat_map(|range| tables.paths(*range)).collect();
    }
    let mut files = Vec::new();
    for (chain_id, height, _) in &plan.ranges {
        for rule in rules {
            for output in &rule.place.manifest().outputs {
                files.push(format!("{chain_id}-{height}.{}.{}", rule.name, output.name));
            }
        }
    }
    files
}
